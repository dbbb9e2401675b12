"""Random histories of one item: saves, edits in Plex, syncs, kills, undos and redos.

Undo of all is what the item showed first, up to what the user changed since; undo twice is undo
once; sync, undo, sync is sync. The user's values differ from all others, so each value shows whose
it is. What Plex does with an edit is the stand-in's code.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from attrs import evolve
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from stash2plex.config import Settings
from stash2plex.model import Entity, Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.first_state import FirstState, value_of, values_before
from stash2plex.rules.memory import names_of
from stash2plex.rules.merge import announcement, plan_change, remember
from stash2plex.rules.spelling import fold, folds
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.rules.undo_goals import goals_of
from stash2plex.servers.plexedit import PLEX_NAMES, edit_parameters
from stash2plex.servers.plexwire import WireRow, read_item
from stash2plex.servers.wire import make_converter, structure
from stash2plex.sync.undoing import weigh
from stash2plex_testing.plex.library import PlexLibrary
from stash2plex_testing.plex.render import item_row
from tests.support import ManualClock, make_scene, named, present

PLAIN = (Field.TITLE, Field.SUMMARY, Field.RATING)
LISTED = (Field.TAGS, Field.COLLECTION)
OURS = st.sampled_from(["", "Fog", "Tide"])
NAMES = st.lists(st.sampled_from(["Fog", "Tide", "Wind, cold"]), unique=True, max_size=3)
FIRST_NAMES = st.lists(st.sampled_from(["Fog", "Old", "tide"]), unique=True, max_size=3)
BY_HAND = ("By hand", "By another hand")


class Quay(RuleBasedStateMachine):
    """One scene and its item. `theirs` is what the user wrote since, `away` what they removed."""

    @initialize(
        semantics=st.sampled_from(["append", "replace"]),
        summary=st.sampled_from(["", "Old"]),
        tags=FIRST_NAMES,
        collections=FIRST_NAMES,
        stars=st.sampled_from([None, 3.0]),
        locked=st.frozensets(st.sampled_from(["title", "summary", "genre", "collection"])),
    )
    def start(self, semantics, summary, tags, collections, stars, locked):
        self.library = PlexLibrary(ManualClock())
        self.library.traits.tags = semantics
        section = self.library.add_section("Harbour Films", "movie", ["/media"])
        self.held = self.library.add_item(section, [("/media/a.mp4", 1)], None, {})
        self.held.texts["summary"] = summary
        self.held.tags.update(genre=list(tags), collection=list(collections))
        if stars:
            self.held.floats["userRating"] = stars
        self.held.locked |= locked
        self.scene = make_scene(title="")
        self.settings = Settings()
        self.forget()

    def forget(self):
        self.record: Record | None = None
        self.first: FirstState | None = None
        self.theirs: dict[Field, object] = {}
        self.away: dict[Field, set[str]] = {name: set() for name in LISTED}

    # -- the user -------------------------------------------------------------------------

    @rule(title=OURS, details=OURS, tags=NAMES, studio=OURS, rating=st.sampled_from([None, 40, 70]))
    def save(self, title, details, tags, studio, rating):
        self.scene = evolve(
            self.scene,
            title=title,
            details=details,
            tags=named(*tags),
            studio=Entity(1, studio) if studio else None,
            rating100=rating,
        )

    @rule(preserve=st.booleans())
    def choose(self, preserve):
        self.settings = evolve(self.settings, preserve_plex_edits=preserve)

    @rule(name=st.sampled_from([Field.TITLE, Field.SUMMARY]), text=st.sampled_from(BY_HAND))
    def type_text(self, name, text):
        self.edit(**{f"{PLEX_NAMES[name]}.value": text, f"{PLEX_NAMES[name]}.locked": "1"})
        self.theirs[name] = text

    @rule(stars=st.sampled_from([9.0, 2.0]))
    def rate(self, stars):
        self.library.rate(self.held, stars)
        self.theirs[Field.RATING] = stars

    @rule(name=st.sampled_from(LISTED), value=st.sampled_from(BY_HAND))
    def add_value(self, name, value):
        held = self.held.tags.get(PLEX_NAMES[name], [])
        values = {f"{PLEX_NAMES[name]}[{i}].tag.tag": one for i, one in enumerate([*held, value])}
        if value not in held:
            self.edit(**values, **{f"{PLEX_NAMES[name]}.locked": "1"})

    @rule(name=st.sampled_from(LISTED), number=st.integers(0, 3))
    def remove_value(self, name, number):
        held = self.held.tags.get(PLEX_NAMES[name], [])
        if number < len(held):
            value = held[number]
            self.edit(**{f"{PLEX_NAMES[name]}[].tag.tag-": value.replace(",", "%2C")})
            self.away[name].add(value)

    def edit(self, **parameters):
        query = parse_qs(urlencode(parameters), keep_blank_values=True)
        self.library.edit([self.held], query, whole=False)

    # -- syncs ----------------------------------------------------------------------------

    @rule()
    def sync(self):
        if desired_state(self.scene, self.settings).empty:
            # Such a scene is left out.
            return
        desired, item, change = self.announce()
        written, removed = remember(desired, item, change, self.record)
        self.send(change)
        self.record = Record(1, item.rating_key, "1", "/media/a.mp4", "path", "f", written)
        self.record = evolve(self.record, removed=removed, verified=True)
        self.note_overwritten()

    @rule()
    def killed_after_the_edit(self):
        """The edit reached Plex, and no process knows."""
        if desired_state(self.scene, self.settings).empty:
            return
        _, _, change = self.announce()
        self.send(change)
        self.note_overwritten()

    def announce(self):
        desired, item = desired_state(self.scene, self.settings), self.look()
        change = plan_change(desired, item, self.record, preserve=self.settings.preserve_plex_edits)
        known = self.first or FirstState(1, item.rating_key, "s", "1", "/media/a.mp4", 0.0)
        written = self.record.written if self.record else {}
        new = values_before(item, change, written, self.first)
        self.first = evolve(known, fields={**known.fields, **new})
        announced = announcement(desired, item, change, self.record)
        record = self.record or Record(1, item.rating_key, "1", "/media/a.mp4", "path", "", {})
        self.record = evolve(record, announced=(*record.announced, announced))
        return desired, item, change

    def note_overwritten(self):
        item = self.look()
        for name in PLAIN:
            if name in self.theirs and value_of(item, name) != self.theirs[name]:
                del self.theirs[name]
        for name in LISTED:
            self.away[name] = {
                one for one in self.away[name] if fold(one) not in folds(item.lists[name])
            }

    # -- undo -----------------------------------------------------------------------------

    @rule()
    def undo(self):
        """Put all back; then nothing is ours, and the next sync is like the first one."""
        if self.first is None or not self.first.fields:
            return
        before = self.look()
        self.send(self.way_back().change)
        self.check(before)
        assert self.way_back().is_idle, "undo twice is undo once"
        self.forget()

    @rule()
    def killed_in_an_undo(self):
        """The edit reached Plex; the next process puts back once more."""
        if self.first is not None and self.first.fields:
            self.send(self.way_back().change)
            self.undo()

    @rule()
    def sync_undo_and_sync(self):
        """A redo after an undo is the same as no undo."""
        self.choose(False)
        self.undo()
        self.sync()
        after = self.shown()
        self.undo()
        self.sync()
        assert self.shown() == after

    def check(self, before):
        """Compare with what was there first, up to what the user changed since."""
        after, first = self.look(), present(self.first)
        for name in (*PLAIN, *LISTED):
            if name not in first.fields:
                assert value_of(after, name) == value_of(before, name)
        for name in PLAIN:
            if name in first.fields:
                kept = first.fields[name]
                wanted = self.theirs.get(name, kept.value)
                assert value_of(after, name) == wanted, name
                if name not in self.theirs and name is not Field.RATING:
                    assert (name in after.locked) == kept.locked, name
        for name in LISTED:
            if name in first.fields:
                self.check_list(name, set(after.lists[name]), set(before.lists[name]))

    def check_list(self, name, after, before):
        first = set(names_of(present(self.first).fields[name].value))
        by_hand = before & set(BY_HAND)
        assert folds(after) == folds(first - self.away[name]) | folds(by_hand), name

    # -- Plex -----------------------------------------------------------------------------

    def way_back(self):
        back = present(
            goals_of(present(self.first), self.record, asked_run=0, fields=frozenset(), writes=())
        )
        return weigh(back, "s", self.look()).way

    def look(self):
        row = item_row(self.held, detail=True, without=frozenset())
        return read_item(structure(make_converter(), row, WireRow, "Plex", "a test"), "1")

    def shown(self):
        item = self.look()
        return (
            {name: value_of(item, name) for name in PLAIN},
            {name: sorted(item.lists[name]) for name in LISTED},
            item.locked,
        )

    def send(self, change):
        for part in edit_parts(change, NO_TRAITS, delta=False) if change.edits else ():
            parameters = parse_qs(urlencode(edit_parameters(part)), keep_blank_values=True)
            self.library.edit([self.held], parameters, whole=False)
        if change.clear_rating:
            self.library.rate(self.held, -1)


TestQuay = Quay.TestCase
TestQuay.settings = hypothesis_settings(max_examples=60, stateful_step_count=15, deadline=None)
