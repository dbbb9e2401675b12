"""What a token may see in Plex: what it lacks is named and costs no attempt."""

from __future__ import annotations

import pytest

from stash2plex.operations.health.report import read_health


def check(desk, name):
    return next(one for one in read_health(desk.app) if one.name == name)


def test_a_token_that_sees_no_files_is_named_and_costs_no_attempt(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.sight[desk.plex.token] = "nothing"
    summary = desk.drain(scene)
    assert "not shown file names" in str(summary.error)
    assert "server's owner" in str(summary.error)
    assert desk.rows("SELECT attempts, snoozes FROM queue") == [(0, 0)]
    found = check(desk, "Plex token")
    assert not found.ok
    assert "no names of files" in found.detail
    desk.plex.access.sight.clear()
    desk.work(120)
    assert item.title == scene.title
    assert check(desk, "Plex token").ok


def test_a_token_that_sees_base_names_only_is_named(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.sight[desk.plex.token] = "names"
    desk.drain(scene)
    assert item.title == scene.title, "its name and size are enough for one that is alone"
    found = check(desk, "Plex token")
    assert not found.ok
    assert "without their folders" in found.detail


def test_an_empty_library_and_one_in_the_bin_say_nothing_about_the_token(make_desk):
    desk = make_desk()
    assert check(desk, "Plex token").ok
    desk.plex.trash_item(desk.item("a/pier.mp4"))
    assert check(desk, "Plex token").ok
    assert desk.drain(desk.scene("a/pier.mp4")).error is None


@pytest.mark.parametrize("token", ["the owner's", "a wrong one"])
def test_a_server_without_owner_that_takes_us_for_a_stranger(make_desk, token):
    desk = make_desk()
    if token == "a wrong one":
        desk.restart(plex_token="stale")
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.claim = "stranger"
    summary = desk.drain(scene)
    for text in (str(summary.error), check(desk, "Plex token").detail):
        assert "has no owner" in text
    assert "allowedNetworks" in str(check(desk, "Plex token").fix)
    assert check(desk, "Plex").ok
    assert desk.rows("SELECT attempts FROM queue") == [(0,)]
    desk.plex.access.claim = "unclaimed"
    desk.work(120)
    assert item.title == scene.title


def test_a_wrong_token_of_a_server_with_an_owner_is_a_wrong_token(make_desk):
    desk = make_desk(plex_token="stale")
    assert "does not accept the token" in check(desk, "Plex token").detail
