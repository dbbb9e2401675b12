"""Pictures that Plex accepted are looked at: what is asked, and what is sent once more."""

from __future__ import annotations

import hashlib

import pytest

from stash2plex.model import Field, Record
from stash2plex.rules.traits import Trait
from stash2plex.servers.apart import ReadItems
from stash2plex.store.picture_checks import LOST, SENT_AGAIN, WAITS, PictureCheck
from stash2plex.sync.picture_reading import PictureReader, PictureReading, look_at_pictures
from stash2plex_testing.plex import Fault
from tests.harness.in_process import fill, listen
from tests.support import make_scene

POSTER, BACKGROUND = Field.POSTER, Field.BACKGROUND


def hash_of(number):
    return hashlib.sha1(bytes([number]), usedforsecurity=False).hexdigest()


class Quay:
    """Items whose posters were sent, but that show none of them."""

    def __init__(self, desk, number):
        self.desk = desk
        self.scenes = fill(desk, number)
        desk.drain(*self.scenes)
        desk.plex.clear_log()
        self.held = desk.plex.all_items()
        self.plex = desk.app.open_session().plex
        self.checks = [
            PictureCheck(str(item.rating_key), POSTER, scene.id, hash_of(at), "")
            for at, (scene, item) in enumerate(zip(self.scenes, self.held, strict=True))
        ]

    def upload(self, at, *, kind="posters", selected=True):
        item, hash_ = self.held[at], self.checks[at].hash
        item.images[kind] = [hash_]
        if selected:
            item.selected[kind] = hash_

    def look(self, checks=None, *, spared=True, without=()):
        keys = [str(item.rating_key) for item in self.held]
        items = self.plex.items([key for key in keys if key not in without])
        checks = self.checks if checks is None else checks
        return look_at_pictures(checks, items, self.plex, spared=spared)

    def asked(self):
        return self.desk.plex.count("GET", "/(posters|arts)$")


@pytest.fixture
def quay(make_desk):
    return lambda number: Quay(make_desk(), number)


def test_a_picture_that_its_item_shows_is_not_asked_for(quay):
    pier = quay(3)
    for item in pier.held:
        item.locked.add("thumb")
    assert pier.look() == PictureReading(kept=tuple(pier.checks))
    assert pier.asked() == 0


def test_three_doubtful_pictures_show_what_became_of_the_others(quay):
    pier = quay(5)
    assert pier.look() == PictureReading(lost=tuple(pier.checks))
    assert pier.asked() == 3
    # One of the three that is there is enough for those that are not asked for.
    pier.upload(1)
    first, second, third, *rest = pier.checks
    assert pier.look() == PictureReading(kept=(second, *rest), lost=(first, third))
    assert pier.asked() == 6


def test_each_kind_of_picture_is_judged_alone(quay):
    pier = quay(2)
    arts = [
        PictureCheck(one.rating_key, BACKGROUND, one.scene_id, "f00", "") for one in pier.checks
    ]
    pier.upload(0)
    pier.held[1].locked.add("art")
    found = pier.look([*pier.checks, *arts])
    # Backgrounds come first: kinds go by their names.
    assert found == PictureReading(kept=(arts[1], pier.checks[0]), lost=(arts[0], pier.checks[1]))


def test_a_picture_on_an_item_that_is_gone_is_gone(quay):
    pier = quay(3)
    first, second, third = pier.checks
    found = pier.look(without=[second.rating_key])
    assert found == PictureReading(lost=(first, third), gone=(second,))
    # An item that went away since it was read is gone as well.
    items = pier.plex.items([one.rating_key for one in pier.checks])
    pier.desk.plex.remove_item(pier.held[0])
    found = look_at_pictures(pier.checks[:2], items, pier.plex, spared=True)
    assert found == PictureReading(lost=(second,), gone=(first,))


def test_a_picture_on_an_item_that_cannot_be_read_is_left_out(quay):
    pier = quay(2)
    read = pier.plex.items([pier.checks[0].rating_key])
    fault = ReadItems(read, {pier.checks[1].rating_key: RuntimeError("odd")})  # type: ignore[dict-item]  # a fault of our own
    found = look_at_pictures(pier.checks, fault, pier.plex, spared=True)
    assert found == PictureReading(lost=(pier.checks[0],))


def test_a_picture_that_is_there_is_chosen_once(quay):
    pier = quay(2)
    pier.upload(0, selected=False)
    pier.upload(1, selected=False)
    tried = PictureCheck("2", POSTER, 2, pier.checks[1].hash, "", tries=1)
    found = pier.look([pier.checks[0], tried])
    assert found == PictureReading(again=(pier.checks[0],), lost=(tried,))
    assert pier.held[0].selected["posters"] == pier.checks[0].hash
    assert "posters" not in pier.held[1].selected


@pytest.mark.parametrize("spared", [True, False])
def test_another_picture_that_is_chosen_by_now_stays_where_edits_are_preserved(quay, spared):
    pier = quay(1)
    (check,) = pier.checks
    pier.upload(0, selected=False)
    pier.held[0].offers["posters"] = ["metadata://posters/theirs"]
    pier.held[0].selected["posters"] = "metadata://posters/theirs"
    found = pier.look(spared=spared)
    if spared:
        assert found == PictureReading(kept=(check,))
    else:
        assert found == PictureReading(again=(check,))


def test_where_ours_is_not_there_another_that_is_chosen_proves_nothing(quay):
    pier = quay(1)
    pier.held[0].offers["posters"] = ["metadata://posters/theirs"]
    pier.held[0].selected["posters"] = "metadata://posters/theirs"
    assert pier.look() == PictureReading(lost=tuple(pier.checks))


def test_what_plex_does_not_answer_is_raised(quay):
    pier = quay(1)
    pier.desk.plex.faults.add(Fault("status", method="GET", path="/posters$", times=None))
    with pytest.raises(Exception, match="Plex answered the list of posters with 500"):
        pier.look()


# -- what follows ---------------------------------------------------------------------------


class Reader:
    """The database of a desk, with records whose pictures were sent."""

    def __init__(self, desk):
        self.desk, self.store = desk, desk.app.store
        self.reader = PictureReader(self.store)
        self.lines = listen(desk)

    def record(self, scene_id, key, title="", **more):
        values = {"poster_hash": "p", "background_hash": "b", "cover_tag": "t=1", **more}
        return Record(
            scene_id, key, "1", f"/media/{key}.mp4", "path", "print", {Field.TITLE: title}, **values
        )

    def check(self, scene_id, key, field=POSTER, **more):
        check = PictureCheck(key, field, scene_id, f"h{key}", "", **more)
        self.store.picture_checks.add(check)
        if check.lost:
            self.store.picture_checks.mark(check, check.lost)
        return check

    def rows(self):
        return self.desk.rows(
            "SELECT rating_key, field, tries, lost FROM picture_check ORDER BY rating_key, field"
        )

    def waiting(self):
        return self.desk.rows("SELECT scene_id, tag FROM waiting_picture ORDER BY scene_id")

    def named(self):
        return [line for line in self.lines if "does not keep it" in line]


@pytest.fixture
def reader(make_desk):
    return Reader(make_desk())


def put(store, *records):
    for record in records:
        store.records.put(record, make_scene(record.scene_id))


def test_what_is_kept_or_gone_is_forgotten_and_what_was_chosen_is_looked_at_again(reader):
    one, two, three, four = (reader.check(at, str(at)) for at in range(1, 5))
    assert reader.reader.take_in(PictureReading((one,), (), (two,), (three,))) == []
    assert reader.rows() == [("2", "poster", 1, WAITS), ("4", "poster", 0, WAITS)]
    assert four.rating_key == "4"
    assert reader.named() == []


def test_a_picture_that_one_item_lost_is_named_and_remembered(reader):
    put(reader.store, reader.record(1, "1", "The Pier"))
    assert reader.reader.take_in(PictureReading(lost=(reader.check(1, "1"),))) == []
    assert reader.rows() == [("1", "poster", 0, LOST)]
    (named,) = reader.named()
    assert named == (
        "Plex accepted the poster of “The Pier” but does not keep it. Choose one in Plex, or save"
        " another cover."
    )
    # A scene without a record is named by its number. With two, Plex itself is the cause.
    assert reader.reader.take_in(PictureReading(lost=(reader.check(7, "7"),))) == [POSTER]
    assert len(reader.named()) == 1
    assert reader.store.traits.known.known == {(Trait.LOSES, POSTER)}
    # That is known now: it is no news.
    assert reader.reader.take_in(PictureReading(lost=(reader.check(8, "8"),))) == []


def test_a_scene_without_a_title_is_named_by_its_number(reader):
    put(reader.store, reader.record(6, "6"))
    reader.reader.take_in(PictureReading(lost=(reader.check(6, "6", BACKGROUND),)))
    reader.reader.take_in(PictureReading(lost=(reader.check(9, "9", POSTER),)))
    assert [line.partition(" but ")[0] for line in reader.named()] == [
        "Plex accepted the background of “scene 6”",
        "Plex accepted the poster of “scene 9”",
    ]


def test_a_picture_that_was_lost_while_others_are_kept_is_about_its_item(reader):
    checks = [reader.check(at, str(at)) for at in (1, 2, 3)]
    reading = PictureReading(kept=(checks[1],), lost=(checks[0], checks[2]))
    assert reader.reader.take_in(reading) == []
    assert (reader.rows(), len(reader.named())) == ([], 2)
    assert reader.store.traits.known.known == frozenset()


def test_a_picture_that_was_lost_again_is_about_its_item_though_others_are_lost(reader):
    again = reader.check(1, "1", lost=SENT_AGAIN)
    others = [reader.check(at, str(at)) for at in (2, 3)]
    assert reader.reader.take_in(PictureReading(lost=(again, *others))) == [POSTER]
    assert reader.rows() == [("2", "poster", 0, LOST), ("3", "poster", 0, LOST)]
    assert [line.partition(" but ")[0] for line in reader.named()] == [
        "Plex accepted the poster of “scene 1”"
    ]


def test_one_lost_picture_alone_is_forgotten_once_another_is_kept(reader):
    reader.check(1, "1", lost=LOST)
    assert reader.reader.take_in(PictureReading(kept=(reader.check(2, "2"),))) == []
    assert (reader.rows(), reader.waiting()) == ([], [])


def test_two_lost_pictures_are_as_many_as_it_takes_to_send_them_once_more(reader):
    put(reader.store, reader.record(1, "1"), reader.record(2, "2"))
    for at in (1, 2):
        reader.check(at, str(at), lost=LOST)
    reader.reader.take_in(PictureReading(kept=(reader.check(5, "5"),)))
    assert reader.waiting() == [(1, "t=1"), (2, "t=1")]


@pytest.mark.parametrize("field", [POSTER, BACKGROUND])
def test_lost_pictures_are_sent_once_more_when_one_of_their_kind_is_kept(reader, field):
    store = reader.store
    put(store, reader.record(1, "1"), reader.record(2, "20"), reader.record(4, "4"))
    # Scene 2 was written to an item that follows; scene 3 has no record; item 40 is no one's.
    store.followers.put(2, [reader.record(2, "2")])
    for scene_id, key in ((1, "1"), (2, "2"), (3, "3"), (4, "40")):
        reader.check(scene_id, key, field, lost=LOST)
    store.traits.learn({(Trait.LOSES, field)})
    store.traits.learn({(Trait.LOSES, POSTER), (Trait.LOSES, BACKGROUND)})
    assert reader.reader.take_in(PictureReading(kept=(reader.check(5, "5", field),))) == []
    assert reader.rows() == [("1", field, 0, SENT_AGAIN), ("2", field, 0, SENT_AGAIN)]
    assert reader.waiting() == [(1, "t=1"), (2, "t=1")]
    kept = {"poster": ("", "b"), "background": ("p", "")}[field]
    after = [store.records.get(1), store.followers.of(2)["2"]]
    assert [(one.poster_hash, one.background_hash) for one in after if one] == [kept, kept]
    own = store.records.get(2)
    assert own is not None
    assert (own.poster_hash, own.background_hash) == ("p", "b")
    other = BACKGROUND if field is POSTER else POSTER
    assert store.traits.known.known == {(Trait.LOSES, other)}
