"""Lists of names in settings, in which a comma may be part of a name.

What the user means depends on the names that Stash or Plex has: the longest match wins. Names
are equal if they differ only in Unicode form, letter case or spaces at the ends, around commas and
between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from attrs import field, frozen

SEPARATORS = ",，、"
"""Each of them may end a name or be part of one."""

QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "«": "»"}
"""Closing quotes by their opening quote. Inside, a doubled quote stands for one quote."""

AROUND = re.compile(f"\\s*([{SEPARATORS}])\\s*")
"""A separator with the spaces around it."""

MAX_PARTS = 12
"""How many parts of a list are tried as one name while the existing names are unknown."""


def name_key(name: str) -> str:
    """Return a key that is equal for names that count as the same."""
    folded = unicodedata.normalize("NFD", name).casefold()
    spaced = AROUND.sub(r"\1", unicodedata.normalize("NFC", folded))
    return " ".join(spaced.split())


@frozen
class Reading:
    """A list, read with the existing names.

    `found` are the names that exist, `unknown` those that do not, both as the user wrote
    them. `keys` are the keys of all names and of every combination of unknown ones: a name that is
    created later counts too.
    """

    found: tuple[str, ...]
    unknown: tuple[str, ...]
    keys: frozenset[str]


@frozen
class NameList:
    """A list of names as the user wrote it, and what it means.

    Until it has been read with the existing names, `keys` are those of everything that it may
    mean. `ids` are the ids of what it stands for, whatever their names are now.
    """

    text: str = ""
    keys: frozenset[str] = field(repr=False, default=frozenset())
    ids: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> NameList:
        """Parse a list as it was written, before the existing names are known."""
        return cls(text.strip(), read_names(text, ()).keys)

    @classmethod
    def of(cls, *names: str) -> NameList:
        """Make a list of complete names."""
        return cls.parse(", ".join('"' + name.replace('"', '""') + '"' for name in names))

    def __bool__(self) -> bool:
        return bool(self.keys)

    def means(self, id_: int, names: Iterable[str]) -> bool:
        """Whether the list names something with this id or one of these names."""
        return bool(self) and (
            id_ in self.ids or any(name_key(name) in self.keys for name in names)
        )

    def as_json(self) -> list[object]:
        """Return a value that is equal for lists that mean the same; `[]` for an empty list."""
        return [sorted(self.keys), sorted(self.ids)] if self else []


def read_names(text: str, known: Collection[str]) -> Reading:
    """Read a list, given the keys of the existing names: the longest match wins."""
    parts = _split(text)
    longest = 1 + max(
        (sum(key.count(separator) for separator in SEPARATORS) for key in known), default=0
    )
    found: list[str] = []
    unknown: list[str] = []
    keys: set[str] = set()
    loose: list[tuple[int, int]] = []
    place = 0
    while place < len(parts):
        written = _text_of(text, parts[place : place + 1])
        end = _longest_known(text, parts[place : place + longest], known)
        quoted = 0 if end else _quoted_parts(text, parts[place:])
        if not (end or quoted):
            unknown += [written] if written else []
            loose.append(parts[place])
            place += 1
            continue
        keys |= _runs(text, loose)
        loose = []
        if end:
            found.append(_name_in(text, parts[place : place + end], known))
        else:
            unknown.append(_unquoted(_text_of(text, parts[place : place + quoted])))
        place += end or quoted
    keys |= _runs(text, loose) | {name_key(name) for name in (*found, *unknown)}
    return Reading(tuple(found), tuple(name for name in unknown if name), frozenset(keys - {""}))


def _split(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each part between the separators."""
    places = [-1, *(place for place, letter in enumerate(text) if letter in SEPARATORS), len(text)]
    return [(left + 1, right) for left, right in pairwise(places)]


def _text_of(text: str, parts: Sequence[tuple[int, int]]) -> str:
    return text[parts[0][0] : parts[-1][1]].strip()


def _forms(written: str) -> Iterator[str]:
    """Yield the names that a piece of the list may stand for."""
    yield written
    if _unquoted(written) != written:
        yield written[1:-1]
        yield _unquoted(written)


def _unquoted(written: str) -> str:
    """Remove the quotes around a name, and undo doubled ones inside."""
    closing = QUOTES.get(written[:1], "")
    if len(written) < 2 or written[-1] not in closing:  # noqa: PLR2004 - both quotes
        return written
    return re.sub(f"([{closing}])\\1", r"\1", written[1:-1]).strip()


def _longest_known(text: str, parts: Sequence[tuple[int, int]], known: Collection[str]) -> int:
    """Return how many of the first parts form one name; 0 if they form none."""
    for end in range(len(parts), 0, -1):
        if _name_in(text, parts[:end], known):
            return end
    return 0


def _name_in(text: str, parts: Sequence[tuple[int, int]], known: Collection[str]) -> str:
    """Return the name that the parts form, as it was written; empty if they form none."""
    written = _text_of(text, parts)
    return next((form for form in _forms(written) if name_key(form) in known), "")


def _quoted_parts(text: str, parts: Sequence[tuple[int, int]]) -> int:
    """Return how many parts the quotes that open the first one enclose; 0 for none."""
    opened = _text_of(text, parts[:1])
    closing = QUOTES.get(opened[:1])
    if closing is None:
        return 0
    for end in range(1, len(parts) + 1):
        last = opened[1:] if end == 1 else _text_of(text, parts[end - 1 : end])
        if (len(last) - len(last.rstrip(closing))) % 2:
            return end
    return 0


def _runs(text: str, parts: Sequence[tuple[int, int]]) -> set[str]:
    """Return the keys of every name that adjacent parts may form."""
    runs = {
        name_key(form)
        for first in range(len(parts))
        for last in range(first, min(len(parts), first + MAX_PARTS))
        for form in _forms(_text_of(text, parts[first : last + 1]))
    }
    return {key for key in runs if key.strip(f"{SEPARATORS} ")}
