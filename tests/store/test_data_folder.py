"""A data folder that cannot be created: why, and the right advice."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from stash2plex.datadir import keep_temporary_files, prepare
from stash2plex.db import connect
from stash2plex.errors import StoreUnavailable
from stash2plex.lock import drain_lock
from stash2plex.logs.handlers import Logs

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEEPER = 4_217
"""A user that is not root."""


def refusal(folder):
    with pytest.raises(StoreUnavailable) as caught:
        prepare(str(folder))
    return caught.value


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    link = tmp_path / "stash2plex"
    link.symlink_to(tmp_path / "harbour")
    error = refusal(link)
    assert error.what.endswith(
        f"“{link}” is a link to “{tmp_path / 'harbour'}”, which does not exist."
    )
    assert error.fix == f"Create “{tmp_path / 'harbour'}”, or remove the link."
    (tmp_path / "harbour").mkdir()
    prepare(str(link))


def test_a_link_above_that_leads_nowhere_is_named_too(tmp_path):
    (tmp_path / "config").symlink_to("harbour")
    error = refusal(tmp_path / "config" / "stash2plex")
    assert f"“{tmp_path / 'config'}” is a link to “{tmp_path / 'harbour'}”" in error.what


@pytest.mark.parametrize("below", ["", "stash2plex"])
def test_a_file_in_its_place_is_named(tmp_path, below):
    file = tmp_path / "lantern"
    file.write_text("not a folder")
    error = refusal(os.path.join(file, below) if below else file)
    assert f"“{file}” is a file, not a folder." in error.what
    assert "Move it away" in str(error.fix)


@pytest.mark.parametrize("parts", [["l" * 300], ["l" * 100] * 5], ids=["a-name", "a-path"])
def test_a_path_that_is_too_long_is_called_that(tmp_path, parts):
    error = refusal(tmp_path.joinpath(*parts, "stash2plex"))
    assert error.fix == "Its path is too long: set STASH2PLEX_DATA_DIR to a shorter one."
    assert os.listdir(tmp_path) == []


def test_the_longest_path_that_is_taken_works(tmp_path):
    room = 490 - len("stash2plex.db") - len(os.fsencode(tmp_path)) - 1
    folder = tmp_path.joinpath(*["l" * 99] * (room // 100))
    path = prepare(str(folder))
    with closing(connect(path, relaxed=True)) as database:
        assert database.execute("SELECT count(*) FROM queue").fetchone() == (0,)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
def test_what_root_makes_belongs_to_the_owner_of_the_folder_above(tmp_path):
    """Else each save of Stash's user would fail after one command line of root."""
    os.chown(tmp_path, KEEPER, KEEPER)
    folder = tmp_path / "config" / "stash2plex"
    path = prepare(str(folder))
    with closing(connect(path)) as database:
        database.execute("INSERT INTO meta VALUES ('lantern', 'lit')")
        lock = drain_lock(str(folder))
        assert lock.acquire()
        lock.release()
        logs = Logs(None)
        logs.keep(str(folder))
        logs.logger.warning("The lantern is lit.")
        logs.close()
        made = [folder.parent, folder, *folder.iterdir()]
        assert {os.stat(one).st_uid for one in made} == {KEEPER}
        assert {one.name for one in made} >= {"stash2plex.db-wal", "drain.lock", "worker.log"}


def test_without_a_folder_for_temporary_files_they_go_into_the_data_folder(tmp_path):
    code = f"""
import os, sys
sys.path.insert(0, {ROOT!r})
from stash2plex import datadir
datadir.TEMPORARY_FOLDERS = ()
datadir.keep_temporary_files({str(tmp_path)!r})
import sqlite3
database = sqlite3.connect("")
database.execute("PRAGMA cache_size = 1")
database.execute("CREATE TABLE lantern AS SELECT randomblob(5000000)")
for descriptor in range(20):
    try:
        print(os.readlink(f"/proc/self/fd/{{descriptor}}"))
    except OSError:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, text=True, check=True
    )
    assert f"\n{tmp_path}/" in done.stdout


def test_where_the_system_has_a_place_it_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("SQLITE_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    keep_temporary_files(str(tmp_path / "data"))
    assert "SQLITE_TMPDIR" not in os.environ
