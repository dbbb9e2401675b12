"""Drains like a worker, and kills itself, with SIGKILL, when it is about to edit one item."""

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
    folder, stash_url, plex_url, token, bad = sys.argv[1:]
    edit = Plex.edit

    def killed(self, section_id, rating_keys, change):
        if bad in rating_keys:
            os.kill(os.getpid(), signal.SIGKILL)
        edit(self, section_id, rating_keys, change)

    Plex.edit = killed  # type: ignore[method-assign]
    given = {"plex_url": plex_url, "plex_token": token, "skip_fields": "poster background"}
    app: App = make_app(folder, stash_url, ManualClock(time()), overrides=given)
    app.drain(Foreground("test"), Silent(), lambda: False)
    app.close()


if __name__ == "__main__":
    main()
