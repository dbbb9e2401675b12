"""A plugin folder whose worker is switched off."""

from __future__ import annotations

import os
import shutil
from contextlib import closing

import pytest

from stash2plex.db import connect
from tests.harness.hooks import ROOT


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugin"
    shutil.copytree(os.path.join(ROOT, "plugin"), folder)
    shutil.copytree(
        os.path.join(ROOT, "stash2plex"),
        folder / "stash2plex",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    config = tmp_path / "config"
    (config / "stash2plex").mkdir(parents=True)
    with closing(connect(str(config / "stash2plex" / "stash2plex.db"))) as database:
        # No worker is to be left behind by these tests.
        database.execute("INSERT INTO meta VALUES ('background_worker', 'off')")
    return folder
