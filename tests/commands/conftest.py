"""A command line over the stand-ins, in this process, without the archive."""

from __future__ import annotations

import os
import signal

import pytest

from stash2plex.cli.main import main
from stash2plex_testing.patient import works_with
from stash2plex_testing.world import World


class Shell(World):
    """Both stand-ins, and a shell to type into."""

    def __init__(self, folder, capfd, **stash):
        super().__init__(folder, **stash)
        self.folder = os.path.join(folder, "data")
        self._capfd = capfd

    def set(self, **settings):
        self.stash.configure_plugin("Stash2Plex", {**works_with(self), **settings})

    def run(self, *words):
        """Type a command; returns exit code, standard output, standard error."""
        self._capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        out, err = self._capfd.readouterr()
        return ended.value.code or 0, out, err


@pytest.fixture
def desk(tmp_path, capfd, monkeypatch):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with Shell(str(tmp_path), capfd) as desk:
        monkeypatch.setenv("STASH2PLEX_STASH_URL", desk.stash.url)
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", desk.folder)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        desk.fill(6)
        desk.set(skip_fields="poster background")
        yield desk
    for number, handler in handlers.items():
        signal.signal(number, handler)
