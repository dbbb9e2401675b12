"""Pure: which fields of an item are put back, and what is left as it is, and why.

A field is put back if Plex still shows what we wrote there. What was changed since then is the
user's, or another tool's: it is left alone. Lists are compared value by value.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, define, field, frozen

from stash2plex.model import IMAGE_FIELDS, LIST_FIELDS, Change, Field, ListChange, PlexItem
from stash2plex.rules.desired import clean_text
from stash2plex.rules.memory import Base, names_of
from stash2plex.rules.merge import HELD_LIMIT, held_text
from stash2plex.rules.spelling import counted, fold, folds, once, same_rating

NOT_KEPT = "Plex accepts it but does not keep it"
ALTERED = "Plex keeps another form of it"
EARLY = "it was written before the first states were kept"
NEWER = "a later write changed it once more"
NO_TITLE = "an item cannot be without a title"
"""Why a field cannot come back."""


CHOOSES_NONE = (1, 43)
"""The first version of Plex that can show no chosen picture, and so choose again (plex.md §4.1)."""


def chooses_none(version: str) -> bool:
    """Return whether a Plex of this version can take a choice back; an unknown one can."""
    numbers = version.split(".")[:2]
    known = len(numbers) == len(CHOOSES_NONE) and all(one.isdigit() for one in numbers)
    return not known or tuple(map(int, numbers)) >= CHOOSES_NONE


@frozen
class Goal:
    """What a field is to become. `is_locked` is None if its lock stays as it is.

    `taken` are the folded names that we took from a list, and that are to be there again.
    """

    value: object
    is_locked: bool | None = None
    taken: frozenset[str] = frozenset()


@frozen
class WayBack:
    """What to send to an item, and what becomes of each of its fields.

    `pictures` are the keys to choose, empty to choose none. `back` are the fields that show what
    they are to become afterwards, `theirs` those that were changed since.
    """

    change: Change
    pictures: Mapping[Field, str] = Factory(dict)
    back: frozenset[Field] = frozenset()
    theirs: frozenset[Field] = frozenset()
    cannot: Mapping[Field, str] = Factory(dict)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be sent."""
        return not (self.change.edits or self.change.clear_rating or self.pictures)

    @property
    def settled(self) -> frozenset[Field]:
        """The fields of which nothing is ours any more."""
        return self.back | self.theirs | (self.cannot.keys() - self.open_fields)

    @property
    def open_fields(self) -> frozenset[Field]:
        """The fields that may come back at another try."""
        return frozenset(name for name, why in self.cannot.items() if why != ALTERED)


@frozen
class ChosenPictures:
    """The pictures that an item shows now, by key.

    `ours` are the hashes of those that we sent. `is_open` means that the end of an upload of ours
    is unknown. `offers` are the keys of those that Plex itself has. `has_begun` means that we may
    have chosen one of them: an earlier try did not get to its end.
    """

    keys: Mapping[Field, str] = Factory(dict)
    offers: Mapping[Field, tuple[str, ...]] = Factory(dict)
    ours: Mapping[Field, frozenset[str]] = Factory(dict)
    is_open: bool = False
    has_begun: bool = False

    def is_ours(self, name: Field) -> bool:
        """Whether we sent the chosen picture."""
        key = self.keys[name]
        if any(key.endswith(digest) for digest in self.ours.get(name, ()) if digest):
            return True
        return self.is_open and key.startswith("upload://")


def plan_way_back(
    goals: Mapping[Field, Goal], item: PlexItem, base: Base, chosen: ChosenPictures
) -> WayBack:
    """Compare what an item shows with what we wrote there and with what it is to become."""
    work = _Work(item, base, chosen)
    for name, goal in goals.items():
        if name in IMAGE_FIELDS:
            work.take_picture(name, goal)
        elif name is Field.RATING:
            work.take_rating(goal)
        elif name in LIST_FIELDS:
            work.take_list(name, goal)
        else:
            work.take_text(name, goal)
    return work.way_back(goals)


@define
class _Work:
    item: PlexItem
    base: Base
    chosen: ChosenPictures
    texts: dict[Field, str] = field(factory=dict)
    lists: dict[Field, ListChange] = field(factory=dict)
    rating: float | None = None
    clears: bool = False
    pictures: dict[Field, str] = field(factory=dict)
    back: set[Field] = field(factory=set)
    theirs: set[Field] = field(factory=set)
    cannot: dict[Field, str] = field(factory=dict)

    def take_text(self, name: Field, goal: Goal) -> None:
        """Put a text back if it is the one that we wrote."""
        held, wanted = held_text(self.item, name), str(goal.value or "")
        if held == clean_text(wanted, HELD_LIMIT):
            self.back.add(name)
        elif not self.base.wrote(name, held):
            self.theirs.add(name)
        elif not wanted and name is Field.TITLE:
            self.cannot[name] = NO_TITLE
        else:
            self.texts[name] = wanted
            self.back.add(name)

    def take_rating(self, goal: Goal) -> None:
        """Put the rating back if we gave it, or took the last one away."""
        held, wanted = self.item.rating, goal.value
        if same_rating(held, wanted):
            self.back.add(Field.RATING)
        elif not self._rated(held):
            self.theirs.add(Field.RATING)
        else:
            self.back.add(Field.RATING)
            if isinstance(wanted, (int, float)) and wanted:
                self.rating = float(wanted)
            else:
                self.clears = True

    def _rated(self, held: float | None) -> bool:
        """Return whether we gave this rating, or took the last one away."""
        if held:
            return self.base.rated(held)
        return Field.RATING not in self.base.last.written

    def take_list(self, name: Field, goal: Goal) -> None:
        """Take our values away and add those that we took away; what else changed stays."""
        held, wanted = self.item.lists.get(name, ()), once(names_of(goal.value))
        ours = self.base.ours(name)
        by_name = {fold(value): value for value in wanted}
        staying = [
            value for value in once(held) if fold(value) in by_name or fold(value) not in ours
        ]
        missing = [value for value in wanted if fold(value) not in folds(held)]
        lost = [value for value in missing if fold(value) not in goal.taken]
        target = [
            by_name[fold(value)] if fold(value) in by_name and fold(value) in ours else value
            for value in staying
        ]
        target += [value for value in missing if value not in lost]
        there = counted(held)
        again = {
            fold(value)
            for value in target
            if there[fold(value)] > 1 or (there[fold(value)] and value not in held)
        }
        names = folds(target)
        if names != set(there) or again:
            gone = [value for value in held if fold(value) not in names or fold(value) in again]
            self.lists[name] = ListChange(tuple(target), tuple(dict.fromkeys(gone)))
        is_theirs = bool(lost) or any(fold(value) not in by_name for value in staying)
        (self.theirs if is_theirs else self.back).add(name)

    def take_picture(self, name: Field, goal: Goal) -> None:
        """Choose the earlier picture if the chosen one is ours; without a look, do nothing."""
        if name not in self.chosen.keys:
            return
        is_own = goal.value is None and (self.chosen.has_begun or name not in self.item.locked)
        if self.chosen.keys[name] == goal.value:
            self.back.add(name)
        elif not self.chosen.is_ours(name):
            (self.back if is_own else self.theirs).add(name)
        elif isinstance(goal.value, str):
            self.pictures[name] = goal.value
            self.back.add(name)
        else:
            # Plex chooses itself once nothing is chosen; the only one that it has is the same.
            offers = self.chosen.offers.get(name, ())
            self.pictures[name] = offers[0] if len(offers) == 1 else ""
            self.back.add(name)

    def way_back(self, goals: Mapping[Field, Goal]) -> WayBack:
        """Return what is to be sent; a lock that is not kept goes with its field."""
        changed = {*self.texts, *self.lists, *self.pictures}
        unlocks = {
            name
            for name in self.back
            if goals[name].is_locked is False and name in changed | self.item.locked
        }
        change = Change(
            self.texts,
            self.lists,
            self.rating,
            self.clears,
            unlocks=frozenset(unlocks),
        )
        return WayBack(
            change,
            self.pictures,
            frozenset(self.back),
            frozenset(self.theirs),
            self.cannot,
        )
