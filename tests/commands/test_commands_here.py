"""Each command's answer to the letter, in words and as JSON."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing

import pytest

from stash2plex.db import connect
from stash2plex.operations.health.checks import SKIPPED
from stash2plex.store.queue import Queue

DAY = 86_400.0


def bury(desk, number, reason="ambiguous", age=0.0, kind="scene"):
    """Give up on a key, that many seconds ago."""
    desk.run("operation", "status", "stored=true")
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        queue = Queue(database, lambda: time.time() - age)
        queue.add(kind, number)
        (claim,) = [claim for claim in queue.claim(99, 60.0) if claim.id == number]
        queue.bury(claim, title=f"Pier {number}", reason=reason, error="It failed.", path="")


def queued(desk):
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        return [id_ for (id_,) in database.execute("SELECT id FROM queue ORDER BY id")]


def as_json(desk, *words, code=0):
    """Type a command with --json; returns its output."""
    ended, out, err = desk.run(*words, "--json")
    assert ended == code, err
    return json.loads(out)


def test_a_comparison_that_only_looks_changes_nothing(desk):
    value = as_json(desk, "reconcile", "--dry-run")
    assert (value["scenes"], value["queued"], value["drained"]) == (6, 6, None)
    code, out, _ = desk.run("reconcile", "--dry-run")
    assert (code, "6 scenes" in out) == (0, True)
    assert queued(desk) == []
    assert desk.plex.count("PUT") == 0


def test_a_comparison_sends_what_it_finds_and_its_report_is_kept(desk):
    assert desk.run("reconcile", "--last")[1] == "Nothing was reconciled yet.\n"
    assert as_json(desk, "reconcile", "--last") is None
    value = as_json(desk, "reconcile")
    assert value["queued"] == 6
    assert (value["drained"]["done"], value["drained"]["failed"]) == (6, 0)
    assert queued(desk) == []
    again = as_json(desk, "reconcile")
    assert (again["queued"], again["in_sync"], again["drained"]) == (0, 6, None)
    assert as_json(desk, "reconcile", "--last")["in_sync"] == 6
    assert "6 scenes" in desk.run("reconcile", "--last")[1]


def test_a_comparison_in_words_shows_its_report_and_what_was_sent(desk):
    code, out, _ = desk.run("reconcile", "--scope", "recent")
    assert code == 0
    report, *_, summary = out.splitlines()
    assert "6 scenes" in report
    assert re.fullmatch(r"6 scenes in sync after .+\.", summary)


def test_a_comparison_ends_with_the_code_of_its_error(desk):
    desk.run("sync", "--all")
    desk.plex.down()
    assert desk.run("reconcile", "--dry-run")[0] == desk.run("reconcile")[0] == 3


def test_scenes_are_chosen_in_one_way(desk):
    for words in ([], ["--all", "--recent"], ["--all", "--scene", "1"]):
        code, _, err = desk.run("sync", *words)
        assert (code, err) == (
            2,
            "stash2plex: Choose the scenes with one of --all, --recent, or --scene ID.\n",
        )


@pytest.mark.parametrize(
    ("words", "number"), [(["--all"], 6), (["--recent"], 6), (["--scene", "2"], 1)]
)
def test_a_sync_that_only_looks_and_one_that_sends(desk, words, number):
    value = as_json(desk, "sync", *words, "--dry-run")
    assert (value["seen"], value["changing"]) == (number, number)
    assert (queued(desk), desk.plex.count("PUT")) == ([], 0)
    value = as_json(desk, "sync", *words)
    assert (value["done"], value["failed"], value["later"]) == (number, 0, 0)


def test_recent_is_the_last_day(desk):
    for scene in desk.stash.scenes[2:]:
        scene.updated_at = "2020-01-01T00:00:00Z"
    assert as_json(desk, "sync", "--recent", "--dry-run")["seen"] == 2
    assert as_json(desk, "sync", "--recent")["done"] == 2


def test_process_names_what_is_due_and_from_where(desk):
    desk.run("operation", "sync", "scene_ids=[1,2]")
    code, out, err = desk.run("process")
    assert code == 0
    assert re.fullmatch(r"2 scenes in sync after .+\.\n", out)
    assert err.splitlines()[0].startswith("2 scenes are due already")


def test_dead_letters_by_their_reason(desk):
    bury(desk, 11)
    bury(desk, 12, reason="rejected", age=60.0)
    bury(desk, 13, reason="rejected")
    page = as_json(desk, "dlq", "list", "--reason", "rejected")
    assert [group["reason"] for group in page["groups"]] == ["rejected"]
    assert [letter["scene_id"] for letter in page["items"]] == [13, 12]
    page = as_json(desk, "dlq", "list", "--limit", "1", "--offset", "1", "--reason", "rejected")
    assert [letter["scene_id"] for letter in page["items"]] == [12]
    assert page["total"] == 2
    assert desk.run("dlq", "list")[1].splitlines()[-1] == "3 dead letters in all."
    assert as_json(desk, "dlq", "retry", "--reason", "rejected") == {"changed": 2}
    assert queued(desk) == [12, 13]
    assert as_json(desk, "dlq", "discard", "--reason", "rejected") == {"changed": 0}
    assert as_json(desk, "dlq", "discard", "--scene", "11") == {"changed": 1}


def test_dead_letters_are_chosen_in_one_way(desk):
    for verb in ("retry", "discard"):
        for words in ([], ["--all", "--scene", "1"], ["--all", "--reason", "fault"]):
            code, _, err = desk.run("dlq", verb, *words)
            assert code == 2
            assert "Choose the dead letters with one of --scene ID, --reason, or --all." in err


def test_dead_letters_of_an_outage_and_old_ones(desk):
    bury(desk, 11, reason="unavailable")
    bury(desk, 12, age=31 * DAY)
    bury(desk, 13, age=29 * DAY)
    assert desk.run("dlq", "recover")[1] == "Put 1 dead letter back into the queue.\n"
    assert as_json(desk, "dlq", "purge") == {"changed": 1}
    assert as_json(desk, "dlq", "purge", "--days", "28") == {"changed": 1}
    assert desk.run("dlq", "discard", "--all")[1] == "Removed 0 dead letters.\n"


def test_a_dead_letter_of_another_kind_is_named_with_it(desk):
    bury(desk, 5, kind="studio", reason="fault")
    code, _, err = desk.run("dlq", "show", "5")
    assert (code, err) == (
        2,
        "stash2plex: scene:5 is not a dead letter; “dlq list” shows those that are.\n",
    )
    code, out, _ = desk.run("dlq", "show", "5", "--kind", "studio")
    assert (code, out.splitlines()[0]) == (0, "studio:5 “Pier 5”")
    assert as_json(desk, "dlq", "show", "5", "--kind", "studio")["kind"] == "studio"


def test_an_operation_takes_its_arguments_as_json_or_text(desk):
    desk.run("sync", "--all")
    assert as_json(desk, "operation", "scene", "scene_id=1")["scene_id"] == 1
    assert as_json(desk, "operation", "dead_letters", "search=Quay")["total"] == 0
    code, _, err = desk.run("operation", "status", "lantern")
    assert (code, err) == (
        2,
        "stash2plex: 'lantern' does not have the form NAME=VALUE.\n",
    )
    _, out, _ = desk.run("operation", "clear_queue")
    assert out == "Nothing was waiting.\n"


def test_a_scene_is_explained_in_lines(desk):
    desk.run("sync", "--all")
    code, out, _ = desk.run("scene", "1")
    assert code == 0
    assert out.splitlines()[0].startswith("Scene 1 ")
    assert as_json(desk, "scene", "1")["state"] == "in_sync"


def test_health_without_stash_or_without_a_database_goes_on(desk):
    desk.stash.down()
    checks = {check["name"]: check for check in as_json(desk, "health", code=3)["checks"]}
    assert checks["Stash"]["state"] == "failed"
    assert {check["state"] for check in checks.values()} == {"passed", "failed", "skipped"}


def test_plex_is_checked_while_stash_is_away_where_its_address_is_given(desk, monkeypatch):
    desk.run("sync", "--all")
    monkeypatch.setenv("STASH2PLEX_PLEX_URL", desk.plex.url)
    monkeypatch.setenv("STASH2PLEX_PLEX_TOKEN", desk.plex.token)
    monkeypatch.setenv("STASH2PLEX_PLEX_LIBRARY", desk.section.title)
    desk.stash.stop()
    code, out, _ = desk.run("health", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 3
    assert checks["Plex"]["ok"]
    assert checks["edit rights"]["ok"]
    assert checks["matches"]["state"] == SKIPPED
    assert "Stash" in checks["matches"]["detail"]


def test_the_history_names_what_was_written(desk):
    desk.run("sync", "--scene", "1")
    rows = as_json(desk, "history", "--scene", "1")
    assert rows["total"] == 1
    code, out, _ = desk.run("history", "--scene", "1")
    first, *fields, total = out.splitlines()
    assert code == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d, scene 1, Plex item 1, task \(run 1\):", first)
    assert "  summary: nothing → “A quiet walk along the water.”" in fields
    assert total == "1 write in all."


def test_an_undo_that_only_counts_and_an_unknown_shell(desk):
    desk.run("sync", "--scene", "1")
    assert as_json(desk, "undo", "--all", "--dry-run")["queued"] == 1
    assert queued(desk) == []
    assert desk.run("completion", "lantern")[0] == 2
