"""Where the data folder is, why it cannot be made, whose it is, and the stamp of the code."""

from __future__ import annotations

import errno
import os

import pytest

from stash2plex.codestamp import read_stamp
from stash2plex.copies import drop_old_copies, keep_copy, list_copies, make_copy
from stash2plex.datadir import check_owner, file_stamp, keep_temporary_files, locate, prepare
from stash2plex.db import connect
from stash2plex.errors import StoreUnavailable

ELSEWHERE = "Set STASH2PLEX_DATA_DIR to another folder."


def test_the_data_folder_in_its_order(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    with pytest.raises(StoreUnavailable) as caught:
        locate(None, None)
    assert (caught.value.what, caught.value.fix) == (
        "There is no data folder.", "Set STASH2PLEX_DATA_DIR to a folder that can be written.",
    )  # fmt: skip
    with pytest.raises(StoreUnavailable):
        locate("", "")
    assert locate(None, "plugin") == os.path.join(here, "plugin", "data")
    assert locate("config", "plugin") == os.path.join(here, "config", "stash2plex")
    monkeypatch.setenv("STASH_PLUGIN_DATA", "theirs")
    assert locate("config", "plugin") == os.path.join(here, "theirs")
    monkeypatch.setenv("STASH2PLEX_DATA_DIR", "ours")
    assert locate("config", "plugin") == os.path.join(here, "ours")
    monkeypatch.setenv("STASH2PLEX_DATA_DIR", "")
    assert locate("config", "plugin") == os.path.join(here, "theirs")


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENAMETOOLONG, "Its path is too long: set STASH2PLEX_DATA_DIR to a shorter one."),
        (errno.ENOSPC, "Free some disk space."),
        (errno.EDQUOT, "Free some disk space."),
        (errno.EROFS, f"It is on a read-only file system. {ELSEWHERE}"),
        (errno.ELOOP, f"Its links point at each other. {ELSEWHERE}"),
        (
            errno.EACCES,
            "Make it writable for the user that runs Stash, or set STASH2PLEX_DATA_DIR.",
        ),
    ],
)
def test_why_a_folder_cannot_be_made(tmp_path, monkeypatch, number, fix):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "makedirs", refuse)
    folder = str(tmp_path / "a" / "stash2plex")
    with pytest.raises(StoreUnavailable) as caught:
        prepare(folder)
    assert caught.value.what == (
        f"The data folder “{folder}” cannot be created: {os.strerror(number)}."
    )
    assert caught.value.fix == fix


def test_an_error_without_a_number_is_shown_as_it_is(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("The lamp is out")

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(StoreUnavailable, match="cannot be created: The lamp is out") as caught:
        prepare(str(tmp_path / "stash2plex"))
    assert caught.value.fix == (
        "Make it writable for the user that runs Stash, or set STASH2PLEX_DATA_DIR."
    )


def test_a_path_that_is_too_long_is_not_tried(tmp_path):
    folder = os.path.join(str(tmp_path), *["l" * 99] * 5)
    with pytest.raises(StoreUnavailable) as caught:
        prepare(folder)
    assert caught.value.what == (
        f"The data folder “{folder}” cannot be created: SQLite opens no path of that length."
    )


def test_a_new_folder_is_for_its_user_alone(tmp_path):
    folder = tmp_path / "stash2plex"
    assert prepare(str(folder)) == str(folder / "stash2plex.db")
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_data_of_another_stash_are_refused_and_those_of_a_moved_one_are_not(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for one in (mine, other):
        one.mkdir()
        (one / "config.yml").write_text("")
    settings = str(other / "config.yml")
    for file, folder in (
        ("", str(mine)), (settings, ""), (settings, str(other)), (str(mine / "x"), str(mine)),
        (str(tmp_path / "gone" / "config.yml"), str(mine)), (settings, str(tmp_path / "none")),
        (str(other / "gone.yml"), str(mine)),
    ):  # fmt: skip
        check_owner("DATA", file, folder)
    check_owner("DATA", str(tmp_path / "mine" / ".." / "other" / "config.yml"), str(other))
    with pytest.raises(StoreUnavailable) as caught:
        check_owner("DATA", settings, str(mine))
    assert (caught.value.what, caught.value.fix) == (
        f"The data folder “DATA” belongs to the Stash with the settings “{settings}”.",
        "Give each Stash a STASH2PLEX_DATA_DIR of its own, or set none.",
    )


def test_temporary_files_go_into_the_data_folder_only_where_there_is_no_other(monkeypatch):
    usable = {"/somewhere"}
    monkeypatch.setattr(os, "access", lambda path, _: path in usable)
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, "/somewhere")
        keep_temporary_files("DATA")
        assert os.environ["SQLITE_TMPDIR" if name == "SQLITE_TMPDIR" else "TMPDIR"] == "/somewhere"
        monkeypatch.delenv(name)
    for folder in ("/tmp", "/usr/tmp", "/var/tmp"):
        usable.clear()
        usable.add(folder)
        keep_temporary_files("DATA")
        assert "SQLITE_TMPDIR" not in os.environ
    usable.clear()
    monkeypatch.setenv("SQLITE_TMPDIR", "/nowhere")
    keep_temporary_files("DATA")
    assert os.environ["SQLITE_TMPDIR"] == "DATA"


def test_the_stamp_of_a_file(tmp_path):
    file = tmp_path / "lamp"
    assert file_stamp(str(file)) == ""
    file.write_text("12345")
    os.utime(file, ns=(7, 1_000_000_017))
    assert file_stamp(str(file)) == "1000000017-5"


def test_the_stamp_of_the_code_is_that_of_all_modules(tmp_path):
    code = tmp_path / "stash2plex"
    (code / "rules").mkdir(parents=True)
    (code / "__pycache__").mkdir()
    for name, size, at in (
        ("rules/a.py", 3, 50), ("b.py", 4, 70), ("__pycache__/b.pyc", 99, 90), ("c.py", 5, 60),
    ):  # fmt: skip
        (code / name).write_bytes(b"x" * size)
        os.utime(code / name, ns=(1, at))
    # Without the version, it is being replaced.
    assert read_stamp(str(tmp_path)) is None
    (code / "version.py").write_bytes(b"x")
    os.utime(code / "version.py", ns=(1, 40))
    assert read_stamp(str(tmp_path)) == (70, 4, 13)
    (code / "rules" / "gone.py").symlink_to(code / "nothing")
    assert read_stamp(str(tmp_path)) is None


# -- copies -------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    return path


def test_copies_of_a_second_get_the_next_ones(stored, tmp_path):
    names = [make_copy(stored, 7, 1_800_000_000.0) for _ in range(3)]
    assert len(set(names)) == 3
    newest, middle, oldest = list_copies(str(tmp_path))
    assert [copy.made_at for copy in (newest, middle, oldest)] == [
        1_800_000_002.0, 1_800_000_001.0, 1_800_000_000.0,
    ]  # fmt: skip
    assert {copy.schema for copy in (newest, middle, oldest)} == {7}
    folder = tmp_path / "copies"
    for odd in ("notes.txt", "notes.part", f"{newest.name}.part", f"{oldest.name}.part"):
        (folder / odd).write_text("")
    drop_old_copies(str(tmp_path))
    assert sorted(os.listdir(folder)) == sorted(
        [newest.name, middle.name, "notes.txt", "notes.part"]
    )
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700
        assert os.stat(newest.path).st_mode & 0o777 == 0o600


def test_why_no_copy_was_made(stored, tmp_path, monkeypatch):
    class Full:
        f_bavail, f_frsize = 16, 1024 * 1024

    monkeypatch.setattr(os, "statvfs", lambda _: Full)
    size = os.path.getsize(stored)
    assert keep_copy(stored, 7, 1.0) == f"the disk has no room for {size:,} bytes"
    (tmp_path / "stash2plex.db-wal").write_bytes(b"x" * 1_000)
    assert keep_copy(stored, 7, 1.0) == f"the disk has no room for {size + 1_000:,} bytes"
    os.remove(tmp_path / "stash2plex.db-wal")
    Full.f_bavail, Full.f_frsize = 2 * size + 16 * 1024 * 1024 - 1, 1
    assert keep_copy(stored, 7, 1.0) == f"the disk has no room for {size:,} bytes"
    Full.f_bavail += 1
    assert keep_copy(stored, 7, 1.0) == ""
    os.rename(tmp_path / "copies", tmp_path / "away")
    (tmp_path / "copies").write_text("a file")
    assert keep_copy(stored, 7, 1.0) == os.strerror(errno.EEXIST)
