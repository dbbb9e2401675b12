"""Small answers of the store that other parts take for granted."""

from __future__ import annotations

import os
import stat
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.errors import StoreDamaged, StoreError
from stash2plex.start_trouble import Trouble, record_trouble
from stash2plex.store.stored_status import open_and_read
from tests.support import ManualClock, plex_file


def test_a_trouble_of_the_worker_is_for_its_owner_only(tmp_path):
    assert record_trouble(str(tmp_path), Trouble("It cannot start.", "Install Python."))
    (name,) = os.listdir(tmp_path)
    assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600


def test_a_damaged_database_has_no_status(tmp_path):
    (tmp_path / "stash2plex.db").write_bytes(b"no database at all" * 1_000)
    with pytest.raises(StoreDamaged):
        open_and_read(str(tmp_path))


def test_a_database_without_its_tables_has_no_status(tmp_path):
    store = open_store(str(tmp_path), ManualClock(), Random(1))
    store.connection.execute("DROP TABLE queue")
    store.connection.close()
    with pytest.raises(StoreError):
        open_and_read(str(tmp_path))


def test_the_library_of_an_item_is_known_once_it_is_listed(tmp_path):
    store = open_store(str(tmp_path), ManualClock(), Random(1))
    try:
        files = store.plex_files
        assert files.section_of("7") == ""
        files.add([plex_file("/media/a.mp4", "7", section="3")], 1)
        assert files.section_of("7") == "3"
    finally:
        store.connection.close()
