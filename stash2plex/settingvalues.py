"""Reads what is stored for one setting: a text, a flag, a number, a list.

Each reader takes any value and raises ValueError or TypeError if it means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from stash2plex.model import Field
from stash2plex.namelist import SEPARATORS, NameList, name_key
from stash2plex.path_map_setting import read_path_rules


def read_text(value: object) -> str:
    """Return a text without white space around it, or a number as text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError


def read_flag(value: object) -> bool:
    """Return a checkbox as Stash, a file or a variable gives it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return value.strip().lower() in ("true", "1")
    raise ValueError


def number_from(low: float, high: float) -> Callable[[object], float]:
    """Return the reader of a number within two limits."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        number = float(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return parse


def whole_from(low: int, high: int) -> Callable[[object], int]:
    """Return the reader of a whole number within two limits."""

    def parse(value: object) -> int:
        number = number_from(low, high)(value)
        if number != int(number):
            raise ValueError
        return int(number)

    return parse


def choice_of(*words: str) -> Callable[[object], str]:
    """Return the reader of one of a few words, in capitals or not."""

    def parse(value: object) -> str:
        word = read_text(value).lower()
        if word not in words:
            raise ValueError
        return word

    return parse


def read_names(value: object) -> NameList:
    """Return names that commas separate."""
    return NameList.parse(read_text(value))


class PartlyUsable(ValueError):
    """A list of which only some words are valid: `value` is what those mean."""

    def __init__(self, value: object, wrong: tuple[str, ...]) -> None:
        super().__init__(", ".join(f"“{word}”" for word in wrong))
        self.value = value


def read_fields(value: object) -> frozenset[Field]:
    """Return the fields that words name. Raises PartlyUsable if some words name none."""
    words = re.split(rf"[\s;{SEPARATORS}]+", read_text(value))
    written = {name_key(word.strip("\"'“”")): word for word in words}
    known = frozenset(Field(word) for word in written if word in tuple(Field))
    wrong = tuple(word for key, word in written.items() if key and key not in tuple(Field))
    if wrong:
        raise PartlyUsable(known, wrong)
    return known


def read_url(value: object) -> str:
    """Return a server's address: no log-in, no query, no slash at its end."""
    text = read_text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    if "?" in text or "#" in text:
        raise ValueError
    if parts.username or parts.password or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError
    if parts.port is not None and not parts.port > 0:
        raise ValueError
    return text


def read_token(value: object) -> str:
    """Return a token that a header can hold."""
    text = read_text(value)
    if not re.fullmatch(r"[\x21-\x7e]{1,2048}", text):
        raise ValueError
    return text


def read_path_map(value: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of folders: the one in Stash, the one in Plex."""
    return read_path_rules(read_text(value))
