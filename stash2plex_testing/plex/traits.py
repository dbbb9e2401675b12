"""How servers differ in what they make of an edit that they answer with 200 (plex-2.md §1).

`SWITCHES` names each difference; `combined` puts any of them together.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any, Literal

from stash2plex_testing.plex.records import TAGS

EVERY_LIST = frozenset(TAGS)
NO_NAME: frozenset[str] = frozenset()
BLANKS = re.compile(r"[ \t\u00a0]{2,}")


@dataclass
class Traits:
    """What a server makes of edits. Sets hold the names that edits use: `genre`, `studio`, ….

    `tags` is what an indexed list means: "append" adds its values, as measured (plex-2.md §1, 2);
    "replace" replaces the list where one item is edited and adds for several, "replace_sets"
    replaces always (plex.md §3.6). With `append_double` an added value that is there is there
    twice. `one_removal_per_put` takes the first name of a comma list away and no other.
    `add_before_remove` gives the order of both in one request, None as they are sent.

    Spelling: `capitalise_first` and `title_case` (each word) change the letters of names and texts,
    `squeezes_blanks` runs of blanks and blanks at the end, `normal_form` is "NFC" or "NFD".
    `folds_case` takes a name that differs from one of the item by case only for that one;
    `one_row_per_folded_name` gives all items of the server the spelling that was there first. A
    removal needs the server's spelling, unless `removal_folds_case`.

    `date_shift` is in days, `rounds_rating` a step of the stars from 0 to 10. `ignores_field` are
    answered with 200 and not kept, locks are; `thumb` and `art` are uploads, `/:/rate` obeys "rate"
    alone.
    """

    tags: Literal["append", "replace", "replace_sets"] = "append"
    append_double: bool = False
    one_removal_per_put: bool = False
    add_before_remove: bool | None = None
    capitalise_first: frozenset[str] = frozenset({"label"})
    title_case: frozenset[str] = NO_NAME
    squeezes_blanks: bool = False
    normal_form: Literal["", "NFC", "NFD"] = ""
    folds_case: frozenset[str] = NO_NAME
    one_row_per_folded_name: frozenset[str] = NO_NAME
    removal_folds_case: bool = False
    date_shift: int = 0
    rounds_rating: float = 0.0
    ignores_field: frozenset[str] = NO_NAME

    def spell(self, name: str, text: str) -> str:
        """Spell a text or a value of a list as this server keeps it."""
        if self.squeezes_blanks:
            text = BLANKS.sub(" ", text).rstrip()
        if name in self.title_case:
            text = " ".join(_capital(word) for word in text.split(" "))
        elif name in self.capitalise_first:
            text = _capital(text)
        if self.normal_form:
            text = unicodedata.normalize(self.normal_form, text)
        return text

    def shifted(self, day: str) -> str:
        """Move a date (YYYY-MM-DD) by `date_shift`; the first and last days there are stay."""
        if not day or not self.date_shift:
            return day
        try:
            return (date.fromisoformat(day) + timedelta(days=self.date_shift)).isoformat()
        except OverflowError:
            return day

    def rounded(self, stars: float) -> float:
        """Round stars to the nearest step, halves up."""
        step = self.rounds_rating
        return math.floor(stars / step + 0.5) * step if step else stars


def fold(name: str) -> str:
    """Give names that differ by case or normal form only one spelling."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "adds": {"tags": "append"},
    "replaces": {"tags": "replace"},
    "replaces_sets": {"tags": "replace_sets"},
    "append_double": {"append_double": True},
    "one_removal_per_put": {"one_removal_per_put": True},
    "add_before_remove": {"add_before_remove": True},
    "remove_before_add": {"add_before_remove": False},
    "capitalise_first": {"capitalise_first": EVERY_LIST},
    "title_case": {"title_case": frozenset({*TAGS, "studio"})},
    "squeezes_blanks": {"squeezes_blanks": True},
    "composes": {"normal_form": "NFC"},
    "decomposes": {"normal_form": "NFD"},
    "folds_case": {"folds_case": EVERY_LIST},
    "one_row_per_folded_name": {"one_row_per_folded_name": EVERY_LIST},
    "removal_folds_case": {"removal_folds_case": True},
    "date_shift": {"date_shift": -1},
    "rounds_to_whole_stars": {"rounds_rating": 1.0},
    "rounds_to_half_stars": {"rounds_rating": 0.5},
    "ignores_studio": {"ignores_field": frozenset({"studio"})},
    "ignores_genre": {"ignores_field": frozenset({"genre"})},
    "ignores_user_rating": {"ignores_field": frozenset({"userRating"})},
    "ignores_any_rating": {"ignores_field": frozenset({"userRating", "rate"})},
}
"""Each trait with what it sets."""


def combined(*names: str) -> Traits:
    """Build a server of several switches; where two set the same, the later one wins."""
    values: dict[str, Any] = {}
    for name in names:
        values.update(SWITCHES[name])
    return Traits(**values)


def pairs() -> Iterator[tuple[str, str]]:
    """List every two switches that one server can have."""
    for one, other in combinations(SWITCHES, 2):
        if not SWITCHES[one].keys() & SWITCHES[other].keys():
            yield one, other
