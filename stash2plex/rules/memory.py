"""Pure: works out from the recorded writes to one item which of its values are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import Factory, frozen

from stash2plex.model import Field, ListChange, PlexItem, Record
from stash2plex.rules.spelling import (
    counted,
    fold,
    folds,
    is_rounded,
    name_spelling,
    same_rating,
    text_spelling,
)

NOTHING: Mapping[str, object] = {}

BACK = "+back"
"""For an announced write: the names of each list that one request removes and the next adds."""

BEFORE = "+before"
"""For an announced write: what each field that it changes showed before it."""


@frozen
class Version:
    """One write: what was written, what Plex made of it, and what was there before it.

    `shown` has the fields where Plex shows something other than what was written, `before` those
    that were not read back yet. `verified` means that the others were read back as written.
    """

    written: Mapping[str, object] = NOTHING
    shown: Mapping[str, object] = NOTHING
    before: Mapping[str, object] = NOTHING
    verified: bool = False

    def made(self, name: Field, held: str) -> bool:
        """Return whether Plex may have made this text of what was written."""
        if name not in self.written:
            return False
        written = str(self.written[name])
        if held in (written, self.shown.get(name)):
            return True
        return self.is_open(name) and text_spelling(name, written, held) is not None

    def is_open(self, name: Field) -> bool:
        """Return whether Plex's spelling of what was written is not known yet."""
        return name not in self.shown and (name in self.before or not self.verified)

    def rated(self, held: float | None) -> bool:
        """Return whether Plex may have made this rating of the written one."""
        if Field.RATING not in self.written:
            return False
        written = self.written[Field.RATING]
        if same_rating(held, written) or same_rating(held, self.shown.get(Field.RATING)):
            return True
        return self.is_open(Field.RATING) and _is_rounded(written, held)

    def surely(self, name: Field) -> set[str]:
        """Return the folded names that we wrote to a list and that Plex showed."""
        there = folds(names_of(self.written.get(name)))
        if name in self.shown:
            return there & folds(names_of(self.shown[name]))
        if name in self.before:
            return there & folds(list_before(self.before[name]).held)
        return there


@frozen
class ListBefore:
    """A list before a write: what it held, and what was to be removed.

    `delta` means that only missing values were sent, not the whole list.
    """

    held: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    delta: bool = False

    def plain(self) -> dict[str, object]:
        """Return the list as the database stores it."""
        return {"held": list(self.held), "stale": list(self.stale), "delta": self.delta}


def list_before(value: object) -> ListBefore:
    """Read a list before a write from the database's value; empty if that is damaged."""
    if not isinstance(value, Mapping):
        return ListBefore()
    return ListBefore(
        names_of(value.get("held")), names_of(value.get("stale")), value.get("delta") is True
    )


@frozen
class Base:
    """What is known about the last writes. The first of `versions` certainly was ours.

    A process that was killed may or may not have sent what it announced, so each version counts as
    ours.
    """

    versions: tuple[Version, ...] = (Version(),)
    removed: Mapping[str, object] = Factory(dict)

    @property
    def last(self) -> Version:
        """The last write whose end is known."""
        return self.versions[0]

    # -- texts ----------------------------------------------------------------------------

    def wrote(self, name: Field, held: str) -> bool:
        """Return whether we wrote this text, apart from Plex's spelling."""
        return any(version.made(name, held) for version in self.versions)

    def may_overwrite(self, name: Field, held: str) -> bool:
        """Return whether a text is ours, or should have been changed by one of our writes."""
        return self.wrote(name, held) or any(
            version.before.get(name) == held for version in self.versions
        )

    def knows(self, name: Field) -> bool:
        """Return whether we wrote this field before."""
        return any(name in version.written for version in self.versions)

    def settled(self, name: Field, target: str, held: str) -> bool:
        """Return whether `held` is what Plex makes of a written text that is still wanted."""
        last = self.last
        if last.written.get(name) != target:
            return False
        if name in last.shown:
            return last.shown[name] == held
        return name in last.before and text_spelling(name, target, held) is not None

    # -- lists ----------------------------------------------------------------------------

    def ours(self, name: Field) -> set[str]:
        """Return the folded names that may be ours in a list."""
        names: set[str] = set()
        for version in self.versions:
            written = names_of(version.written.get(name))
            names |= folds(written)
            names |= {
                fold(shown)
                for shown in names_of(version.shown.get(name))
                if any(name_spelling(value, shown) for value in written)
            }
            if name in version.before:
                # A server that takes one removal a request may still hold some of them.
                names |= folds(list_before(version.before[name]).stale)
        return names

    def away(self, name: Field) -> set[str]:
        """Return the folded names that the user removed from a list, if they are missing.

        They certainly were there, or were recorded as removed already.
        """
        surely = set.intersection(*(version.surely(name) for version in self.versions))
        return surely | folds(names_of(self.removed.get(name)))

    def owed(self, name: Field) -> list[str]:
        """Return the names that a write with an unknown end was to add to a list again."""
        names: list[str] = []
        for version in self.versions:
            back = version.written.get(BACK)
            if isinstance(back, Mapping):
                names += names_of(back.get(name))
        return names

    def settled_list(self, name: Field, wanted: Sequence[str], held: Sequence[str]) -> bool:
        """Return whether `held` is what Plex makes of a written list that is still wanted."""
        last = self.last
        if name not in last.shown or name not in last.written:
            return False
        known = (*names_of(last.written[name]), *names_of(self.removed.get(name)))
        same = folds(known) == folds(wanted)
        return same and counted(held) == counted(names_of(last.shown[name]))

    def respelt(self, name: Field, value: str) -> bool:
        """Return whether Stash spells a name differently than when we wrote it."""
        written = names_of(self.last.written.get(name))
        spellings = [spelling for spelling in written if fold(spelling) == fold(value)]
        return bool(spellings) and value not in spellings

    # -- ratings --------------------------------------------------------------------------

    def rated(self, held: float | None) -> bool:
        """Return whether we wrote this rating, apart from rounding."""
        return bool(held) and any(version.rated(held) for version in self.versions)

    def rating_was_to_go(self, held: float | None) -> bool:
        """Return whether our last write left this rating unchanged, although Plex accepted it."""
        before = self.last.before
        return Field.RATING in before and same_rating(before[Field.RATING], held)

    def settled_rating(self, wanted: float | None, held: float | None) -> bool:
        """Return whether `held` is what Plex makes of a written rating that is still wanted."""
        last = self.last
        if not same_rating(last.written.get(Field.RATING), wanted):
            return False
        if Field.RATING in last.shown:
            return same_rating(last.shown[Field.RATING], held)
        return Field.RATING in last.before and is_rounded(wanted, held)

    def person_rated(self, held: float | None) -> bool:
        """Return whether the user gave or removed a rating. Only users do, so locks are ignored."""
        if self.rating_was_to_go(held):
            return False
        if held:
            return not self.rated(held)
        shown = self.last.shown
        if Field.RATING in shown and not shown[Field.RATING]:
            return False
        return bool(self.removed.get(Field.RATING)) or all(
            Field.RATING in version.written for version in self.versions
        )


def base_of(record: Record | None, item: PlexItem) -> Base:
    """Return what is known about the writes to an item; nothing if the record is of another."""
    if record is None or record.rating_key != item.rating_key:
        # Never synced, or the file has a new item, which holds nothing that we wrote.
        return Base()
    last = Version(record.written, record.shown, record.unread, record.verified)
    return Base((last, *map(_announced, record.announced)), record.removed)


def _announced(written: Mapping[str, object]) -> Version:
    before = written.get(BEFORE)
    return Version(written, before=before if isinstance(before, Mapping) else NOTHING)


def names_of(value: object) -> tuple[str, ...]:
    """Read a list of names from the database's value; empty if that is something else."""
    return tuple(str(name) for name in value) if isinstance(value, (list, tuple)) else ()


def before_change(item: PlexItem, name: Field, change: ListChange, *, delta: bool) -> ListBefore:
    """Return what a list holds before a change; names that come back do not count as removed."""
    staying = folds(change.wanted)
    stale = tuple(value for value in change.stale if fold(value) not in staying)
    return ListBefore(item.lists.get(name, ()), stale, delta)


def _is_rounded(written: object, held: float | None) -> bool:
    return isinstance(written, (int, float)) and is_rounded(written, held)
