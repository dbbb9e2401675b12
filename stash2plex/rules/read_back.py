"""Pure: finds what Plex made of a write, from the item that was read back after it.

Plex answers 200 to anything that looks like an edit; only the item shows what it kept.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from stash2plex.model import LIST_FIELDS, Field, PlexItem, Record
from stash2plex.rules.memory import ListBefore, list_before, names_of
from stash2plex.rules.merge import held_text
from stash2plex.rules.spelling import (
    Spelling,
    counted,
    fold,
    folds,
    is_rounded,
    is_rounded_away,
    name_spelling,
    same_rating,
    text_spelling,
)
from stash2plex.rules.traits import Learnt, Trait, Traits

MAX_TRIES = 3
"""How many writes of a scene are tried, in every documented way; then Plex's value stands."""

OF_SPELLING = {
    Spelling.FORM: Trait.OWN_FORM,
    Spelling.CASE: Trait.OWN_CASE,
    Spelling.BLANKS: Trait.OWN_BLANKS,
    Spelling.MARKS: Trait.OWN_MARKS,
    Spelling.CUT: Trait.CUTS,
    Spelling.DAY: Trait.SHIFTS_DATES,
    Spelling.ROUNDING: Trait.ROUNDS,
}


@frozen
class Reading:
    """What a reading showed.

    `record` includes it. `again` are the fields that must be written again, in another way if there
    is one; `lost` are those that Plex does not keep in any way. `learnt` and `forgotten` are traits
    of the server.
    """

    record: Record
    again: frozenset[Field] = frozenset()
    lost: frozenset[Field] = frozenset()
    learnt: frozenset[Learnt] = frozenset()
    forgotten: frozenset[Learnt] = frozenset()


def read_back(record: Record, item: PlexItem | None, traits: Traits) -> Reading:
    """Compare what was written with what Plex shows now.

    Without an item there is nothing to compare: the scene looks it up when it is next processed.
    """
    if item is None or item.rating_key != record.rating_key:
        return Reading(evolve(record, unread={}, verified=False, tries=0))
    work = _Comparison(record, item, traits)
    for name in sorted(record.unread):
        work.compare(Field(name))
    return work.reading()


def shows_picture(name: Field, before: str, item: PlexItem) -> bool:
    """Return whether an item seems to show a picture that was sent to it.

    `before` is the address of its picture at that time, empty if the field was not locked. Plex
    locks the field of an upload, and gives each picture another address (plex.md §4.3).
    """
    return name in item.locked and (not before or item.pictures.get(name) != before)


@define
class _Comparison:
    """What was found so far in the comparison of one item."""

    record: Record
    item: PlexItem
    traits: Traits
    _shown: dict[str, object] = field(init=False)
    _wrong: set[Field] = field(init=False, factory=set)
    _learnt: set[Learnt] = field(init=False, factory=set)
    _forgotten: set[Learnt] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self._shown = dict(self.record.shown)

    def compare(self, name: Field) -> None:
        """Compare one field that was written."""
        if name is Field.RATING:
            good = self._compare_rating()
        elif name in LIST_FIELDS:
            good = self._compare_list(name)
        else:
            good = self._compare_text(name)
        if not good:
            self._wrong.add(name)
        elif self.traits.loses(name):
            self._forgotten.add((Trait.LOSES, name))

    def reading(self) -> Reading:
        """Decide what becomes of the fields that are not as they were written."""
        record = self.record
        last_try = record.tries + 1 >= MAX_TRIES
        again = {name for name in self._wrong if not (last_try or self._is_given_up(name))}
        lost = self._wrong - again
        for name in lost:
            self._take_as_shown(name)
        known = evolve(
            record,
            shown=self._shown,
            unread={name: record.unread[name] for name in sorted(again)},
            verified=True,
            tries=record.tries + 1 if again else 0,
            fingerprint="" if again else record.fingerprint,
        )
        learnt = self._learnt | {(Trait.LOSES, name) for name in lost}
        return Reading(
            known,
            frozenset(again),
            frozenset(lost),
            frozenset(learnt) - self.traits.known,
            frozenset(self._forgotten),
        )

    def _is_given_up(self, name: Field) -> bool:
        """Return whether every way was tried for a field, for this or another scene."""
        if self.traits.loses(name):
            return True
        tries = self.record.tries
        if name is Field.RATING:
            return tries > 0 and self.traits.has(Trait.RATES_APART)
        return name not in LIST_FIELDS and tries > 0

    def _take_as_shown(self, name: Field) -> None:
        if name is Field.RATING:
            self._shown[name] = self.item.rating
        elif name in LIST_FIELDS:
            self._shown[name] = list(self.item.lists.get(name, ()))
        else:
            self._shown[name] = held_text(self.item, name)

    def _note(self, name: Field, spelling: Spelling) -> None:
        trait = OF_SPELLING[spelling]
        is_general = trait in (Trait.SHIFTS_DATES, Trait.ROUNDS)
        self._learnt.add((trait, None if is_general else name))

    # -- one field ------------------------------------------------------------------------

    def _compare_text(self, name: Field) -> bool:
        written, held = str(self.record.written.get(name, "")), held_text(self.item, name)
        if held == written:
            return True
        spelling = text_spelling(name, written, held)
        if spelling is None:
            return False
        self._shown[name] = held
        self._note(name, spelling)
        return True

    def _compare_rating(self) -> bool:
        written, held = self.record.written.get(Field.RATING), self.item.rating
        if same_rating(written, held):
            return True
        if isinstance(written, (int, float)) and is_rounded(written, held):
            self._shown[Field.RATING] = held
            self._note(Field.RATING, Spelling.ROUNDING)
            return True
        if isinstance(written, (int, float)) and is_rounded_away(written, held):
            # It shows nothing about the server, which may also keep no rating at all.
            self._shown[Field.RATING] = held
            return True
        if written is not None:
            self._learnt.add((Trait.RATES_APART, None))
        return False

    def _compare_list(self, name: Field) -> bool:
        held = self.item.lists.get(name, ())
        written = names_of(self.record.written.get(name))
        before = list_before(self.record.unread[name])
        self._learn_lists(written, before, held)
        there, mine, held_before = counted(held), folds(written), folds(before.held)
        for value in written:
            if fold(value) in there and value not in held and fold(value) not in held_before:
                shown = next(entry for entry in held if fold(entry) == fold(value))
                self._note(name, name_spelling(value, shown) or Spelling.BLANKS)
        missing = [value for value in written if fold(value) not in there]
        strangers = [entry for entry in held if fold(entry) not in mine | held_before]
        if missing and all(self._find_spelling(name, value, strangers) for value in missing):
            self._take_as_shown(name)
            missing = []
        left_over = (folds(before.stale) - mine) & set(there)
        doubled = max(there.values(), default=0) > 1
        return not (missing or left_over or doubled)

    def _find_spelling(self, name: Field, value: str, strangers: list[str]) -> bool:
        """Look for a name that Plex respelt beyond recognition, among those that are not ours."""
        for stranger in strangers:
            spelling = name_spelling(value, stranger)
            if spelling is not None:
                self._note(name, spelling)
                return True
        return False

    def _learn_lists(
        self, written: tuple[str, ...], before: ListBefore, held: tuple[str, ...]
    ) -> None:
        """Learn what an edit of a list does on this server."""
        there, mine, gone = counted(held), folds(written), folds(before.stale)
        held_before, were = folds(before.held), counted(before.held)
        if any(there[value] > were[value] for value in held_before - gone):
            self._learnt.add((Trait.DOUBLES, None))
        left_over = gone - mine & set(there)
        if len(gone) > 1 and left_over and gone - set(there):
            self._learnt.add((Trait.ONE_REMOVAL, None))
        came, stays = mine - held_before, held_before - gone
        if before.delta and came & set(there) and stays:
            adds, replaces = (Trait.ADDS, None), (Trait.REPLACES, None)
            new, old = (adds, replaces) if stays <= set(there) else (replaces, adds)
            self._learnt.add(new)
            self._forgotten |= {old} & self.traits.known
