"""Whole sentences and whole lists: news of outages, path rules, trouble and outages themselves."""

from __future__ import annotations

import io
import logging
import os
import sys

import pytest

from stash2plex.errors import Refused, Unavailable
from stash2plex.operations.notifications import (
    log_notifications,
    missing_line,
    notification_lines,
    notify_stash,
)
from stash2plex.operations.outages import outage_report
from stash2plex.operations.settings import problems_of
from stash2plex.text import local, utc
from tests.harness.in_process import Heard
from tests.page.conftest import Page
from tests.page.test_whole_answers import watched_from_now

DAY = 86_400.0


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    watched_from_now(desk)
    return desk


def outage(desk, server, start, end, cause, kind="unavailable", *, cured=0, waiting=0):
    """Store an outage; its times are counted from now."""
    now = desk.clock()
    desk.app.store.connection.execute(
        "INSERT INTO outage (server, started_at, ended_at, cause, waiting, kind, cured)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (server, now + start, None if end is None else now + end, cause, waiting, kind, cured),
    )


def lines(desk, since=0.0):
    return notification_lines(desk.app.store.connection, since, desk.clock())


# -- news ---------------------------------------------------------------------------------


def test_three_outages_have_a_line_each_and_four_are_summed_up(desk):
    now = desk.clock()
    for number in range(3):
        start = 1000.0 * (number - 3)
        outage(desk, "stash", start, start + 100.0, f"Cause {number}.")
    assert lines(desk) == [
        f"Stash was out of reach from {local(now + start)} for 1 min 40 s. What waited is sent "
        f"now. Cause {number}."
        for number, start in enumerate((-3000.0, -2000.0, -1000.0))
    ]
    outage(desk, "stash", -50.0, None, "Cause 3.")
    outage(desk, "plex", -40.0, None, "Plex rests.")
    outage(desk, "plex", -500.0, -400.0, "No.", cured=1)
    assert lines(desk) == [
        f"Plex is out of reach since {local(now - 40.0)}. Nothing is lost. Plex rests.",
        (
            f"Stash was out of reach 4 times since {local(now - 3000.0)}, 5 min 50 s in all; the "
            "last time: Cause 3."
        ),
    ]


def test_news_are_what_began_or_ended_after_the_last_time(desk):
    now = desk.clock()
    outage(desk, "plex", -1000.0, -500.0, "Plex rests.")
    (line,) = lines(desk, now - 501.0)
    assert lines(desk, now - 500.0) == []
    assert lines(desk, now - 1000.5) == [line]
    outage(desk, "plex", -300.0, None, "Plex rests again.")
    assert len(lines(desk, now - 301.0)) == 1
    assert lines(desk, now - 300.0) == []


def test_scenes_that_were_given_up_and_held_since_are_news(desk):
    now = desk.clock()
    queue = desk.app.store.queue
    queue.add_many([("scene", 1)])
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="Pier", reason="ambiguous", error="Two fit.")
    desk.clock.step(100)
    assert lines(desk, now + 50.0) == []
    (line,) = lines(desk, now - 1.0)
    assert line == (
        f"1 scene given up since {local(now - 1.0)}: 1 because several Plex items fit (scene 1 "
        "“Pier”). “Health Check” shows what to do."
    )
    begun = desk.app.store.runs.begin("Process Queue", None, 20.0)
    queue.enqueue([("scene", 2)], run_id=begun.id)
    desk.app.store.runs.stop(begun.id)
    stopped = desk.clock()
    assert lines(desk, stopped) == []
    (line,) = lines(desk, stopped - 1.0)
    assert line == (
        f"“Process Queue” was stopped at {local(stopped)}; 1 scene waits until you ask for them "
        "again: press “Process Queue”."
    )
    # Only what was given up since is counted.
    desk.clock.step(5)
    queue.add_many([("scene", 3)])
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="Quay", reason="rejected", error="No.")
    (line,) = lines(desk, stopped)
    assert line == (
        f"1 scene given up since {local(stopped)}: 1 because a server does not accept what was "
        "sent (scene 3 “Quay”). “Health Check” shows what to do."
    )


def test_what_is_newly_missing_in_plex(desk):
    db = desk.app.store.connection
    assert missing_line(db) is None
    scan = "Scan the library in Plex, or turn on Trigger Plex scan; what Plex then has is sent."
    desk.item("other.mp4")
    desk.drain(desk.scene("a.mp4", title="100% Pier"))
    assert missing_line(db) == f"1 scene is not in Plex yet (scene 1 “100% Pier”). {scan}"
    logger = logging.getLogger("test_page_words")
    heard = Heard()
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    log_notifications(db, logger, desk.clock() + 1.0, folder=desk.app.folder)
    log_notifications(db, logger, desk.clock() + 2.0, folder=desk.app.folder)
    logger.removeHandler(heard)
    assert heard.lines == [f"1 scene is not in Plex yet (scene 1 “100% Pier”). {scan}"]


def test_a_hook_writes_news_that_the_consoles_letters_lack(desk, monkeypatch):
    desk.item("other.mp4")
    desk.drain(desk.scene("a.mp4", title="Pier \udcff"))
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, encoding="ascii"))
    notify_stash(f"{desk.app.folder}/stash2plex.db")
    sys.stderr.flush()
    text = written.getvalue().decode("utf-8")
    assert "1 scene is not in Plex yet (scene 1 “Pier " in text


# -- outages ------------------------------------------------------------------------------


def test_the_whole_report_of_outages(desk):
    desk.clock.step(10 * DAY)
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex rests."), 1)
    start = desk.clock()
    desk.app.store.breakers["stash"].failed(Refused("Stash", "Stash wants a log-in."), 1)
    desk.app.store.breakers["stash"].reset()
    desk.clock.step(50.4)
    outage(desk, "stash", -2 * DAY, -2 * DAY + 600.6, "Stash rests.", waiting=4)
    desk.app.store.queue.add_many([("scene", 1), ("scene", 2)])
    desk.app.store.queue.add("scene", 3, delay=0.5)
    report = outage_report(desk.app)
    (current,) = report["current"]
    probe = current.pop("next_probe_at")
    assert current == {
        "server": "plex", "started_at": utc(start), "seconds": 50, "kind": "unavailable",
        "cause": "Plex rests.", "waiting": 2,
    }  # fmt: skip
    assert probe > utc(start)
    assert report["total"] == 3
    by_cause = {one["cause"]: one for one in report["outages"]}
    assert by_cause["Stash rests."] == {
        "server": "stash", "started_at": utc(desk.clock() - 2 * DAY),
        "ended_at": utc(desk.clock() - 2 * DAY + 600.6), "seconds": 601, "kind": "unavailable",
        "cause": "Stash rests.", "cured": False, "waiting": 4,
    }  # fmt: skip
    assert by_cause["Stash wants a log-in."]["cured"] is True
    assert by_cause["Plex rests."]["ended_at"] is None
    assert outage_report(desk.app, 1)["total"] == 3
    assert len(outage_report(desk.app, 1)["outages"]) == 1
    days = report["days"]
    assert [day["date"] for day in days[-3:]] == [
        utc(desk.clock() - back * DAY)[:10] for back in (2, 1, 0)
    ]
    assert [(day["outages"], day["plex"]) for day in days[-3:-1]] == [(1, 1.0), (0, 1.0)]
    assert days[-3]["stash"] == round(1 - 600.6 / DAY, 6)
    assert days[-1]["outages"] == 2
    assert days[0] == {**days[0], "plex": None, "stash": None, "outages": 0}


def test_twenty_outages_are_listed(desk):
    for number in reversed(range(22)):
        outage(desk, "plex", -1000.0 * number - 100.0, -1000.0 * number - 50.0, f"{number}.")
    report = outage_report(desk.app)
    assert (report["total"], len(report["outages"])) == (22, 20)
    assert report["outages"][0]["cause"] == "0."


# -- trouble ------------------------------------------------------------------------------


def test_the_second_server_has_a_card_where_the_first_one_works(desk):
    for _ in range(3):
        desk.app.store.breakers["stash"].failed(Unavailable("Stash", "Stash rests."), 1)
    (card,) = Page(desk.app).call("trouble")["cards"]
    assert (card["kind"], card["name"], card["what"], card["since"]) == (
        "server", "stash", "Stash rests.", utc(desk.clock()),
    )  # fmt: skip


def test_dead_letters_begin_with_the_newest(desk):
    queue = desk.app.store.queue
    queue.add_many([("scene", number) for number in (1, 2, 3)])
    for claim in queue.claim(3, 60.0):
        desk.clock.step(10)
        queue.bury(claim, title=f"Pier {claim.id}", reason="rejected", error="No.")
    shown = Page(desk.app).call("dead_letters")
    assert [one["scene_id"] for one in shown["items"]] == [3, 2, 1]
    (group,) = shown["groups"]
    assert (group["total"], group["last_failed_at"]) == (3, utc(desk.clock()))


def test_a_setting_that_is_not_known_is_shown_in_part():
    assert problems_of({"x" * 70: 1, "max_tags": 0, "max_retries": "no"}) == [
        {"key": "x" * 60, "what": "There is no such setting."},
        {"key": "max_retries", "what": problems_of({"max_retries": "no"})[0]["what"]},
    ]


# -- paths --------------------------------------------------------------------------------


def test_paths_before_anything_is_found_and_without_a_rule(make_desk):
    desk = make_desk()
    assert Page(desk.app).call("paths") == {
        "source": "worked_out", "rules": [], "words": "No file was found in Plex yet.",
        "examples": [], "matched": 0, "total": 0, "scenes": 0, "as_of": utc(desk.clock()),
        "missing": [], "missing_total": 0, "problem": None,
    }  # fmt: skip


def test_paths_of_files_that_are_found_without_a_rule(make_desk):
    desk = make_desk()
    desk.scene("1.mp4", title="Lantern")
    desk.item("1.mp4")
    shown = Page(desk.app).call("paths")
    assert (shown["rules"], shown["words"], shown["matched"]) == (
        [], "Files are found without a rule.", 1,
    )  # fmt: skip
    (example,) = shown["examples"]
    assert example == {
        "scene_id": 1, "title": "Lantern", "stash": "/data/1.mp4", "plex": "/media/1.mp4",
        "stash_root": "/data", "plex_root": "/media",
    }  # fmt: skip


def test_examples_of_paths_are_from_different_folders_and_twenty_folders_are_missing(make_desk):
    desk = make_desk()
    desk.plex.add_section("Attic", locations=["/attic"])
    for number in range(4):
        desk.scene(f"pier/{number}.mp4", size=10 + number, title=f"Pier {number}")
        desk.item(f"pier/{number}.mp4", size=10 + number)
    for number in range(23):
        for extra in range(2 if number < 2 else 1):
            desk.scene(f"lost {number:02}/{extra}.mp4", size=900 + 2 * number + extra)
    shown = Page(desk.app).call("paths", path_map="/data=>/media")
    assert shown["rules"] == [{"stash": "/data", "plex": "/media", "files": None}]
    assert (shown["matched"], shown["missing_total"], len(shown["missing"])) == (4, 25, 20)
    assert sorted(one["folder"] for one in shown["missing"][:2]) == [
        "/data/lost 00", "/data/lost 01",
    ]  # fmt: skip
    assert [one["scenes"] for one in shown["missing"]] == [2, 2, *[1] * 18]
    assert len(shown["examples"]) == 3


def test_where_standard_error_is_no_file_the_news_are_written_as_they_are(make_desk, monkeypatch):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"))
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    notify_stash(os.path.join(desk.app.folder, "stash2plex.db"))
    assert "a.mp4" in shown.getvalue()
