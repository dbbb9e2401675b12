"""What Plex holds in a spelling of its own, while nothing is recorded of it."""

from __future__ import annotations

from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.merge import plan_change, remember, remember_shown
from tests.support import make_item, make_scene

UNKNOWN = Record(1, "7", "1", "/media/a.mp4", "path", "f", {})
RATES = Record(1, "7", "1", "/media/a.mp4", "path", "f", {"rating": 7.0})


def plan(scene, item, record=UNKNOWN, *, preserve=True):
    return plan_change(desired_state(scene, Settings()), item, record, preserve=preserve)


def test_a_rounded_rating_counts_as_ours_only_where_edits_are_kept_and_nothing_is_known():
    scene, item = make_scene(rating100=77), make_item(rating=8.0)
    assert plan(scene, item).rating is None
    assert plan(scene, item, preserve=False).rating == 7.7
    assert plan(scene, item, RATES).rating == 7.7


def test_a_locked_title_in_other_letters_is_ours_and_its_spelling_is_remembered():
    scene = make_scene(title="The sound of tides")
    item = make_item(texts={Field.TITLE: "The Sound Of Tides"}, locked=frozenset({Field.TITLE}))
    change = plan(scene, item)
    assert Field.TITLE not in {*change.texts, *change.kept}
    desired = desired_state(scene, Settings())
    written, _ = remember(desired, item, change, UNKNOWN)
    assert written["title"] == "The sound of tides"
    shown, unread = remember_shown(desired, item, change, UNKNOWN, delta=False)
    assert (shown["title"], "title" in unread) == ("The Sound Of Tides", False)
    # Unlocked, nothing shows that we wrote it.
    assert plan(scene, evolve(item, locked=frozenset())).texts[Field.TITLE] == scene.title
