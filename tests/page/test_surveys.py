"""The count of what a sync would do, and the comparison field by field; both write nothing."""

from __future__ import annotations

import threading

import pytest

from stash2plex.model import Field
from stash2plex.operations.surveys import LOST
from stash2plex.store.holds import SET_UP, hold
from stash2plex.store.surveys import SurveyKind, Surveys
from stash2plex.tasks.registry import find_task
from stash2plex.ui.progress import StashProgress
from tests.page.conftest import Page


@pytest.fixture
def desk(make_desk):
    """Two scenes in sync, two that would be written, one that Plex lacks, one left out."""
    desk = make_desk(max_retries=1)
    for number in range(1, 5):
        desk.scene(f"pier/{number}.mp4", size=number, title=f"Lantern {number}")
        desk.item(f"pier/{number}.mp4", size=number)
    desk.drain(*[desk.stash.library.scenes[number] for number in (1, 2)])
    desk.scene("cellar/9.mp4", size=9)
    desk.scene("attic/8.mp4", size=8, title="", details="")
    return desk


@pytest.fixture
def queue(desk):
    """Keep Stash busy, so that the job of a survey waits; the test does its work."""
    gate = threading.Event()
    desk.stash.jobs.add("Another task", lambda _: gate.wait(30) and None)
    yield desk.stash.jobs
    gate.set()


def carry_out(desk, kind):
    """Do what Stash's job does."""
    survey = Surveys(desk.app.store.connection).read(kind)
    assert survey is not None
    call = Page(desk.app).make_call({"kind": str(kind), "word": survey.word})
    return find_task("survey").run(call)


def stop_jobs(queue):
    for job in queue.queue():
        if job.description != "Another task":
            queue.stop(job.id)


def add_up(counts):
    skipped = sum(counts["not_matched"].values()) + sum(counts["left_out"].values())
    return counts["changing"] + counts["unchanged"] + skipped


def test_the_count_adds_up_and_writes_nothing(desk, queue):
    page = Page(desk.app)
    assert page.call("count_changes")["work"]["state"] == "none"
    began = page.call("count_changes", start=True)
    assert (began["work"]["state"], began["work"]["total"]) == ("running", None)
    # One at a time: it waits in Stash's queue, and a second start changes nothing.
    assert page.call("count_changes", start=True)["work"] == began["work"]
    assert len(queue.queue()) == 2
    before = desk.titles(), desk.rows("SELECT * FROM scene_record")
    carry_out(desk, SurveyKind.CHANGES)
    counts = page.call("count_changes", start=True)
    assert (counts["work"]["state"], counts["work"]["done"]) == ("ended", 6)
    assert counts["work"]["total"] == add_up(counts) == 6
    assert (counts["changing"], counts["unchanged"]) == (2, 2)
    assert counts["not_matched"] == {"not_in_plex": 1}
    assert counts["left_out"] == {"no_metadata": 1}
    assert counts["fields"]["title"] == 2
    assert (desk.titles(), desk.rows("SELECT * FROM scene_record")) == before


def test_the_count_grows_with_each_page_and_goes_on_while_the_first_run_holds(
    desk, queue, monkeypatch
):
    page = Page(desk.app)
    monkeypatch.setattr("stash2plex.servers.stash.PAGE", 2)
    hold(desk.app.store.connection, SET_UP, desk.clock())
    page.call("count_changes", start=True)
    seen = []
    original = StashProgress.progress

    def note(self, progress):
        seen.append(page.call("count_changes")["work"]["done"])
        original(self, progress)

    monkeypatch.setattr(StashProgress, "progress", note)
    carry_out(desk, SurveyKind.CHANGES)
    assert list(dict.fromkeys(seen)) == [2, 4, 6]
    assert desk.app.store.queue.counts().pending == 0


def test_a_killed_count_is_noticed_and_a_start_begins_another(desk, queue):
    page = Page(desk.app)
    page.call("count_changes", start=True)
    stop_jobs(queue)
    lost = page.call("count_changes", start=True)
    assert (lost["work"]["state"], lost["work"]["problem"]) == ("failed", LOST)
    desk.clock.sleep(61)
    assert page.call("count_changes", start=True)["work"]["state"] == "running"
    # The job of the first one, if it still lived, would do nothing.
    call = Page(desk.app).make_call({"kind": "count_changes", "word": "an old one"})
    assert find_task("survey").run(call) == "There is nothing to do."


def test_a_count_without_plex_ends_with_the_reason(desk, queue):
    page = Page(desk.app)
    page.call("count_changes", start=True)
    desk.plex.stop()
    carry_out(desk, SurveyKind.CHANGES)
    desk.plex.start()
    work = page.call("count_changes", start=True)["work"]
    assert work["state"] == "failed"
    assert "Plex" in work["problem"]
    assert work["ended_at"]


def test_a_comparison_lists_fields_by_page_and_changes_nothing(desk, queue):
    first = desk.stash.library.scenes[1]
    first.title = "Lantern at dusk"
    page = Page(desk.app)
    assert page.call("compare")["work"]["state"] == "none"
    assert page.call("compare", start=True)["work"]["state"] == "running"
    before = desk.rows("SELECT * FROM scene_record"), desk.rows("SELECT id FROM queue")
    carry_out(desk, SurveyKind.COMPARISON)
    shown = page.call("compare")
    assert shown["work"]["state"] == "ended"
    assert (shown["seen"], shown["in_sync"], shown["differing"], shown["missing"]) == (6, 1, 3, 1)
    assert shown["fields"]["title"] == 3
    titles = page.call("compare", field="title")
    assert titles["total"] == 3
    changed = next(one for one in titles["items"] if one["scene_id"] == first.id)
    assert (changed["stash"], changed["plex"], changed["written"]) == (
        "Lantern at dusk", "Lantern 1", "Lantern 1"
    )  # fmt: skip
    assert [one["scene_id"] for one in page.call("compare", limit=1, offset=1)["items"]] == [
        shown["items"][1]["scene_id"]
    ]
    assert len(page.call("compare", limit=2)["items"]) == 2
    assert "problem" in page.call("compare", field="harbour")
    assert Field.TITLE in shown["fields"]
    assert (desk.rows("SELECT * FROM scene_record"), desk.rows("SELECT id FROM queue")) == before
    # Another one begins with an empty list.
    assert page.call("compare", start=True)["work"]["state"] == "running"
    carry_out(desk, SurveyKind.COMPARISON)
    assert page.call("compare")["total"] == shown["total"]
