"""A real Stash installs, runs, disables and uninstalls the archive by its own package manager.

Runs where a Stash is named by `STASH_BINARY` or found on the path; it listens on loopback only.
"""

from __future__ import annotations

import os

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.world import ARCHIVE
from tests.harness.real_stash import (
    ASK,
    AVAILABLE,
    BINARY,
    CREATE,
    INSTALL,
    REMOVE,
    SETTINGS,
    SOURCES,
    SWITCH,
    RealStash,
    index_served,
)
from tests.support import until

pytestmark = pytest.mark.skipif(not BINARY, reason="no Stash is here: set STASH_BINARY to one")


@pytest.fixture
def source():
    with index_served(os.path.dirname(ARCHIVE)) as address:
        yield address


@pytest.fixture
def stash(tmp_path):
    stash = RealStash(tmp_path)
    try:
        stash.start()
        yield stash
    finally:
        stash.stop()


def test_one_address_installs_runs_disables_and_uninstalls_it(stash, source):
    stash.ask(SOURCES, i={"pluginPackageSources": [{"name": "Stash2Plex", "url": source}]})
    (found,) = stash.ask(AVAILABLE, url=source)["availablePackages"]
    assert found["package_id"] == "Stash2Plex"
    package = [{"id": "Stash2Plex", "sourceURL": source}]
    stash.ask(INSTALL, p=package)
    until(lambda: stash.entries() == {"Stash2Plex": True, "Stash2PlexHooks": True})

    status = stash.ask(ASK, a={"mode": "status"})["runPluginOperation"]
    assert status["queue"]["pending"] == 0
    data = os.path.join(stash.config, "stash2plex")
    stash.ask(SETTINGS, m={"plex_url": "http://127.0.0.1:9", "plex_token": "t" * 20})
    stash.ask(CREATE)
    until(lambda: drain_runs(data))

    stash.ask(SWITCH, m={"Stash2Plex": False})
    until(lambda: not drain_runs(data))
    stash.ask(SWITCH, m={"Stash2Plex": True})
    stash.ask(CREATE)
    until(lambda: drain_runs(data))

    stash.ask(REMOVE, p=package)
    until(lambda: stash.entries() == {})
    until(lambda: not drain_runs(data))
    assert os.path.exists(os.path.join(data, "stash2plex.db"))
