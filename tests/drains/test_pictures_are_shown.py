"""Whether Plex shows the pictures that it accepted is read back too, and acted upon."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.status import read_status
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.traits import Trait
from stash2plex.store.progress import Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.read_back import ReadBack
from stash2plex_testing.plex import Fault, Traits, scopes
from stash2plex_testing.stash import picture
from tests.harness.in_process import listen

NO_POSTERS = Traits(ignores_field=frozenset({"thumb"}))


@pytest.fixture
def fill(make_desk):
    """Give what makes a desk with scenes that have covers, and their items."""

    def make(number):
        desk = make_desk(skip_fields="")
        return desk, [pair(desk, one) for one in range(number)]

    return make


def pair(desk, number):
    path = f"{number}/pier-{number}.mp4"
    scene = desk.scene(path, size=500 + number, cover=picture(number + 1))
    return scene, desk.item(path, size=500 + number)


def drain(desk, *scenes):
    """Drain, and let what was sent be looked at."""
    desk.drain(*scenes)
    desk.clock.step(5)
    desk.drain()


def lost(desk):
    return {name for trait, name in desk.app.store.traits.known.known if trait is Trait.LOSES}


def posters(desk):
    return desk.plex.count("POST", "/posters$")


def waiting(desk):
    return desk.rows("SELECT rating_key, lost FROM picture_check")


def test_a_server_that_keeps_no_poster_is_named_once_and_gets_each_only_once(fill):
    desk, pairs = fill(6)
    desk.plex.traits = NO_POSTERS
    heard = listen(desk)
    drain(desk, *(scene for scene, _ in pairs))
    assert [line for line in heard if "does not keep" in line] == [
        "Plex accepts the poster but does not keep it. Everything else reaches Plex."
    ]
    assert (lost(desk), posters(desk)) == ({"poster"}, 6)
    assert {frozenset(item.selected) for _, item in pairs} == {frozenset({"arts"})}
    check = check_kept(desk.app)
    assert (check.state, "poster" in check.detail) == ("failed", True)
    assert {"trait": "loses", "field": "poster"}.items() <= {
        name: one for row in read_status(desk.app)["plex"]["traits"] for name, one in row.items()
    }.items()
    states = {str(one.name): one.state for one in explain_scene(desk.app, pairs[0][0].id).fields}
    assert (states["poster"], states["background"]) == ("not_kept", "equal")
    # Nothing is sent again: not by a save, not by a comparison, not with time.
    desk.plex.clear_log()
    for _ in range(3):
        pairs[0][0].title += ", again"
        drain(desk, pairs[0][0])
    reconciliation = desk.app.make_reconciliation(desk.app.open_session())
    list(reconciliation.pages())
    assert (posters(desk), desk.plex.count("GET", "/posters$")) == (0, 0)
    assert reconciliation.report().queued == 0


def test_once_the_server_keeps_one_the_others_follow(fill):
    desk, pairs = fill(4)
    desk.plex.traits = NO_POSTERS
    drain(desk, *(scene for scene, _ in pairs))
    desk.plex.traits = Traits()
    pairs.append(pair(desk, 9))
    drain(desk, pairs[-1][0])
    assert {frozenset(item.selected) for _, item in pairs} == {frozenset({"posters", "arts"})}
    drain(desk)
    assert (lost(desk), waiting(desk), check_kept(desk.app).state) == (set(), [], "passed")
    assert posters(desk) == 4 + 1 + 4


def test_a_server_that_keeps_some_and_loses_some_gets_no_loop_of_uploads(fill):
    desk, pairs = fill(3)
    desk.plex.traits = NO_POSTERS
    drain(desk, *(scene for scene, _ in pairs[:2]))
    for number in range(10, 16):
        desk.plex.traits = Traits()
        late = pair(desk, number)
        desk.drain(late[0])
        desk.plex.traits = NO_POSTERS
        desk.clock.step(5)
        desk.drain()
        drain(desk)
    assert posters(desk) == 2 + 6 + 2
    assert {one for _, one in waiting(desk)} <= {1}


def test_a_picture_of_one_item_that_is_not_kept_is_about_that_item(fill):
    desk, pairs = fill(5)
    bad, item = pairs[2]
    desk.plex.faults.add(
        Fault("status", status=200, body=b"", times=None, **scopes.item(item, "upload"))
    )
    heard = listen(desk)
    drain(desk, *(scene for scene, _ in pairs))
    for _ in range(3):
        bad.title += ", again"
        drain(desk, bad)
    named = [line for line in heard if "does not keep" in line]
    assert len(named) == 2
    assert all(f"“{bad.title.partition(',')[0]}" in line for line in named)
    assert (lost(desk), waiting(desk), posters(desk)) == (set(), [], 5)
    assert check_kept(desk.app).state == "passed"
    # Another cover is another picture.
    desk.plex.faults.clear()
    bad.cover = picture(77)
    desk.stash.library.touch(bad)
    drain(desk, bad)
    assert {*item.selected} == {"posters", "arts"}


def test_a_picture_that_is_there_and_not_shown_is_chosen_once(fill):
    desk, [(scene, item)] = fill(1)
    desk.drain(scene)
    mine = item.selected.pop("posters")
    item.locked.discard("thumb")
    desk.clock.step(5)
    desk.drain()
    assert item.selected["posters"] == mine
    drain(desk)
    assert waiting(desk) == []
    assert desk.plex.count("PUT", "/poster$") == 1
    assert posters(desk) == 1


@pytest.mark.parametrize("preserve", [True, False])
def test_a_picture_that_the_user_chose_in_the_second_of_the_upload(fill, preserve):
    """The address of a picture counts seconds, so that it is the same as before."""
    desk, [(scene, item)] = fill(1)
    desk.restart(preserve_plex_edits=preserve)
    drain(desk, scene)
    first = item.selected["posters"]
    scene.cover = picture(50)
    desk.stash.library.touch(scene)
    before = item.updated_at
    desk.drain(scene)
    ours = item.selected["posters"]
    item.selected["posters"] = first
    item.updated_at = before
    desk.clock.step(5)
    desk.drain()
    assert item.selected["posters"] == (first if preserve else ours)


def test_a_few_pictures_wait_for_a_full_batch_while_others_are_sent(fill):
    desk, [(scene, _)] = fill(1)
    desk.drain(scene)
    desk.clock.step(5)
    store, clocks = desk.app.store, {"clock": desk.clock, "monotonic": desk.clock.monotonic}
    evidence = Evidence(store, Pacer(), **clocks)
    hand = KeysInHand(store, Tally("test", desk.clock), evidence, random=Random(1), **clocks)
    reading = ReadBack(store, hand, monotonic=desk.clock.monotonic)
    session = desk.app.open_session()
    assert not reading.step(session, idle=True, sending=True, seconds=5)
    assert reading.step(session, idle=True, sending=False, seconds=5)
    reading.close()


def test_another_cover_costs_no_request_more(fill):
    desk, [(scene, item)] = fill(1)
    drain(desk, scene)
    desk.plex.clear_log()
    scene.cover = picture(50)
    desk.stash.library.touch(scene)
    desk.clock.step(5)
    drain(desk, scene)
    # Before the upload, because the field is locked: the user may have chosen one.
    assert desk.plex.count("GET", "/posters$") == 1
    assert posters(desk) == 1
    assert waiting(desk) == []
    assert len(item.images["posters"]) == 2


def test_a_look_that_fails_is_made_later_and_one_at_a_gone_item_never(fill):
    desk, pairs = fill(2)
    desk.drain(*(scene for scene, _ in pairs))
    for _, item in pairs:
        item.locked.discard("thumb")
        item.selected.pop("posters")
        item.images["posters"].clear()
    fault = desk.plex.faults.add(Fault("status", method="GET", path="/posters$", times=None))
    desk.clock.step(5)
    assert desk.drain().error is None
    assert len(waiting(desk)) == 2 + 2
    assert desk.rows("SELECT * FROM outage") == []
    desk.plex.faults.remove(fault)
    desk.plex.remove_item(pairs[0][1])
    desk.clock.step(100)
    desk.restart()
    desk.drain()
    assert [key for key, _ in waiting(desk)] == [str(pairs[1][1].rating_key)]
    assert lost(desk) == set()


def test_a_worker_that_waits_looks_at_what_it_sent(fill):
    desk, [(scene, _)] = fill(1)
    desk.add(scene)
    desk.work(30)
    assert waiting(desk) == []
    assert desk.rows("SELECT 1 FROM server_trait") == []
