"""A data folder that Windows cannot create: why, and the right advice. Seen under Wine."""

from __future__ import annotations

import errno
import ntpath
import os
from types import SimpleNamespace

import pytest

from stash2plex import datadir
from stash2plex.datadir import prepare
from stash2plex.errors import StoreUnavailable

NOT_FOUND = "The system cannot find the path specified"
"""What Windows answers for a drive that is not there and for a path that is too long."""


@pytest.fixture
def windows(monkeypatch):
    """Let the module see paths as on Windows, where only the drive `C:` exists."""

    def makedirs(path, **_):
        raise FileNotFoundError(errno.ENOENT, NOT_FOUND, path)

    paths = SimpleNamespace(**vars(ntpath))
    paths.lexists = paths.exists = paths.isdir = lambda path: path == "C:\\"
    seen = SimpleNamespace(path=paths, makedirs=makedirs, fsencode=os.fsencode)
    monkeypatch.setattr(datadir, "os", seen)


def refusal(folder):
    with pytest.raises(StoreUnavailable) as caught:
        prepare(folder)
    return caught.value


@pytest.mark.parametrize("above", ["D:\\", "\\\\quay\\share\\", "D:\\Stash\\config\\"])
def test_a_drive_or_share_that_is_not_there_is_called_that(windows, above):
    error = refusal(f"{above}stash2plex")
    assert error.what == f"The data folder “{above}stash2plex” cannot be created: {NOT_FOUND}."
    assert error.fix == (
        "Its drive or network share is not there. Set STASH2PLEX_DATA_DIR to another folder."
    )


@pytest.mark.parametrize(
    "folder",
    ["C:\\" + "l" * 256, "C:\\Stash\\" + "l" * 256 + "\\stash2plex", "C:\\" + "lantern\\" * 31],
    ids=["a-name", "a-name-above", "a-path"],
)
def test_a_path_that_windows_does_not_take_is_called_too_long(windows, folder):
    error = refusal(folder)
    assert error.what.endswith("cannot be created: Windows finds no path of that length.")
    assert error.fix == "Its path is too long: set STASH2PLEX_DATA_DIR to a shorter one."


def test_a_path_that_windows_takes_is_not_called_too_long(windows):
    error = refusal("C:\\" + "l" * (datadir.MAX_ON_WINDOWS - 3))
    assert "too long" not in str(error)
