"""Drains like a worker, and kills itself, with SIGKILL, when it is about to edit one item.

With a sixth argument it does so when it is about to upload a picture of that item.
"""

from __future__ import annotations

import os
import signal
import sys
from time import time

from stash2plex.app import App
from stash2plex.servers.plex import Plex
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from tests.harness.in_process import make_app
from tests.support import ManualClock


def main() -> None:
    folder, stash_url, plex_url, token, bad, *pictures = sys.argv[1:]
    edit, upload = Plex.edit, Plex.upload

    def killed(self, section_id, rating_keys, change):
        if bad in rating_keys:
            os.kill(os.getpid(), signal.SIGKILL)
        edit(self, section_id, rating_keys, change)

    def killed_by_picture(self, rating_key, image_field, image):
        if bad == rating_key:
            os.kill(os.getpid(), signal.SIGKILL)
        upload(self, rating_key, image_field, image)

    if pictures:
        Plex.upload = killed_by_picture  # type: ignore[method-assign]
    else:
        Plex.edit = killed  # type: ignore[method-assign]
    skipped = "" if pictures else "poster background"
    given = {"plex_url": plex_url, "plex_token": token, "skip_fields": skipped}
    app: App = make_app(folder, stash_url, ManualClock(time()), overrides=given)
    app.drain(Foreground("test"), Silent(), lambda: False)
    app.close()


if __name__ == "__main__":
    main()
