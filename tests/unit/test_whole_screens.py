"""Whole screens, and all that Prometheus reads, letter by letter."""

from __future__ import annotations

import io

from rich.console import Console

from stash2plex.store.metrics import Histogram, Metrics
from stash2plex.store.outages import Outage
from stash2plex.ui.prometheus import prometheus_text
from stash2plex.ui.screens import health_screen, status_screen
from tests.unit.test_whole_lines import AT, CHECKS, FULL, QUIET, changed


def drawn(renderable, width=100):
    shown = io.StringIO()
    Console(file=shown, width=width, legacy_windows=False).print(renderable)
    return [line.rstrip() for line in shown.getvalue().splitlines()]


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


def test_a_label_is_written_as_prometheus_reads_it():
    metrics = Metrics({'a"b\\c\nd': 1}, {}, {}, {}, {}, Histogram((0,) * 11, 0.0))
    text = prometheus_text({**FULL, "version": "3", "last_sync_at": None}, metrics, [], 0.0)
    assert 'scenes_total{outcome="a\\"b\\\\c\\nd"} 1\n' in text
    assert "sync_timestamp_seconds 1" not in text
