"""Edits of many at once, by the script that Stash runs as our hook, and what may be wrong then."""

from __future__ import annotations

import json
import os
import shutil
import socket
from typing import Any

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.oldhooks import write_process_archive
from stash2plex_testing.stash import packages
from stash2plex_testing.stash.criteria import StashError
from stash2plex_testing.world import ARCHIVE
from tests.harness.process import Stage, workers

TEXT_ONLY = {"skip_fields": "poster background"}
LOGIN = {"username": "keeper", "password": "lantern"}
BULK = "mutation Bulk($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"


def bulk_edit(stage: Stage, **fields: Any) -> list[int]:
    """Edit every scene at once; returns their ids."""
    ids = [scene.id for scene in stage.stash.scenes]
    stage.graphql(BULK, i={"ids": [str(id_) for id_ in ids], **fields})
    return ids


def shows(stage: Stage, title: str) -> bool:
    """Whether every item of Plex has this title."""
    return {item.title for item in stage.plex.all_items()} == {title}


def live(stage: Stage) -> int:
    """Have a save start the worker, and wait until it has nothing to do; returns its process id."""
    stage.edit(1, title="The worker lives")
    stage.until(lambda: "The worker lives" in {item.title for item in stage.plex.all_items()})
    stage.until(lambda: stage.rows("SELECT 1 FROM queue") == [])
    ((pid,),) = stage.rows("SELECT pid FROM drain")
    stage.stash.clear_log()
    return pid


def modes(stage: Stage) -> list[str]:
    """List what processes of the plugin were started for."""
    return [doing for _, doing in stage.stash.processes]


def errors(stage: Stage) -> list[str]:
    return [line.message for line in stage.stash.log if line.level == "error"]


def test_a_client_that_leaves_loses_nothing(make_stage):
    stage = make_stage(40, settings=TEXT_ONLY)
    live(stage)
    ids = [str(scene.id) for scene in stage.stash.scenes]
    body = json.dumps({"query": BULK, "variables": {"i": {"ids": ids, "title": "Kept"}}}).encode()
    head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stage.stash.port)) as connection:
        connection.sendall(f"POST /graphql HTTP/1.1\r\n{head}".encode() + body)
        stage.until(lambda: modes(stage) == ["record"])
    stage.until(lambda: any(run.killed for run in stage.stash.hook_runs))
    assert len(stage.stash.hook_runs) < len(ids)
    stage.until(lambda: stage.rows("SELECT 1 FROM queue") == [] and not stage.wrong())
    assert {scene.title for scene in stage.stash.scenes} == {"Kept"}
    assert modes(stage) == ["record"]


# -- what is broken, saves all the same ---------------------------------------------------


def test_while_our_plugin_is_disabled_a_save_saves_and_the_log_names_it(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    stage.stash.plugins.disabled.add("Stash2Plex")
    bulk_edit(stage, title="Kept")
    assert {scene.title for scene in stage.stash.scenes} == {"Kept"}
    theirs, ours = errors(stage)
    assert "plugin Stash2Plex is disabled" in theirs
    assert "A change was not recorded" in ours
    assert "Health Check" in ours
    assert modes(stage) == []


def test_while_its_hooks_are_disabled_nothing_is_logged_and_a_look_finds_the_change(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    stage.run_task("Sync All Scenes")
    stage.stash.clear_log()
    stage.stash.plugins.disabled.add("Stash2PlexHooks")
    bulk_edit(stage, title="Kept")
    assert errors(stage) == []
    assert modes(stage) == []
    stage.run_task("Sync Recent Scenes")
    assert stage.wrong() == []


@pytest.mark.parametrize("fault", ["missing", "broken"])
def test_with_a_python_that_is_gone_or_broken_a_save_saves(make_stage, fault, tmp_path):
    stage = make_stage(3, settings=TEXT_ONLY)
    program = tmp_path / "python3"
    if fault == "broken":
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o755)
    stage.stash.plugins.python = str(program)
    bulk_edit(stage, title="Kept")
    assert {scene.title for scene in stage.stash.scenes} == {"Kept"}
    assert len(errors(stage)) == 2
    assert "A change was not recorded" in errors(stage)[1]


def test_a_damaged_script_is_an_error_line_and_a_save_saves(make_stage):
    stage = make_stage(2, settings=TEXT_ONLY)
    script = os.path.join(stage.stash.plugins_dir, "Stash2Plex", "Stash2PlexHooks.js")
    with open(script, "w", encoding="utf-8") as file:
        file.write("var = ;")
    stage.edit(1, title="Kept")
    assert stage.stash.scenes[0].title == "Kept"
    assert ["SyntaxError" in line for line in errors(stage)] == [True]


# -- a password ---------------------------------------------------------------------------


def test_with_a_password_the_worker_gets_the_session_of_the_save(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY, **LOGIN)
    bulk_edit(stage, title="By the first save")
    assert modes(stage) == ["record", "session"]
    stage.until(lambda: shows(stage, "By the first save"))
    stage.stash.clear_log()
    bulk_edit(stage, title="By the second")
    assert modes(stage) == ["record"]
    stage.until(lambda: shows(stage, "By the second"))
    # The next worker needs a log-in again, and it is asked for at once.
    stage.end_worker()
    stage.stash.clear_log()
    bulk_edit(stage, title="By the third")
    assert modes(stage) == ["record", "session"]
    stage.until(lambda: shows(stage, "By the third"))
    assert errors(stage) == []


def test_without_a_password_no_second_call_is_made_once_that_is_known(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    live(stage)
    stage.end_worker()
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    stage.stash.clear_log()
    bulk_edit(stage, title="Kept")
    assert modes(stage) == ["record"]
    stage.until(lambda: shows(stage, "Kept"))


def test_a_save_after_a_password_was_set_goes_out_though_the_worker_lives(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    first = live(stage)
    stage.stash.set_password("keeper", "lantern")
    stage._password = True
    bulk_edit(stage, title="By the session of this save")
    stage.until(lambda: shows(stage, "By the session of this save"))
    ((second,),) = stage.rows("SELECT pid FROM drain")
    assert first != second
    assert errors(stage) == []
    stage.until(lambda: len(workers(stage.data_dir)[0]) == 1)


def test_a_worker_that_finds_an_api_key_goes_on_and_no_successor_stays(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY, api_key="one")
    first = live(stage)
    stage.stash.set_password("keeper", "lantern")
    stage._password = True
    bulk_edit(stage, title="By the key")
    stage.until(lambda: shows(stage, "By the key"))
    assert stage.rows("SELECT pid FROM drain") == [(first,)]
    # The worker has read the changed settings, so nobody waits for its end any more.
    stage.until(lambda: workers(stage.data_dir)[0] == [first])


def test_no_log_at_any_level_shows_the_session_though_the_hand_over_fails(make_stage, monkeypatch):
    stage = make_stage(3, settings=TEXT_ONLY, **LOGIN)
    sealed: list[str] = []
    seal, run = stage.stash.sessions.seal, stage.stash.plugins._run

    def remember(session: Any) -> str:
        value: str = seal(session)
        if session.user:
            sealed.append(value)
        return value

    def fail(manifest: Any, exec_args: Any, args: Any, *more: Any, **named: Any) -> Any:
        if args.get("mode") == "session":
            raise StashError("error running plugin: fork/exec: no such file or directory")
        return run(manifest, exec_args, args, *more, **named)

    monkeypatch.setattr(stage.stash.sessions, "seal", remember)
    monkeypatch.setattr(stage.stash.plugins, "_run", fail)
    bulk_edit(stage, title="Recorded")
    logged = "\n".join(line.message for line in stage.stash.log)
    assert '"mode":"session"' in logged
    assert sealed
    assert not any(value in logged for value in sealed)
    assert not any(json.dumps([ord(one) for one in value])[1:40] in logged for value in sealed)
    assert "the background worker was not started" in errors(stage)[-1]
    assert stage.rows("SELECT count(*) FROM queue") == [(3,)]
    assert not drain_runs(stage.data_dir)
    monkeypatch.undo()
    bulk_edit(stage, title="By the next save")
    stage.until(lambda: shows(stage, "By the next save"))


# -- updates ------------------------------------------------------------------------------


@pytest.fixture
def old_archive(tmp_path: Any) -> str:
    folder = tmp_path / "old"
    folder.mkdir()
    path = str(folder / "Stash2Plex.zip")
    write_process_archive(ARCHIVE, path)
    return path


def unpack(stage: Stage, archive: str) -> None:
    """Do the first half of an update: the files are new, and Stash has not read them yet."""
    packages.install(archive, stage.stash.plugins_dir, "", stage.stash.library.now())


def test_an_update_to_the_script_loses_nothing_with_a_living_worker(make_stage, old_archive):
    stage = make_stage(4, settings=TEXT_ONLY)
    shutil.rmtree(os.path.join(stage.stash.plugins_dir, "Stash2Plex"))
    stage.stash.install(old_archive)
    live(stage)
    bulk_edit(stage, title="By processes")
    assert modes(stage) == ["Scene.Update.Post"] * 4
    unpack(stage, ARCHIVE)
    stage.stash.clear_log()
    bulk_edit(stage, title="In between")
    assert modes(stage) == ["Scene.Update.Post"] * 4
    stage.until(lambda: shows(stage, "In between"))
    stage.stash.plugins.reload()
    stage.stash.clear_log()
    bulk_edit(stage, title="By the script")
    assert modes(stage) == ["record"]
    stage.until(lambda: shows(stage, "By the script"))
    assert errors(stage) == []


def test_the_way_back_loses_nothing_that_a_look_does_not_find(make_stage, old_archive):
    stage = make_stage(4, settings=TEXT_ONLY)
    live(stage)
    unpack(stage, old_archive)
    stage.stash.clear_log()
    bulk_edit(stage, title="In between")
    # The script is gone, and Stash still believes in it.
    assert {scene.title for scene in stage.stash.scenes} == {"In between"}
    assert modes(stage) == []
    assert all("failed to read file" in line for line in errors(stage))
    stage.stash.plugins.reload()
    stage.stash.clear_log()
    stage.edit(1, title="By a process")
    assert modes(stage) == ["Scene.Update.Post"]
    stage.run_task("Sync Recent Scenes")
    assert stage.wrong() == []
    assert os.listdir(stage.stash.plugins_dir) == ["Stash2Plex"]
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    assert [name for name in os.listdir(folder) if "Hooks" in name] == []
