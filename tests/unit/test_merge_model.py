"""Two users and a syncer: whatever the order, nobody's work is lost.

One user edits in Stash, another in Plex, syncs run, settings change, records are lost, runs are
killed between the edit and the record. What Plex does with an edit is the stand-in's code.
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
from stash2plex.rules.merge import announcement, plan_change, remember
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.servers.plexedit import PLEX_NAMES, edit_parameters
from stash2plex.servers.plexwire import WireRow, read_item
from stash2plex.servers.wire import make_converter, structure
from stash2plex_testing.plex.library import PlexLibrary
from stash2plex_testing.plex.render import item_row
from tests.support import ManualClock, make_scene, named

TEXTS = {Field.TITLE: "title", Field.SUMMARY: "details"}
WORDS = st.sampled_from(["", "Fog", "Tide", "Wind"])
NAMES = st.lists(st.sampled_from(["Fog", "Tide", "Wind, cold"]), unique=True, max_size=3)
NAME = st.sampled_from(["Fog", "Tide", "Wind, cold", "By hand"])
LISTED = (Field.TAGS, Field.COLLECTION)
LISTS = st.sampled_from(LISTED)
RATINGS = st.none() | st.sampled_from([40, 70])


class Harbour(RuleBasedStateMachine):
    """One scene and its item. `theirs`, `added` and `away` are what the user in Plex did.

    `base` holds what Plex showed of ours after a sync, so that undoing an edit is no edit; `unsure`
    names the fields where that is not known, `doubt` the values that an unseen edit was about: the
    user's edit of those cannot be distinguished from ours.
    """

    @initialize(semantics=st.sampled_from(["append", "replace"]), title=WORDS)
    def start(self, semantics, title):
        self.library = PlexLibrary(ManualClock())
        self.library.traits.tags = semantics
        section = self.library.add_section("Harbour Films", "movie", ["/media"])
        self.held = self.library.add_item(section, [("/media/a.mp4", 1)], None, {})
        self.scene = make_scene(title=title)
        self.settings = Settings()
        self.record = None
        self.theirs, self.base = {}, {}
        self.added: dict[Field, set[str]] = {name: set() for name in LISTED}
        self.away: dict[Field, set[str]] = {name: set() for name in LISTED}
        self.noticed: dict[Field, set[str]] = {name: set() for name in LISTED}
        self.doubt: dict[Field, set[str]] = {name: set() for name in LISTED}
        self.unsure = set(Field)

    # -- the person in Stash --------------------------------------------------------------

    @rule(title=WORDS, details=WORDS, tags=NAMES, studio=WORDS, rating=RATINGS)
    def save(self, title, details, tags, studio, rating):
        self.scene = evolve(
            self.scene,
            title=title,
            details=details,
            tags=named(*tags),
            studio=Entity(1, studio) if studio else None,
            rating100=rating,
        )

    # -- the person in Plex ---------------------------------------------------------------

    def edit(self, **parameters):
        query = parse_qs(urlencode(parameters), keep_blank_values=True)
        self.library.edit([self.held], query, whole=False)

    @rule(name=st.sampled_from(sorted(TEXTS)), text=st.sampled_from(["", "Fog", "By hand"]))
    def type_text(self, name, text):
        if text or name is not Field.TITLE:
            self.edit(**{f"{PLEX_NAMES[name]}.value": text, f"{PLEX_NAMES[name]}.locked": "1"})
            self.theirs[name] = text
            if text in self.base.get(name, ()):
                del self.theirs[name]

    @rule(name=LISTS, value=NAME)
    def add_value(self, name, value):
        held = self.held.tags.get(PLEX_NAMES[name], [])
        if value not in held:
            whole = {
                f"{PLEX_NAMES[name]}[{i}].tag.tag": one for i, one in enumerate([*held, value])
            }
            self.edit(**whole, **{f"{PLEX_NAMES[name]}.locked": "1"})
            back = value in self.away[name] and value not in self.noticed[name]
            if not back and value not in self.doubt[name]:
                self.added[name].add(value)
            self.away[name].discard(value)

    @rule(name=LISTS, value=NAME)
    def remove_value(self, name, value):
        plex_name = PLEX_NAMES[name]
        if value in self.held.tags.get(plex_name, []):
            self.edit(**{f"{plex_name}[].tag.tag-": value.replace(",", "%2C")})
            self.edit(**{f"{plex_name}.locked": "1"})
            if value in self.added[name]:
                self.added[name].discard(value)
            elif value in self.base.get(name, ()) and value not in self.doubt[name]:
                self.away[name].add(value)
                self.noticed[name].discard(value)

    @rule(stars=st.sampled_from([-1, 4, 7, 2]))
    def rate(self, stars):
        if stars < 0 and "userRating" not in self.held.floats:
            return
        self.library.rate(self.held, stars)
        rating = None if stars < 0 else float(stars)
        known = self.record is not None and Field.RATING in {*self.theirs, *self.base}
        if rating is None and not known:
            # Without a record nobody can know that there was one.
            self.theirs.pop(Field.RATING, None)
            return
        self.theirs[Field.RATING] = rating
        if self.theirs[Field.RATING] in self.base.get(Field.RATING, ()):
            del self.theirs[Field.RATING]

    @rule(name=st.sampled_from([*TEXTS, Field.TAGS, Field.COLLECTION]))
    def unlock(self, name):
        """Hand a field back."""
        self.edit(**{f"{PLEX_NAMES[name]}.locked": "0"})
        self.theirs.pop(name, None)
        self.unsure.discard(name)
        if name in self.away:
            # What is not ours stays in a list that is empty in Stash.
            self.unsure.add(name)
            self.away[name].clear()
            self.base.pop(name, None)
        if name is Field.TAGS:
            self.added[name].clear()

    # -- settings and accidents -----------------------------------------------------------

    @rule(preserve=st.booleans(), most=st.sampled_from([2, 100]))
    def choose(self, preserve, most):
        self.settings = evolve(self.settings, preserve_plex_edits=preserve, max_tags=most)

    @rule(skipped=st.frozensets(st.sampled_from([*TEXTS, Field.TAGS, Field.RATING]), max_size=2))
    def skip(self, skipped):
        self.settings = evolve(self.settings, skip_fields=skipped)

    @rule()
    def lose_the_record(self):
        if self.record is None:
            return
        self.record = None
        self.base.clear()
        self.unsure = set(Field)
        # Collections are shared: ours is added beside a person's when nothing is known.
        self.away[Field.COLLECTION].clear()
        # Nothing tells a rating that a person took away from one that was never given.
        if self.theirs.get(Field.RATING, 0.0) is None:
            del self.theirs[Field.RATING]

    @rule()
    def killed_after_the_edit(self):
        """The edit reached Plex; nobody knows."""
        desired, item = self.look()
        change = self.plan(desired, item)
        if not change.fields:
            return
        _, removed = remember(desired, item, change, self.record)
        written = announcement(desired, item, change, self.record)
        known = self.record or Record(1, item.rating_key, "1", "/media/a.mp4", "path", "", {})
        self.record = evolve(known, announced=(*known.announced, written), removed=removed)
        before = self.shown(item)
        self.send(change)
        for name in self.doubt:
            self.doubt[name] |= {*before[name], *desired.lists.get(name, ())}
            # What Stash wants too is ours from the announcement on, as it is after a sync.
            self.added[name] -= {*desired.lists.get(name, ())}
        texts = {name: value for name, value in desired.texts.items() if name in TEXTS}
        wanted = {**texts, **({Field.RATING: desired.rating} if desired.rates else {})}
        for name, value in wanted.items():
            if before[name] == value:
                # The same holds for a value that Plex showed already.
                self.theirs.pop(name, None)
                self.base[name] = {*self.base.get(name, ()), value}
        for name, value in self.shown(self.look()[1]).items():
            if value != before[name]:
                self.note_unseen(name, before[name], value, change)

    def note_unseen(self, name, before, after, change):
        if name in self.added:
            # What was sent is in doubt; what stayed is not.
            self.base[name] = (
                frozenset(before) & frozenset(after) & self.base.get(name, frozenset())
            )
        else:
            self.base[name] = {*self.base.get(name, ()), before, after}
        if not self.settings.preserve_plex_edits:
            self.forgive(name, change)

    # -- sync -----------------------------------------------------------------------------

    def look(self):
        row = item_row(self.held, detail=True, without=frozenset())
        item = read_item(structure(make_converter(), row, WireRow, "Plex", "a test"), "1")
        return desired_state(self.scene, self.settings), item

    def plan(self, desired, item):
        preserve = self.settings.preserve_plex_edits
        return plan_change(desired, item, self.record, preserve=preserve)

    def send(self, change):
        for part in edit_parts(change, NO_TRAITS, delta=False) if change.edits else ():
            parameters = parse_qs(urlencode(edit_parameters(part)), keep_blank_values=True)
            self.library.edit([self.held], parameters, whole=False)
        if change.clear_rating:
            self.library.rate(self.held, -1)

    def shown(self, item):
        return {
            **{name: item.texts[name] for name in TEXTS},
            **{name: item.lists[name] for name in self.added},
            Field.RATING: item.rating,
        }

    def forgive(self, name, change):
        """Stash wins: what the user did to the field before no longer counts."""
        if name in self.added:
            self.away[name].clear()
            if name is Field.TAGS and self.scene.tags:
                self.added[name].clear()
        elif name in change.fields:
            self.theirs.pop(name, None)

    @rule()
    def sync(self):
        desired, item = self.look()
        before = self.shown(item)
        change = self.plan(desired, item)
        self.send(change)
        written, removed = remember(desired, item, change, self.record)
        self.record = Record(
            1, item.rating_key, "1", "/media/a.mp4", "path", "f", written, removed=removed
        )
        after_item = self.look()[1]
        again = self.plan(desired, after_item)
        assert not again.edits, again
        assert not again.clear_rating
        after = self.shown(after_item)
        if desired.empty:
            assert after == before
            return
        for name in self.settings.skip_fields & set(after):
            assert after[name] == before[name]
        for name in TEXTS:
            if name in desired.texts:
                self.check_value(name, desired.texts[name], before[name], after[name], "")
        if desired.rates:
            rating = desired.rating
            self.check_value(Field.RATING, rating, before[Field.RATING], after[Field.RATING], None)
        for name in self.added:
            if name in desired.lists:
                self.check_list(name, set(desired.lists[name]), set(after[name]))

    def check_value(self, name, wanted, before, after, nothing):
        preserve = self.settings.preserve_plex_edits
        if before == wanted:
            self.theirs.pop(name, None)
        if name in self.theirs and (preserve or wanted == nothing):
            assert after == self.theirs[name], f"a person's {name} was lost"
            self.base.pop(name, None)
            return
        if wanted != nothing and (not preserve or name not in self.unsure):
            assert after == wanted, f"{name} is not as in Stash"
        if wanted == nothing and name not in self.unsure and before in self.base.get(name, ()):
            assert after == ("a" if name is Field.TITLE else nothing), f"our {name} was not cleared"
        self.theirs.pop(name, None)
        if after == wanted:
            self.unsure.discard(name)
        if after == wanted or before in self.base.get(name, ()):
            self.base[name] = {after}
        else:
            self.base.pop(name, None)

    def check_list(self, name, wanted, after):
        shared = name is Field.COLLECTION
        self.added[name] -= wanted
        self.away[name] &= wanted
        if self.settings.preserve_plex_edits:
            assert not self.away[name] & after, "what the user removed came back"
            assert self.added[name] <= after, "what the user added was lost"
            self.noticed[name] |= self.away[name]
            if name not in self.unsure:
                assert after == (wanted - self.away[name]) | self.added[name]
        else:
            assert wanted <= after
            self.away[name].clear()
            if wanted and not shared:
                assert after == wanted
                self.added[name].clear()
            assert self.added[name] <= after
            if name not in self.unsure:
                assert after == wanted | self.added[name]
        if after == wanted | self.added[name]:
            self.unsure.discard(name)
        self.base[name] = frozenset(after & wanted)
        self.doubt[name].clear()


def test_a_summary_that_is_empty_again_after_an_unseen_edit_gets_the_text_of_stash():
    """Whether the user emptied it or the edit never came cannot be distinguished."""
    harbour = Harbour()
    harbour.start(semantics="append", title="")
    harbour.unlock(Field.SUMMARY)
    harbour.save(title="", details="Fog", tags=[], studio="", rating=None)
    harbour.choose(preserve=True, most=100)
    harbour.killed_after_the_edit()
    harbour.type_text(Field.SUMMARY, "")
    harbour.sync()
    assert harbour.held.texts["summary"] == "Fog"


def test_a_collection_of_the_user_that_stash_wanted_too_goes_with_its_studio():
    """Also after a kill, as it does after a sync."""
    harbour = Harbour()
    harbour.start(semantics="append", title="")
    harbour.add_value(Field.COLLECTION, "Tide")
    harbour.save(title="", details="", tags=[], studio="Tide", rating=None)
    harbour.killed_after_the_edit()
    harbour.save(title="", details="", tags=["Fog"], studio="", rating=None)
    harbour.sync()
    assert harbour.held.tags["collection"] == []


def test_a_tag_of_an_unseen_edit_is_still_ours_after_tags_were_skipped_for_a_while():
    harbour = Harbour()
    harbour.start(semantics="append", title="Pier")
    harbour.save(title="Pier", details="", tags=["Fog"], studio="", rating=70)
    harbour.killed_after_the_edit()
    harbour.save(title="Pier", details="", tags=[], studio="", rating=None)
    harbour.skip(frozenset({Field.TAGS, Field.RATING}))
    harbour.sync()
    assert harbour.held.tags["genre"] == ["Fog"]
    harbour.skip(frozenset())
    harbour.sync()
    assert (harbour.held.tags["genre"], harbour.held.floats) == ([], {})


TestHarbour = Harbour.TestCase
TestHarbour.settings = hypothesis_settings(max_examples=100, stateful_step_count=25, deadline=None)


def test_a_text_of_the_user_that_stash_wanted_too_goes_when_stash_empties_it():
    """Also after a kill, as it does after a sync."""
    harbour = Harbour()
    harbour.start(semantics="append", title="")
    harbour.type_text(Field.SUMMARY, "Fog")
    harbour.save(title="", details="Fog", tags=[], studio="", rating=40)
    harbour.killed_after_the_edit()
    harbour.save(title="Fog", details="", tags=[], studio="", rating=None)
    harbour.sync()
    assert harbour.held.texts.get("summary", "") == ""
