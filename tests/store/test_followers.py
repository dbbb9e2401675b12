"""The items that follow a scene in other libraries, and what was written to them."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.model import Record
from stash2plex.store.followers import Followers
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.records import Records
from tests.support import make_scene, plex_file

RECORD = Record(
    1, "7", "2", "/media/a.mp4", "the whole path", "f", {"title": "Ours"},
    "t=1", "etag", "p", "b", 5.0, {"tags": ["Fog"]}, ({"title": "Next"},), "d",
    {"title": "OURS"}, {"title": "First"}, True, 1,
)  # fmt: skip
"""A record with something in each part."""


@pytest.fixture
def followers(database):
    return Followers(database)


def other(key, scene=1):
    return evolve(RECORD, rating_key=key, scene_id=scene)


def test_a_record_of_a_follower_comes_back_as_it_was(followers):
    followers.put(1, [RECORD, other("8")])
    followers.put(2, [other("9", 2)])
    assert followers.of(1) == {"7": RECORD, "8": other("8")}
    assert followers.of(3) == {}
    changed = evolve(RECORD, written={"title": "Other"})
    followers.replace(changed)
    assert followers.of(1) == {"7": changed, "8": other("8")}
    followers.forget(1)
    assert (followers.of(1), followers.of(2)) == ({}, {"9": other("9", 2)})


def test_only_what_follows_now_and_what_is_unsure_stays(followers):
    followers.put(1, [RECORD, other("8"), other("9")])
    followers.put(1, [evolve(other("9"), written={}), other("10")], ["6", "8"])
    assert followers.of(1) == {
        "8": other("8"), "9": evolve(other("9"), written={}), "10": other("10"),
    }  # fmt: skip
    followers.put(1, [])
    assert followers.of(1) == {}


def test_what_the_next_edits_will_leave_is_announced(followers):
    followers.put(1, [evolve(RECORD, announced=())])
    sent = [
        evolve(RECORD, written={"title": "Next"}, removed={}),
        evolve(other("8"), written={"title": "There"}, announced=()),
    ]
    followers.announce(sent)
    assert followers.of(1) == {
        "7": evolve(RECORD, fingerprint="", announced=({"title": "Next"},), removed={}),
        "8": evolve(sent[1], fingerprint="", written={}, announced=({"title": "There"},)),
    }
    for number in range(6):
        followers.announce([evolve(RECORD, written={"title": str(number)})])
    assert [one["title"] for one in followers.of(1)["7"].announced] == ["1", "2", "3", "4", "5"]


def test_pictures_are_stored_for_an_item_that_still_follows(followers):
    followers.put(1, [RECORD, other("8")])
    sent = evolve(RECORD, cover_tag="t=2", cover_etag="new", poster_hash="p2", background_hash="b2")
    followers.put_pictures(evolve(sent, written={}, fingerprint="other"))
    followers.put_pictures(evolve(sent, rating_key="9"))
    assert followers.of(1) == {"7": sent, "8": other("8")}


@pytest.mark.parametrize("text", ["no JSON", "{}", '["a"]', '{"scene_id": 1, "rating_key": "7"}'])
def test_a_damaged_record_counts_as_none(database, followers, text):
    followers.put(1, [RECORD, other("8")])
    database.execute("UPDATE follower SET record = ? WHERE rating_key = '7'", (text,))
    assert followers.of(1) == {"8": other("8")}


@pytest.mark.parametrize("name", ["written", "removed"])
def test_a_record_without_what_is_ours_counts_as_none(database, followers, name):
    followers.put(1, [RECORD, other("8")])
    database.execute(
        "UPDATE follower SET record = json_set(record, ?, 'odd', '$.later', 1)"
        " WHERE rating_key = '7'",
        (f"$.{name}",),
    )
    assert followers.of(1) == {"8": other("8")}


def test_a_part_of_a_later_version_is_left_out(database, followers):
    followers.put(1, [RECORD])
    database.execute("UPDATE follower SET record = json_set(record, '$.later', 1)")
    assert followers.of(1) == {"7": RECORD}


def test_an_item_shows_the_scene_with_the_lowest_id(followers):
    followers.put(5, [other("7", 5)])
    assert [followers.is_taken("7", number) for number in (4, 5, 6)] == [False, False, True]
    assert followers.is_taken("8", 6) is False


def test_a_file_that_is_listed_in_another_library_too_is_a_new_partner(database, followers):
    records = Records(database)
    files = PlexFiles(database, records)
    for scene, name in ((1, "a"), (2, "b"), (3, "c"), (4, "d")):
        record = Record(scene, str(scene), "1", f"/media/{name}.mp4", "path", "f", {})
        records.put(record, make_scene(scene))
    files.add([plex_file(f"/media/{name}.mp4", str(key)) for key, name in enumerate("abcd", 1)], 4)
    assert followers.new_partners(0) == []
    news = [("/media/a.mp4", "21"), ("/media/b.mp4", "22"), ("/other/c.mp4", "23")]
    files.add([plex_file(path, key, section="2") for path, key in news], 5)
    files.add([plex_file("/media/d.mp4", "24", section="2")], 6)
    assert sorted(followers.new_partners(4)) == [1, 2, 4]
    assert followers.new_partners(5) == [4]
    assert followers.new_partners(6) == []
    followers.put(2, [other("22", 2)])
    followers.put(4, [other("9", 4)])
    assert sorted(followers.new_partners(4)) == [1, 4]
