"""Whole screens, letter by letter and in colours, and all that Prometheus reads."""

from __future__ import annotations

import io

from rich.console import Console

from stash2plex.operations.health.checks import Check, failed, passed
from stash2plex.store.metrics import Histogram, Metrics
from stash2plex.store.outages import Outage
from stash2plex.ui.prometheus import prometheus_text
from stash2plex.ui.screens import health_screen, outages_screen, status_screen
from tests.unit.test_whole_lines import AT, CHECKS, FULL, QUIET, changed

WORKS = {"state": "closed", "since": None, "reason": "", "refused": False}


def drawn(renderable, width=100):
    shown = io.StringIO()
    Console(file=shown, width=width, legacy_windows=False).print(renderable)
    return [line.rstrip() for line in shown.getvalue().splitlines()]


def coloured(renderable, width=100):
    """Return what has a style, as the style and the words in it."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard",
        legacy_windows=False,
    )  # fmt: skip
    return [
        (str(segment.style), segment.text.strip())
        for segment in console.render(renderable, console.options)
        if segment.text.strip() and segment.style and str(segment.style) != "none"
    ]


def test_a_whole_status():
    bar, *lines = drawn(status_screen(FULL, str))
    # 9 of 1,212 keys are done.
    assert bar == "╸"
    assert lines == [
        f"Now       waiting for Plex since {AT}: Plex rests.",
        "Queue     1,200 due, 3 in progress, 4 waiting for later, 5,000 given up",
        (
            "Scenes    1,220 in Stash: 1,000 in sync, 200 to send, 3 being sent, 4 waiting, "
            "5 given up, 8 left"
        ),
        "          out (8 without metadata).",
        f"On hold   “Sync All Scenes” was stopped at {AT}; 2 scenes wait until you ask for them",
        "          again: press “Sync All Scenes” or “Process Queue”.",
        "Waiting   4 not in Plex yet (scene 3 “Quay” and 3 more).",
        "Waiting   1 to be tried again.",
        "Given up  1 because several Plex items fit (scene 3).",
        "Plex      1.43, “Harbour Films”, 1 item",
        "Not kept  Plex accepts these fields but does not keep them: studio.",
        "Stash     Stash wants a log-in.",
        f"In sync   17 scenes, the last at {AT}",
        "So far    8 scenes written, 0 needed no change; an edit takes 250 ms",
    ]


def test_a_status_without_a_past():
    assert drawn(status_screen(changed(**QUIET, worker={"running": False}), str)) == [
        "Now      idle",
        "Queue    0 due, 0 in progress, 0 waiting for later",
        "Plex     1.43, no library listed yet, 1 item",
        "In sync  17 scenes",
        "So far   0 scenes written, 0 needed no change; an edit takes 250 ms",
    ]


def test_checks_on_a_wide_and_on_a_narrow_terminal():
    assert drawn(health_screen(CHECKS, 100, str)) == [
        "pass  stash  Stash answers.",
        "FAIL  plex   Plex rests.",
        "             → Start Plex.",
        "skip  token  Plex is needed for this.",
    ]
    assert drawn(health_screen(CHECKS, 60, str), 60) == [
        "pass stash",
        "     Stash answers.",
        "FAIL plex",
        "     Plex rests.",
        "     → Start Plex.",
        "skip token",
        "     Plex is needed for this.",
    ]


def test_checks_in_colours_and_at_the_width_that_parts_a_table_from_a_list():
    assert coloured(health_screen(CHECKS, 100, str)) == [
        ("green", "pass"), ("bold", "stash"), ("bold red", "FAIL"), ("bold", "plex"),
        ("bold", "→ Start Plex."), ("yellow", "skip"), ("bold", "token"),
    ]  # fmt: skip
    checks: list[Check] = [passed("disk", "5 GiB."), failed("queue", "“Quay”.", "See “Pier”.")]
    assert drawn(health_screen(checks, 70, str.upper), 70) == [
        "pass  disk   5 GIB.", "FAIL  queue  “QUAY”.", "             → SEE “PIER”.",
    ]  # fmt: skip
    assert drawn(health_screen(checks, 69, str), 69)[:2] == ["pass disk", "     5 GiB."]


OUTAGE = {
    "server": "plex", "kind": "unavailable", "started_at": "2023-11-14T22:13:20Z", "seconds": 90,
    "waiting": 1, "next_probe_at": "2023-11-14T22:13:20Z", "cause": "Plex rests.",
    "ended_at": None,
}  # fmt: skip


def test_a_whole_screen_of_outages():
    window = {"server": "plex", "days": 7, "outages": 12, "mttr_s": 60, "mtbf_s": 3_600,
              "availability": 0.5}  # fmt: skip
    quiet = {**window, "server": "stash", "outages": 0, "mttr_s": None, "mtbf_s": None,
             "availability": 1.0}  # fmt: skip
    past = {**OUTAGE, "ended_at": "2023-11-14T22:14:50Z", "waiting": 3, "cause": "“Quay”."}
    report = {"current": [OUTAGE, {**OUTAGE, "waiting": 2}], "total": 2,
              "windows": [window, quiet], "outages": [OUTAGE, past],
              "watched_since": OUTAGE["started_at"]}  # fmt: skip
    now = f"Plex is out of reach since {AT} (1 min 30 s), 1 scene waiting, next try at {AT}"
    lines = drawn(outages_screen(report, 110, str.upper), 110)
    assert [line.split() for line in lines[2:5]] == [
        ["Server", "Days", "Outages", "Available", "MTTR", "MTBF"],
        ["Plex", "7", "12", "50.00", "%", "1", "min", "00", "s", "1", "h", "00", "min"],
        ["Stash", "7", "0", "100.00", "%", "–", "–"],
    ]
    assert lines[:2] == [now, now.replace("1 scene", "2 scenes")]
    began = AT.split()
    assert [line.split() for line in lines[5:]] == [
        [], ["Began", "Length", "Waited", "Cause"],
        [*began, "1", "min", "30", "s", "so", "far", "1", "PLEX", "RESTS."],
        [*began, "1", "min", "30", "s", "3", "“QUAY”."],
    ]  # fmt: skip
    assert ("red", now) in coloured(outages_screen(report, 110, str), 110)
    narrow = drawn(outages_screen(report, 69, str), 69)
    assert not any("Began" in line for line in narrow)
    assert any("Began" in line for line in drawn(outages_screen(report, 70, str), 70))
    assert drawn(outages_screen({**report, "current": [], "total": 0}, 100, str)) == [
        f"No outage since {AT}."
    ]


def test_everything_that_prometheus_reads():
    metrics = Metrics(
        scenes={"written": 8, "equal": 2},
        fields={"title": 7},
        dead={"fault": 1},
        retried={"transient": 2},
        put_off={"not_in_plex": 3},
        edit=Histogram((5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1), 20.5),
    )
    outages = [
        Outage("plex", 100.0, 160.0, "x", 1),
        Outage("plex", 200.0, None, "x", 1),
        Outage("stash", 100.0, 130.0, "x", 1),
    ]
    text = prometheus_text({**FULL, "version": "3.0.0"}, metrics, outages, 230.0)
    assert text.splitlines() == [
        "# HELP stash2plex_info Version of Stash2Plex.",
        "# TYPE stash2plex_info gauge",
        'stash2plex_info{version="3.0.0"} 1',
        "# HELP stash2plex_queue_keys Scenes in the queue, by state.",
        "# TYPE stash2plex_queue_keys gauge",
        'stash2plex_queue_keys{state="pending"} 1200',
        'stash2plex_queue_keys{state="in_progress"} 3',
        'stash2plex_queue_keys{state="waiting"} 4',
        'stash2plex_queue_keys{state="dead"} 5000',
        "# HELP stash2plex_library_scenes Scenes in Stash, by state.",
        "# TYPE stash2plex_library_scenes gauge",
        'stash2plex_library_scenes{state="in_sync"} 1000',
        'stash2plex_library_scenes{state="to_send"} 200',
        'stash2plex_library_scenes{state="sending"} 3',
        'stash2plex_library_scenes{state="waiting"} 4',
        'stash2plex_library_scenes{state="not_in_plex"} 0',
        'stash2plex_library_scenes{state="given_up"} 5',
        'stash2plex_library_scenes{state="left_out"} 8',
        "# HELP stash2plex_synced_scenes Scenes with a record.",
        "# TYPE stash2plex_synced_scenes gauge",
        "stash2plex_synced_scenes 17",
        "# HELP stash2plex_last_sync_timestamp_seconds When a scene was last synced.",
        "# TYPE stash2plex_last_sync_timestamp_seconds gauge",
        "stash2plex_last_sync_timestamp_seconds 1700000000",
        "# HELP stash2plex_rate_scenes_per_second Scenes per second now.",
        "# TYPE stash2plex_rate_scenes_per_second gauge",
        "stash2plex_rate_scenes_per_second 2.5",
        "# HELP stash2plex_breaker_open Whether the drain waits for Plex.",
        "# TYPE stash2plex_breaker_open gauge",
        "stash2plex_breaker_open 1",
        "# HELP stash2plex_worker_running Whether a worker or a task is sending.",
        "# TYPE stash2plex_worker_running gauge",
        "stash2plex_worker_running 1",
        "# HELP stash2plex_plex_up Whether Plex answers.",
        "# TYPE stash2plex_plex_up gauge",
        "stash2plex_plex_up 1",
        "# HELP stash2plex_plex_items Items in the Plex index.",
        "# TYPE stash2plex_plex_items gauge",
        "stash2plex_plex_items 1",
        "# HELP stash2plex_scenes_total Scenes worked on.",
        "# TYPE stash2plex_scenes_total counter",
        'stash2plex_scenes_total{outcome="written"} 8',
        'stash2plex_scenes_total{outcome="equal"} 2',
        "# HELP stash2plex_fields_written_total Fields written.",
        "# TYPE stash2plex_fields_written_total counter",
        'stash2plex_fields_written_total{field="title"} 7',
        "# HELP stash2plex_dead_letters_total Scenes given up.",
        "# TYPE stash2plex_dead_letters_total counter",
        'stash2plex_dead_letters_total{reason="fault"} 1',
        "# HELP stash2plex_retries_total Failed attempts.",
        "# TYPE stash2plex_retries_total counter",
        'stash2plex_retries_total{reason="transient"} 2',
        "# HELP stash2plex_put_off_total Scenes put off.",
        "# TYPE stash2plex_put_off_total counter",
        'stash2plex_put_off_total{reason="not_in_plex"} 3',
        "# HELP stash2plex_edit_seconds Time of an edit in Plex.",
        "# TYPE stash2plex_edit_seconds histogram",
        'stash2plex_edit_seconds_bucket{le="0.025"} 5',
        'stash2plex_edit_seconds_bucket{le="0.05"} 5',
        'stash2plex_edit_seconds_bucket{le="0.1"} 7',
        'stash2plex_edit_seconds_bucket{le="0.25"} 7',
        'stash2plex_edit_seconds_bucket{le="0.5"} 7',
        'stash2plex_edit_seconds_bucket{le="1"} 7',
        'stash2plex_edit_seconds_bucket{le="2.5"} 7',
        'stash2plex_edit_seconds_bucket{le="5"} 7',
        'stash2plex_edit_seconds_bucket{le="10"} 7',
        'stash2plex_edit_seconds_bucket{le="30"} 7',
        'stash2plex_edit_seconds_bucket{le="+Inf"} 8',
        "stash2plex_edit_seconds_sum 20.5",
        "stash2plex_edit_seconds_count 8",
        "# HELP stash2plex_outages_total Outages on record.",
        "# TYPE stash2plex_outages_total counter",
        'stash2plex_outages_total{server="plex"} 2',
        'stash2plex_outages_total{server="stash"} 1',
        "# HELP stash2plex_outage_seconds_total Length of the outages on record.",
        "# TYPE stash2plex_outage_seconds_total counter",
        'stash2plex_outage_seconds_total{server="plex"} 90',
        'stash2plex_outage_seconds_total{server="stash"} 30',
    ]
    assert text.endswith("\n")


def test_a_breaker_that_is_closed_and_a_worker_that_rests_for_prometheus():
    status = changed(
        breaker=WORKS, worker={"running": False}, plex={"reachable": False, "items": 0},
        rate_per_s=0.0,
    )  # fmt: skip
    metrics = Metrics({}, {}, {}, {}, {}, Histogram((0,) * 11, 0.0))
    lines = prometheus_text({**status, "version": "3"}, metrics, [], 0.0).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    names = ("breaker_open", "worker_running", "plex_up", "plex_items", "rate_scenes_per_second")
    assert {values[f"stash2plex_{name}"] for name in names} == {"0"}
    assert values['stash2plex_outages_total{server="stash"}'] == "0"


def test_a_label_is_written_as_prometheus_reads_it():
    metrics = Metrics({'a"b\\c\nd': 1}, {}, {}, {}, {}, Histogram((0,) * 11, 0.0))
    text = prometheus_text({**FULL, "version": "3", "last_sync_at": None}, metrics, [], 0.0)
    assert 'scenes_total{outcome="a\\"b\\\\c\\nd"} 1\n' in text
    assert "sync_timestamp_seconds 1" not in text
