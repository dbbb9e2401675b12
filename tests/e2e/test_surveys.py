"""The count and the comparison with the built archive: Stash runs them as jobs, and stops them."""

from __future__ import annotations

from stash2plex_testing.plex import Latency

OFF = {"background_worker": "off"}


def until_ended(stage, mode):
    return stage.until(
        lambda: (
            answer
            if (answer := stage.operation(mode))["work"]["state"] not in ("none", "running")
            else None
        )
    )


def test_both_run_as_jobs_of_stash_and_write_nothing(make_stage):
    stage = make_stage(6, settings=OFF)
    before = {key: item.title for key, item in stage.items().items()}
    stage.operation("count_changes", start=True)
    counts = until_ended(stage, "count_changes")
    assert (counts["work"]["state"], counts["work"]["problem"]) == ("ended", None)
    assert (counts["work"]["done"], counts["changing"]) == (6, 6)
    stage.operation("compare", start=True)
    found = until_ended(stage, "compare")
    assert (found["work"]["state"], found["differing"]) == ("ended", 6)
    assert found["items"]
    assert {key: item.title for key, item in stage.items().items()} == before
    assert stage.queue()["pending"] == 0


def test_one_that_stash_stops_is_noticed(make_stage):
    stage = make_stage(3, settings=OFF)
    stage.plex.latency = Latency(read=30.0)
    stage.operation("compare", start=True)
    (job,) = stage.until(stage.stash.jobs.queue)
    stage.until(lambda: job.status == "RUNNING")
    stage.stash.jobs.stop(job.id)
    work = until_ended(stage, "compare")["work"]
    assert work["state"] == "failed"
    assert "Start it again" in work["problem"]
    stage.plex.latency = Latency()
    stage.operation("compare", start=True)
    assert until_ended(stage, "compare")["differing"] == 3
