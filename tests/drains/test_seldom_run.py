"""Lines that run only when something is damaged, refused or away at one certain moment."""

from __future__ import annotations

import os

import pytest

from stash2plex.config import Settings
from stash2plex.errors import Rejected, Transient
from stash2plex.model import Change, Field, ListChange
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.hook_checks import check_hooks
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.health.local_checks import check_database
from stash2plex.operations.status import stored_status
from stash2plex.rules.desired import ENCODED_LIMIT, desired_state, what_was_cut
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.memory import ListBefore, list_before
from stash2plex.rules.scopes import known_scope, scope_of
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.store.progress import Progress
from stash2plex_testing.plex import Fault, combined, scopes
from tests.support import make_scene, named


@pytest.mark.parametrize("value", [None, "text", 5, ["Fog"]])
def test_a_damaged_list_of_before_a_write_counts_as_empty(value):
    assert list_before(value) == ListBefore()


def test_a_failure_whose_reach_is_known_is_not_guessed():
    known = Rejected("Plex", "Plex does not take the title.")
    known.scope = "field"
    assert {scope_of(known, server_works=works) for works in (True, False)} == {"field"}
    open_ = Transient("Plex", "Plex answered with half a page.")
    if known_scope(open_) is None:
        assert scope_of(open_, server_works=True) == "item"
        assert scope_of(open_, server_works=False) == "server"


def test_health_without_stash_says_what_cannot_be_checked(make_desk):
    desk = make_desk()
    scene, _ = desk.scene("a.mp4"), desk.item("a.mp4")
    desk.drain(scene)
    desk.stash.down()
    check = check_hooks(desk.app.stash, "v0.28.0")
    assert (check.ok, "refuses the connection" in check.detail) == (False, True)
    assert check_kept(desk.app).detail == "Plex keeps everything as it was sent."


def test_why_an_earlier_version_waited_is_shown_as_it_wrote_it(make_desk):
    desk = make_desk()
    desk.app.book.write(Progress(left=1, origin="worker"))
    desk.app.store.connection.execute("UPDATE drain SET note = 'Plex rests.'")
    held = desk.app.book.read(1).wait
    assert (held.why, held.outlook) == ("Plex rests.", None)
    assert stored_status(desk.app)["worker"]["note"] in (None, "Plex rests.")


def test_an_item_that_cannot_be_read_is_explained_as_unknown(make_desk):
    desk = make_desk()
    scenes = [desk.scene("a.mp4", size=1), desk.scene("b.mp4", size=2)]
    items = [desk.item("a.mp4", size=1), desk.item("b.mp4", size=2)]
    desk.drain(*scenes)
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[0], "read")))
    known = explain_scene(desk.app, scenes[0].id)
    assert (known.state, len(known.unknown)) == ("unknown", 1)
    assert known.unknown[0].startswith("What Plex holds: ")
    assert explain_scene(desk.app, scenes[1].id).unknown == []


def test_where_plex_replaces_lists_no_scenes_share_an_edit_of_one(make_desk):
    desk = make_desk()
    desk.plex.traits = combined("replaces_sets")
    fog, ebb = desk.stash.add_tag("Fog"), desk.stash.add_tag("Ebb")
    scenes = [desk.scene(f"{at}.mp4", size=at + 1, tags=[fog]) for at in range(3)]
    items = [desk.item(f"{at}.mp4", size=at + 1) for at in range(3)]
    desk.drain(*scenes)
    for scene in scenes:
        scene.tags = [fog, ebb]
    desk.drain(*scenes)
    assert [sorted(item.tags["genre"]) for item in items] == [["Ebb", "Fog"]] * 3


def test_what_is_cut_is_reported():
    scene = make_scene(performers=named(*(f"Performer {at}" for at in range(1_230))))
    cut = what_was_cut(scene, desired_state(scene, Settings()), Settings())
    ((line, *values),) = cut
    assert line % tuple(values) == (
        "“A harbour” has more performers than Plex takes: the first 200 of 1,230 are sent."
    )


def test_names_to_remove_fill_a_request_and_no_more():
    # A name of 97 letters takes 100 bytes, with the comma: 160 of them are just not too many.
    names = tuple(f"{at:03}".ljust(97, "x") for at in range(400))
    change = Change({}, {Field.TAGS: ListChange((), names)})
    parts = [part.lists[Field.TAGS].stale for part in edit_parts(change, NO_TRAITS, delta=False)]
    assert [name for part in parts for name in part] == list(names)
    full = ENCODED_LIMIT // 100
    assert [len(part) for part in parts] == [full, full, 400 - 2 * full]


def test_the_size_of_the_database_is_shown(make_desk, monkeypatch):
    desk = make_desk()
    monkeypatch.setattr(os.path, "getsize", lambda _: 3 * 1_048_576 + 524_288)
    assert check_database(desk.app).detail == "It is intact and can be written, 3.5 MiB."
