"""Texts that Go's standard library writes: quoted text, numbers and dates that cannot be read."""

from __future__ import annotations

import json
import re
from datetime import date

NUMBER = re.compile(r"[+-]?[0-9]+")
MAX_NUMBER = 2**63 - 1
"""Go's int on every platform that Stash runs on."""

DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
TIMED = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?"
)


def quoted(text: str) -> str:
    """Quote text as `%q` does."""
    return json.dumps(text, ensure_ascii=False)


def atoi(text: object) -> int:
    """Read a whole number. Raises ValueError with the text of `strconv.Atoi`."""
    value = str(text)
    if not NUMBER.fullmatch(value):
        raise ValueError(f"strconv.Atoi: parsing {quoted(value)}: invalid syntax")
    number = int(value)
    if not -MAX_NUMBER - 1 <= number <= MAX_NUMBER:
        raise ValueError(f"strconv.Atoi: parsing {quoted(value)}: value out of range")
    return number


def parse_date(text: str) -> str:
    """Read a day, a month or a year. Raises ValueError with Stash's text (stash.md §5.4).

    A time of day is dropped; a partial date keeps its precision.
    """
    timed = TIMED.fullmatch(text)
    # RFC 3339 has a T and a zone; the other form that is taken has a blank and none.
    if timed and (len(text) == 10 or ("T" in text) is bool(timed[2])) and _is_day(timed[1]):
        return timed[1]
    problems = [f"ParseDateStringAsTime failed: dateString <{text}>"]
    for layout in ("2006-01", "2006"):
        problem = _partial(text, layout)
        if problem is None:
            return text
        problems.append(problem)
    raise ValueError(f"failed to parse date {quoted(text)}: [{' '.join(problems)}]")


def _is_day(text: str) -> bool:
    match = DAY.fullmatch(text)
    assert match
    year, month, day = (int(part) for part in match.groups())
    try:
        # The year 0 is a leap year in Go; Python has none.
        date(year or 2000, month, day)
    except ValueError:
        return False
    return True


def _partial(text: str, layout: str) -> str | None:
    """Return why a text does not fit a layout; None if it does."""
    start = f"parsing time {quoted(text)}"
    if not re.match(r"\d{4}", text):
        return f'{start} as "{layout}": cannot parse {quoted(text)} as "2006"'
    rest = text[4:]
    if layout == "2006-01":
        if not rest.startswith("-"):
            return f'{start} as "{layout}": cannot parse {quoted(rest)} as "-"'
        rest = rest[1:]
        if not re.match(r"\d{2}", rest):
            return f'{start} as "{layout}": cannot parse {quoted(rest)} as "01"'
        if not 1 <= int(rest[:2]) <= 12:
            return f"{start}: month out of range"
        rest = rest[2:]
    return f"{start}: extra text: {quoted(rest)}" if rest else None
