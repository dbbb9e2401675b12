"""Pure: how one Plex server treats edits, as far as that was learnt from reading them back."""

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
        """Describe it to the user; the fields follow where it has any."""
        return _WORDS[self]


_WORDS = {
    Trait.ADDS: "it adds a list to what is there",
    Trait.REPLACES: "it replaces a list",
    Trait.REPLACES_SETS: "it replaces a list in an edit of several items",
    Trait.DOUBLES: "it lists a value twice that is sent again",
    Trait.ONE_REMOVAL: "it takes one value away with each request",
    Trait.RATES_APART: "it takes ratings by a request of their own",
    Trait.OWN_CASE: "it has its own upper and lower case in",
    Trait.OWN_FORM: "it has its own Unicode form of",
    Trait.OWN_BLANKS: "it has its own blanks in",
    Trait.OWN_MARKS: "it has its own punctuation in",
    Trait.CUTS: "it cuts",
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
"""Traits that a server has for some fields only."""

Learnt = tuple[Trait, Field | None]
"""A trait, with the field where it is one of a field."""


@frozen
class Traits:
    """What is known of a server."""

    known: frozenset[Learnt] = frozenset()

    def has(self, trait: Trait) -> bool:
        """Whether the server has a trait, for any field."""
        return any(one is trait for one, _ in self.known)

    def loses(self, name: Field) -> bool:
        """Whether the server answers 200 to a field and does not keep it."""
        return (Trait.LOSES, name) in self.known

    @property
    def sends_missing(self) -> bool:
        """Whether a list goes out without what is there already.

        Whole lists are right whether a server adds or replaces; one that adds needs none, and one
        that doubles must get none.
        """
        return self.has(Trait.ADDS) or self.has(Trait.DOUBLES)

    def with_learnt(self, learnt: Iterable[Learnt], forgotten: Iterable[Learnt] = ()) -> Traits:
        """Return what is known with something learnt, and something no longer true."""
        return Traits(self.known - frozenset(forgotten) | frozenset(learnt))


NO_TRAITS = Traits()
"""Nothing is known yet."""
