"""The path index in a drain: how it is stored, how often Plex is asked, and what is reported."""

from __future__ import annotations

from stash2plex.namelist import NameList
from stash2plex.servers import plexlists
from stash2plex.sync import indexing, pipeline
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import Fault
from tests.harness.in_process import fill, listen


def test_a_library_that_is_listed_again_is_reported(make_desk):
    desk = make_desk()
    desk.plex.add_section("All Films", locations=["/other"])
    (scene,) = fill(desk, 1)
    desk.drain(scene)
    lines = listen(desk)
    fault = desk.plex.faults.add(Fault("status", path="/library/sections/2/all", times=None))
    index = desk.app.open_session().index
    desk.clock.step(90_000.0)
    index.refresh(NameList())
    desk.plex.faults.remove(fault)
    desk.clock.step(300.0)
    index.refresh(NameList(), retry=True)
    assert [line for line in lines if "All Films" in line][-1] == (
        "Plex lists “All Films” again, after 5 min 00 s."
    )


def test_a_library_of_many_files_is_stored_in_parts(make_desk, monkeypatch):
    monkeypatch.setattr(indexing, "ROWS_PER_COMMIT", 3)
    monkeypatch.setattr(plexlists, "LIST_PAGE", 2)
    desk = make_desk()
    scenes = fill(desk, 7)
    desk.drain(*scenes)
    assert sorted(desk.titles()) == sorted(scene.title for scene in scenes)
    assert desk.rows("SELECT count(*) FROM plex_file") == [(7,)]


def test_plex_is_not_asked_for_its_libraries_for_each_scene_that_it_lacks(make_desk, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 1)
    desk = make_desk()
    desk.add(*(desk.scene(f"lost/{one}.mp4", size=one) for one in range(8)))
    desk.plex.clear_log()
    desk.process(Silent())
    asked = [one.path for one in desk.plex.requests if one.path == "/library/sections"]
    assert len(asked) <= 4
