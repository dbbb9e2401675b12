"""Pure: decides whether two values are the same value in Plex's spelling.

Plex answers 200 and may store a value differently: other case, another normal form, fewer spaces, a
rounded rating, a day before or after (plex-2.md §1).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from stash2plex.model import Field

CUT_LIMIT = 16
"""How many characters a cut text must have left to be recognised by its beginning."""

MAX_ROUNDING = 1.0
"""How far Plex may round a rating out of ten: half a star of five is 1."""

ROUNDED_AWAY = 0.5
"""A rating out of ten below this may be rounded to none."""

EXACT_RATING = 0.05
"""Half of Stash's smallest step."""


class Spelling(StrEnum):
    """How Plex spells a value that differs from what was sent, from small to large."""

    FORM = "normal form"
    CASE = "case"
    BLANKS = "blanks"
    MARKS = "marks"
    CUT = "cut"
    DAY = "a day"
    ROUNDING = "rounding"


def fold(name: str) -> str:
    """Return a form that is equal for equal names: NFC, case-folded, with single spaces."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", composed).split())


def folds(names: Iterable[str]) -> set[str]:
    """Return the folded forms of names."""
    return {fold(name) for name in names}


def counted(names: Iterable[str]) -> Counter[str]:
    """Count names by their folded form."""
    return Counter(fold(name) for name in names)


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Return the first spelling of each name, in order."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(fold(name), name)
    return tuple(first.values())


def text_spelling(name: Field, sent: str, shown: str) -> Spelling | None:
    """Return how `shown` spells the text that was `sent`; None for another text.

    Equal texts have no spelling either: compare them first.
    """
    if name is Field.DATE:
        return Spelling.DAY if _is_next_day(sent, shown) else None
    if not (sent and shown):
        return None
    for spelling, form in _FORMS:
        if form(sent) == form(shown):
            return spelling
    if len(shown) >= CUT_LIMIT and fold(sent).startswith(fold(shown)):
        return Spelling.CUT
    return None


def name_spelling(sent: str, shown: str) -> Spelling | None:
    """Return how `shown` spells a name in a list; None for another name."""
    return text_spelling(Field.TAGS, sent, shown)


def is_rounded(sent: float | None, shown: float | None) -> bool:
    """Return whether `shown` is the rating that was `sent`, rounded."""
    return bool(sent and shown) and abs((sent or 0.0) - (shown or 0.0)) <= MAX_ROUNDING


def is_rounded_away(sent: float, shown: float | None) -> bool:
    """Return whether the rating that was `sent` is too small for Plex's steps, so it shows none."""
    return 0.0 < sent < ROUNDED_AWAY and not shown


def same_rating(left: object, right: object) -> bool:
    """Return whether two ratings out of ten are equal; to Plex, none and 0 are the same."""
    one, other = left or 0.0, right or 0.0
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return False
    return abs(one - other) < EXACT_RATING


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _casefold(text: str) -> str:
    # A capital may stand for several letters: “I” for a dotless “ı” as well.
    return _compose(_compose(text).upper().casefold())


def _skeleton(text: str) -> str:
    """Return the letters and digits of a text; the whole text if it has none."""
    return "".join(letter for letter in fold(text) if letter.isalnum()) or text


_FORMS = (
    (Spelling.FORM, _compose),
    (Spelling.CASE, _casefold),
    (Spelling.BLANKS, fold),
    (Spelling.MARKS, _skeleton),
)


def _is_next_day(one: str, other: str) -> bool:
    try:
        return abs((date.fromisoformat(one) - date.fromisoformat(other)).days) == 1
    except ValueError:
        return False
