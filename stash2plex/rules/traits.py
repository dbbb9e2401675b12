"""Pure: how one Plex server treats edits, as far as reading them back has shown."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import frozen

from stash2plex.model import Field


class Trait(StrEnum):
    """One thing that some servers do and others do not (plex-2.md §1)."""

    ADDS = "adds"
    REPLACES = "replaces"
    REPLACES_SETS = "replaces_sets"
    DOUBLES = "doubles"
    ONE_REMOVAL = "one_removal"
    RATES_APART = "rates_apart"
    OWN_CASE = "own_case"
    OWN_FORM = "own_form"
    OWN_BLANKS = "own_blanks"
    OWN_MARKS = "own_marks"
    CUTS = "cuts"
    SHIFTS_DATES = "shifts_dates"
    ROUNDS = "rounds"
    LOSES = "loses"

    @property
    def words(self) -> str:
        """The trait in words for the user; its fields follow if it has any."""
        return _WORDS[self]


_WORDS = {
    Trait.ADDS: "it adds a sent list to its own",
    Trait.REPLACES: "it replaces its list by a sent one",
    Trait.REPLACES_SETS: "it replaces its list in an edit of several items",
    Trait.DOUBLES: "it lists a value twice if it is sent again",
    Trait.ONE_REMOVAL: "it removes only one value per request",
    Trait.RATES_APART: "it takes ratings only by a separate request",
    Trait.OWN_CASE: "it changes upper and lower case in",
    Trait.OWN_FORM: "it changes the Unicode form of",
    Trait.OWN_BLANKS: "it changes spaces in",
    Trait.OWN_MARKS: "it changes punctuation in",
    Trait.CUTS: "it shortens",
    Trait.SHIFTS_DATES: "it moves a date by a day",
    Trait.ROUNDS: "it rounds ratings",
    Trait.LOSES: "it does not keep",
}

OF_A_FIELD = frozenset(
    {
        Trait.OWN_CASE,
        Trait.OWN_FORM,
        Trait.OWN_BLANKS,
        Trait.OWN_MARKS,
        Trait.CUTS,
        Trait.LOSES,
    }
)
"""Traits that apply to single fields."""

Learnt = tuple[Trait, Field | None]
"""A trait, with its field if it applies to one."""


@frozen
class Traits:
    """What is known about a server."""

    known: frozenset[Learnt] = frozenset()

    def has(self, trait: Trait) -> bool:
        """Return whether the server has a trait, for any field."""
        return any(known is trait for known, _ in self.known)

    def loses(self, name: Field) -> bool:
        """Return whether the server answers 200 to a field but does not keep it."""
        return (Trait.LOSES, name) in self.known

    @property
    def sends_missing(self) -> bool:
        """Whether a list is sent without the values that are there already.

        Whole lists are right whether a server adds or replaces; one that adds needs none, and one
        that doubles must get none.
        """
        return self.has(Trait.ADDS) or self.has(Trait.DOUBLES)

    def with_learnt(self, learnt: Iterable[Learnt], forgotten: Iterable[Learnt] = ()) -> Traits:
        """Return these traits with some added and some removed."""
        return Traits(self.known - frozenset(forgotten) | frozenset(learnt))


NO_TRAITS = Traits()
"""Nothing is known yet."""
