"""Commands that send are runs with their names, and report what they sent."""

from __future__ import annotations

from contextlib import closing

from stash2plex.db import connect


def test_each_command_that_sends_is_a_run_with_its_name(desk):
    for words in (["process"], ["sync", "--scene", "1"], ["undo", "--all"], ["reconcile"]):
        assert desk.run(*words)[0] == 0
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        rows = database.execute(
            "SELECT name, state FROM run WHERE name <> '' ORDER BY id"
        ).fetchall()
    assert rows == [
        ("stash2plex process", "ended"),
        ("stash2plex sync", "ended"),
        ("stash2plex undo", "ended"),
        ("stash2plex reconcile", "ended"),
    ]


def test_chosen_and_recent_scenes_are_sent_and_counted(desk):
    code, out, err = desk.run("sync", "--scene", "1", "--scene", "2")
    assert code == 0
    assert "2 scenes" in err
    assert "2 scenes in sync" in out
    code, out, err = desk.run("sync", "--recent")
    assert code == 0
    assert "4 scenes" in err
    assert "4 scenes in sync" in out


def test_what_was_compared_is_shown_before_what_was_sent(desk):
    desk.run("sync", "--all")
    item = desk.plex.all_items()[0]
    item.title = "Somebody's words"
    code, out, _ = desk.run("reconcile")
    assert code == 0
    compared, _, sent = out.partition("scene in sync after")
    assert sent
    assert "1 " in compared
