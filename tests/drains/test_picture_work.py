"""The pictures of one scene: when none are sent, what is looked at first, and what goes out."""

from __future__ import annotations

import pytest

from stash2plex.errors import Refused, ServerError, Transient
from stash2plex.model import Field
from stash2plex.rules.endpoints import BACKGROUNDS, COVERS, POSTERS
from stash2plex.sync.picture_work import MOVED, NEEDLESS, Looked, Result, send_for
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from tests.support import present

BOTH = frozenset({Field.POSTER, Field.BACKGROUND})


class Pier:
    """A scene in Plex whose pictures are still to be sent, and an item beside it."""

    def __init__(self, desk):
        self.desk = desk
        self.scene, self.item = desk.scene("a.mp4", cover=picture(1)), desk.item("a.mp4")
        self.other = desk.item("b.mp4", size=5)
        desk.drain(self.scene)
        desk.restart(skip_fields="")
        self.use()

    def use(self, **settings):
        if settings:
            self.desk.restart(**settings)
        self.session = self.desk.app.open_session()
        self.record = present(self.desk.app.store.records.get(self.scene.id))
        self.key = self.record.rating_key

    def send(self, *, shut=(), known=None, records=None, **more):
        """Send; by default it is known what was chosen first."""
        first = {self.key: BOTH} if known is None else known
        return send_for(
            self.scene.id, None, records or [self.record], shut, self.session, first, **more
        )


@pytest.fixture
def pier(make_desk):
    return Pier(make_desk(skip_fields="poster background"))


def sent_of(result):
    """Return what was sent to each item."""
    assert isinstance(result, Result)
    return [one for _, one in result.sent]


def test_a_scene_that_is_gone_or_left_out_needs_no_pictures(pier):
    pier.use(only_organized=True)
    assert pier.send() == NEEDLESS
    pier.use(only_organized=False)
    assert isinstance(pier.send(), Result)
    pier.desk.stash.library.destroy_scene(pier.scene)
    assert pier.send() == NEEDLESS


def test_a_scene_whose_cover_is_in_plex_needs_no_pictures(pier):
    pier.desk.drain(pier.scene)
    pier.use()
    assert pier.send() == NEEDLESS
    assert pier.item.number_of_uploads == 2


def test_pictures_of_an_item_that_is_gone_or_in_the_trash_or_another_file_are_moved(pier):
    pier.item.deleted_at = 5
    assert pier.send() == MOVED
    pier.item.deleted_at = None
    # A file that was moved is the same one, as long as anything that was written is there.
    pier.item.parts[0].path = "/media/quay.mp4"
    assert isinstance(pier.send(), Result)
    pier.item.title, pier.item.texts = "Another", {}
    assert pier.send() == MOVED
    pier.desk.plex.remove_item(pier.item)
    assert pier.send() == MOVED


def test_an_item_or_a_scene_that_cannot_be_read_is_an_error(pier):
    second = pier.desk.scene("b.mp4", size=5)
    pier.desk.drain(second)
    fault = pier.desk.plex.faults.add(Fault("status", times=None, **scopes.item(pier.item, "read")))
    # Another item was read well before.
    pier.session.plex.items([str(pier.other.rating_key)])
    with pytest.raises(ServerError, match="500") as met:
        pier.send()
    assert met.value.server == "Plex"
    pier.desk.plex.faults.remove(fault)
    pier.session.stash.scenes([second.id])
    pier.desk.stash.faults.add(
        "graphql_error", operation=rf"s{pier.scene.id}: findScene", message="null", times=None
    )
    with pytest.raises(ServerError) as met:
        pier.send()
    assert met.value.server == "Stash"


def test_what_is_chosen_is_looked_at_before_the_first_of_ours(pier):
    plex, key = pier.desk.plex, pier.key
    looked = pier.send(known={})
    assert isinstance(looked, Looked)
    assert looked.chosen == {key: {Field.POSTER: None, Field.BACKGROUND: None}}
    # Nobody was asked, and nothing sent: what is not locked is Plex's own choice.
    assert (plex.count("GET", "/(posters|arts)$"), pier.item.number_of_uploads) == (0, 0)
    pier.item.offers = {"posters": ["metadata://posters/one", "metadata://posters/two"]}
    pier.item.selected = {"posters": "metadata://posters/two"}
    pier.item.locked |= {"thumb", "art"}
    assert pier.send(known={}).chosen == {
        key: {Field.POSTER: "metadata://posters/two", Field.BACKGROUND: ""}
    }
    # What is known, or cannot be sent now, is not looked at.
    assert pier.send(known={key: {Field.POSTER}}).chosen == {key: {Field.BACKGROUND: ""}}
    assert pier.send(known={}, shut=[BACKGROUNDS]).chosen == {
        key: {Field.POSTER: "metadata://posters/two"}
    }


@pytest.mark.parametrize(
    ("name", "endpoint", "path"),
    [("thumb", POSTERS, "posters"), ("art", BACKGROUNDS, "arts")],
)
def test_a_look_that_fails_is_a_failure_of_its_endpoint(pier, name, endpoint, path):
    pier.item.locked.add(name)
    pier.desk.plex.faults.add(Fault("status", method="GET", path=f"/{path}$", times=None))
    ((record, one),) = pier.send(known={}).sent
    assert record == pier.record
    assert {where: str(error) for where, error in one.failed.items()} == {
        endpoint: f"Plex answered the list of {endpoint} with 500."
    }
    assert (one.hashes, one.fields, one.kept, one.tag, one.etag) == ({}, (), frozenset(), "", "")
    assert pier.item.number_of_uploads == 0


def test_pictures_go_to_every_endpoint_that_is_not_shut(pier):
    (one,) = sent_of(pier.send(shut=[POSTERS]))
    assert (one.fields, one.left, one.failed) == ((Field.BACKGROUND,), (POSTERS,), {})
    assert (one.uploads, one.accepted) == (1, (Field.BACKGROUND,))
    (one,) = sent_of(pier.send(shut=[BACKGROUNDS]))
    assert (one.fields, one.left, one.failed) == ((Field.POSTER,), (BACKGROUNDS,), {})
    assert {*pier.item.selected} == {"posters", "arts"}


def refuse(pier, path):
    pier.desk.plex.faults.add(Fault("status", status=403, method="POST", path=path, times=None))


def test_an_endpoint_that_refuses_while_its_server_lets_us_in_is_named(pier):
    refuse(pier, "/posters$")
    (one,) = sent_of(pier.send())
    (error,) = one.failed.values()
    assert list(one.failed) == [POSTERS]
    assert isinstance(error, Transient)
    assert error.server == "Plex"
    assert str(error) == (
        "Plex lets us in, but refuses the posters. See whether a proxy before it lets them through."
    )
    assert one.fields == (Field.BACKGROUND,)


def test_a_server_that_refuses_everything_is_the_cause(pier):
    refuse(pier, "/arts$")
    identity = Fault("status", status=401, method="GET", path="^/$", times=None)
    pier.desk.plex.faults.add(identity)
    (one,) = sent_of(pier.send())
    error = one.failed[BACKGROUNDS]
    assert isinstance(error, Refused)
    assert identity.hits == 1
    assert "refuses the backgrounds" not in str(error)


def test_covers_that_are_refused_are_about_the_covers_or_about_stash(pier):
    pier.desk.stash.faults.add("status", path="/screenshot", status=403, times=None)
    (one,) = sent_of(pier.send())
    assert {where: str(error) for where, error in one.failed.items()} == {
        COVERS: "Stash lets us in, but refuses the covers."
        " See whether a proxy before it lets them through."
    }
    assert (one.fields, one.left) == ((), ())
    pier.desk.stash.faults.add("status", operation="query Version ", status=401, times=None)
    (one,) = sent_of(pier.send())
    assert isinstance(one.failed[COVERS], Refused)


def test_pictures_of_ours_from_before_are_chosen_again(pier):
    pier.send()
    pier.item.selected.clear()
    pier.item.locked -= {"thumb", "art"}
    (one,) = sent_of(pier.send(have_ours=[pier.key]))
    assert (one.uploads, {*one.fields} == BOTH) == (0, True)
    assert one.before == {Field.POSTER: "", Field.BACKGROUND: ""}
    assert {*pier.item.selected} == {"posters", "arts"}
    assert pier.desk.plex.count("POST", "/(posters|arts)$") == 2


def test_fields_that_the_user_had_put_back_get_no_picture(pier):
    (one,) = sent_of(pier.send(held=frozenset({Field.POSTER})))
    assert (one.fields, pier.item.number_of_uploads) == ((Field.BACKGROUND,), 1)


def test_items_that_follow_get_their_pictures_too(make_desk):
    desk = make_desk(skip_fields="poster background")
    quay = desk.plex.add_section("Quay Films", locations=["/media"])
    second = desk.plex.add_item(quay, "/media/a.mp4", size=100)
    pier = Pier(desk)
    (follower,) = desk.app.store.followers.of(pier.scene.id).values()
    records = [pier.record, follower]
    looked = pier.send(known={}, records=records)
    assert set(looked.chosen) == {str(pier.item.rating_key), str(second.rating_key)}
    result = pier.send(known={one.rating_key: BOTH for one in records}, records=records)
    assert [record for record, _ in result.sent] == records
    assert [one.uploads for one in sent_of(result)] == [2, 2]
    # One that is gone takes nothing from the other.
    gone = second if follower.rating_key == str(second.rating_key) else pier.item
    desk.plex.remove_item(gone)
    result = pier.send(known={one.rating_key: BOTH for one in records}, records=records)
    assert [record for record, _ in result.sent] == [pier.record]
