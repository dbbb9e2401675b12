"""What the hook and the entry script decide, asked in this process."""

from __future__ import annotations

import importlib
import io
import json
import sys
import time

import pytest

from stash2plex import bytecode, hook, plugin
from stash2plex.datadir import file_stamp, prepare
from stash2plex.db import SETTINGS_FILE, connect, set_meta
from stash2plex.store.notices import note_trouble

EDIT = {"hook": "Scene.Update.Post", "ids": [1, 2, 3], "fields": ["title"]}
UNSEEN = {**EDIT, "mode": "record", "fields": ["o_counter"]}


def test_the_keys_of_a_larger_edit_wait_for_its_other_hooks():
    keys, delay = hook.read_edit(EDIT)
    assert keys == [("scene", 1), ("scene", 2), ("scene", 3)]
    assert delay == hook.edit_delay(3) > 0


def test_new_scenes_wait_longer_than_an_edit_of_few():
    _, delay = hook.read_edit({**EDIT, "hook": "Scene.Create.Post"})
    assert delay == max(hook.COVER_DELAY, hook.edit_delay(3))


@pytest.mark.parametrize(
    ("seen", "path"),
    [("17-2 /config/a b.yml", "/config/a b.yml"), ("17-2", ""), ("", ""), (None, "")],
)
def test_the_path_of_the_settings_file(seen, path):
    assert hook.settings_path(seen) == path


@pytest.mark.parametrize("stamp", ["now", "older"])
def test_a_trouble_waits_until_a_changed_setting_was_tried(tmp_path, stamp):
    path = prepare(str(tmp_path))
    settings = tmp_path / "config.yml"
    settings.write_text("plugins: {}\n")
    database = connect(path)
    seen = file_stamp(str(settings)) if stamp == "now" else "1-1"
    set_meta(database, SETTINGS_FILE, f"{seen} {settings}")
    note_trouble(database, "The Plex token is wrong.")
    database.close()
    stored = hook._store(path, str(tmp_path), [("scene", 1)], 0.0, time.monotonic())
    assert stored.settings_changed is (stamp == "older")
    assert stored.has_notices is (stamp == "now")


def test_the_script_gets_the_answer_of_a_record(tmp_path):
    answer = plugin.answer_script({"args": UNSEEN}, str(tmp_path))
    assert answer == {"recorded": 0, "error": None, "session": None}


def test_a_request_uses_the_data_folder_beside_the_settings(tmp_path, monkeypatch, capfd):
    for name in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
        monkeypatch.delenv(name, raising=False)
    folders = []
    monkeypatch.setattr(bytecode, "keep_in", lambda folder, _: folders.append(folder))
    request = {
        "server_connection": {"Dir": str(tmp_path / "config")},
        "args": {"mode": "status", "stored": True},
    }
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(request).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert plugin.main([], str(tmp_path / "plugin")) == 0
    assert "output" in json.loads(capfd.readouterr().out)
    assert folders == [str(tmp_path / "config" / "stash2plex")]


@pytest.fixture
def loading(monkeypatch):
    """Let a test start the loader of modules, and take it out again."""
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    monkeypatch.setattr(sys, "path_importer_cache", dict(sys.path_importer_cache))
    monkeypatch.setattr(sys, "pycache_prefix", sys.pycache_prefix)
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in sys.modules.keys() - before:
        del sys.modules[name]


def compiled(folder):
    return {one.name.partition(".")[0] for one in folder.rglob("*.pyc")}


@pytest.mark.usefixtures("loading")
def test_compiled_files_are_kept_once_the_data_folder_is_known(tmp_path):
    ours, data, other = (tmp_path / name for name in ("plugin", "data", "plugins_of_others"))
    for folder, name in ((ours, "lantern_one"), (ours, "lantern_two"), (other, "lantern_three")):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text("LIT = True\n")
    sys.path[:0] = [str(ours), str(other)]
    bytecode.start(str(ours), str(tmp_path / "no_data" / "bytecode"))
    sys.dont_write_bytecode = False
    assert importlib.import_module("lantern_one").LIT
    assert compiled(tmp_path) == set()
    bytecode.keep_in(str(data), str(ours))
    assert importlib.import_module("lantern_two").LIT
    assert compiled(data / bytecode.FOLDER) == {"lantern_two"}
    assert importlib.import_module("lantern_three").LIT
    assert compiled(data / bytecode.FOLDER) == {"lantern_two"}
    assert compiled(other) == {"lantern_three"}


@pytest.mark.usefixtures("loading")
@pytest.mark.parametrize("database", [True, False])
def test_a_data_folder_without_compiled_files_is_known_by_its_database(tmp_path, database):
    ours, data = tmp_path / "plugin", tmp_path / "data"
    for folder in (ours, data):
        folder.mkdir()
    if database:
        (data / "stash2plex.db").touch()
    (ours / "lantern_four.py").write_text("LIT = True\n")
    sys.path.insert(0, str(ours))
    bytecode.start(str(ours), str(data / bytecode.FOLDER))
    sys.dont_write_bytecode = False
    assert importlib.import_module("lantern_four").LIT
    assert compiled(data) == ({"lantern_four"} if database else set())
    assert bytecode.folder_in_use() == (str(data / bytecode.FOLDER) if database else None)


def test_a_program_that_imports_us_has_no_folder_of_compiled_files(monkeypatch):
    monkeypatch.setattr(sys, "path_hooks", [lambda _: None])
    assert bytecode.folder_in_use() is None
