"""What the history shows of a write before, while and after Plex is read back."""

from __future__ import annotations

import pytest

from stash2plex.operations.history import list_runs, list_writes
from stash2plex.text import utc


@pytest.fixture
def pier(make_desk):
    """One scene whose only write sent its title and its summary."""
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", title="Pier", details="Fog."), desk.item("a/pier.mp4")
    item.texts["summary"] = "Before"
    desk.drain(scene)
    return desk


def shown(desk):
    (write,) = list_writes(desk.app, scene_id=1, run_id=None, limit=5).as_json()["items"]
    return {name: values["shown"] for name, values in write["fields"].items()}


def keep(desk, sql, *values):
    desk.app.store.connection.execute(sql, values)


def test_a_whole_write_and_its_run(pier):
    desk = pier
    at = desk.clock()
    page = list_writes(desk.app, scene_id=None, run_id=None, limit=5)
    assert page.as_json() == {
        "total": 1,
        "items": [
            {
                "at": utc(at), "run_id": 1, "cause": "save", "scene_id": 1, "title": "Pier",
                "rating_key": "1",
                "fields": {
                    "title": {"before": "pier", "sent": "Pier", "shown": "Pier"},
                    "summary": {"before": "Before", "sent": "Fog.", "shown": "Fog."},
                },
            }
        ],
    }  # fmt: skip
    assert list_runs(desk.app, 5).as_json() == {
        "total": 1, "items": [],
        "runs": [
            {
                "run_id": 1, "cause": "save", "name": "", "began_at": utc(at),
                "ended_at": utc(at), "writes": 1, "scenes": 1,
            }
        ],
    }  # fmt: skip


def test_pages_of_writes_and_runs_count_all_of_them(pier):
    desk = pier
    for title in ("Quay", "Buoy"):
        desk.clock.step(3600)
        desk.stash.library.scenes[1].title = title
        desk.drain(desk.stash.library.scenes[1])
    page = list_writes(desk.app, scene_id=1, run_id=None, limit=1, offset=1)
    assert (page.total, [one.write.fields["title"] for one in page.writes]) == (
        3, [("Pier", "Quay")],
    )  # fmt: skip
    assert list_writes(desk.app, scene_id=9, run_id=None, limit=1).total == 0
    assert list_writes(desk.app, scene_id=None, run_id=2, limit=9).total == 1
    runs = list_runs(desk.app, 1, 1)
    assert (runs.total, [run.id for run in runs.runs]) == (3, [2])


def test_what_is_being_sent_is_not_shown_yet(pier):
    keep(pier, "UPDATE history SET ended = 0")
    assert shown(pier) == {"title": None, "summary": None}


def test_what_was_not_read_back_yet_is_not_shown(pier):
    keep(pier, """UPDATE scene_record SET unread = '{"title": null}'""")
    assert shown(pier) == {"title": None, "summary": "Fog."}
    # Of an item that the scene had before, nothing is read back any more.
    keep(pier, "UPDATE scene_record SET rating_key = '9'")
    assert shown(pier) == {"title": "Pier", "summary": "Fog."}


@pytest.mark.parametrize(("seconds", "title"), [(0.0, None), (1.0, None), (1.5, "Pier")])
def test_a_later_sync_says_nothing_of_an_earlier_write(pier, seconds, title):
    keep(pier, """UPDATE scene_record SET unread = '{"title": null}'""")
    keep(pier, "UPDATE scene_record SET synced_at = (SELECT at FROM history) + ?", seconds)
    assert shown(pier) == {"title": title, "summary": "Fog."}


def test_what_plex_made_of_a_value_is_shown_instead(pier):
    keep(pier, """UPDATE history SET shown = '{"title": "PIER"}'""")
    assert shown(pier) == {"title": "PIER", "summary": "Fog."}


@pytest.mark.parametrize("written", ["{}", '{"title": ""}', '{"title": 7}'])
def test_a_scene_whose_title_is_not_known_has_none(pier, written):
    keep(pier, "UPDATE scene_record SET written = ?", written)
    (write,) = list_writes(pier.app, scene_id=1, run_id=None, limit=5).writes
    assert write.title == ""
