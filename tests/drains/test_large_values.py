"""Lists and ratings beyond what Plex takes: what is sent, in which length, and what is logged."""

from __future__ import annotations

import pytest

from stash2plex_testing.plex import Limits
from tests.harness.in_process import listen


@pytest.mark.parametrize("semantics", ["append", "replace", "replace_sets"])
def test_200_japanese_genres_go_and_50_others_come(make_desk, semantics):
    desk = make_desk()
    desk.plex.tag_semantics = semantics
    desk.plex.limits = Limits(url_bytes=20_000)
    tags = [desk.stash.add_tag(f"霧の港 {number}") for number in range(50)]
    scene, item = desk.scene("a/pier.mp4", tags=tags), desk.item("a/pier.mp4")
    item.tags["genre"] = [f"灯台と霧の夜 {number}" for number in range(200)]
    item.tags["label"] = ["Kept"]
    desk.drain(scene)
    assert sorted(item.tags["genre"]) == sorted(tag.name for tag in tags)
    assert item.tags["label"] == ["Kept"]
    assert desk.plex.longest_url <= 20_000
    desk.plex.clear_log()
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0


def test_performers_beyond_200_are_cut_and_named(make_desk):
    desk = make_desk()
    performers = [desk.stash.add_performer(f"Performer {number:03}") for number in range(230)]
    scene, item = desk.scene("a/pier.mp4", performers=performers), desk.item("a/pier.mp4")
    heard = listen(desk)
    desk.drain(scene)
    assert item.tags["actor"] == [f"Performer {number:03}" for number in range(200)]
    assert any("more performers than Plex takes: the first 200 of 230" in line for line in heard)
    desk.plex.clear_log()
    desk.app.store.records.invalidate_all()
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0


@pytest.mark.parametrize(
    ("given", "held", "named"),
    [(1000, 10.0, True), (101, 10.0, True), (100, 10.0, False), (1, 0.1, False), (-5, None, True)],
)
def test_a_rating_that_stash_let_through_is_bounded_and_named(make_desk, given, held, named):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", rating100=given), desk.item("a/pier.mp4")
    heard = listen(desk)
    desk.drain(scene)
    assert item.floats.get("userRating") == held
    assert any("out of range in Stash" in line for line in heard) == named


def test_a_rating_out_of_range_and_what_was_sent_is_logged_with_the_scene(make_desk):
    desk = make_desk()
    lines = listen(desk)
    scene, item = desk.scene("a.mp4", rating100=150), desk.item("a.mp4")
    desk.drain(scene)
    assert item.floats["userRating"] == 10.0
    assert [line for line in lines if "out of range" in line] == [
        "The rating of “About a.mp4” is out of range in Stash: 150 of 100; sent is 10 of 10."
    ]
