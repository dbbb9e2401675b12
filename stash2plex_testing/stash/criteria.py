"""Single criteria: what a modifier with its value means (stash.md §5.2, §5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from stash2plex_testing.stash.gotext import atoi

Test = Callable[[Any], bool]


class StashError(Exception):
    """An error whose text goes into the answer's `errors`."""


class Panic(StashError):
    """An error that Stash does not mean to give: a modifier that a criterion does not know."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Internal system error. Error <{what}>")
        self.what = what


def number_of(text: object) -> int:
    """Read an id. Raises StashError as Go's conversion does."""
    try:
        return atoi(text)
    except ValueError as error:
        raise StashError(str(error)) from None


def integer(criterion: Mapping[str, Any]) -> Test:
    """Compare numbers; a missing value fits IS_NULL only."""
    return _ordered(criterion, criterion["value"], criterion.get("value2") or 0, "numeric")


def full_date(text: str) -> str:
    """Fill a partial date up to its first day, as the database holds it."""
    return text + "0000-01-01"[len(text) :] if text else text


def date(criterion: Mapping[str, Any]) -> Test:
    """Compare dates as the database's text: a partial one is its first day there."""
    test = _ordered(criterion, criterion["value"], criterion.get("value2") or "9999", "date")
    return lambda has: test(has and full_date(has))


def timestamp(criterion: Mapping[str, Any], tomorrow: str) -> Test:
    """Compare times as text, untouched; `tomorrow` ends an open BETWEEN (stash.md §5.2)."""
    return _ordered(criterion, criterion["value"], criterion.get("value2") or tomorrow, "date")


def _ordered(criterion: Mapping[str, Any], value: Any, value2: Any, kind: str) -> Test:
    modifier = criterion["modifier"]
    tests: dict[str, Test] = {
        "EQUALS": lambda has: has is not None and has == value,
        "NOT_EQUALS": lambda has: has is not None and has != value,
        "GREATER_THAN": lambda has: has is not None and has > value,
        "LESS_THAN": lambda has: has is not None and has < value,
        "BETWEEN": lambda has: has is not None and value <= has <= value2,
        "NOT_BETWEEN": lambda has: has is not None and not value <= has <= value2,
        "IS_NULL": lambda has: has is None,
        "NOT_NULL": lambda has: has is not None,
    }
    if modifier not in tests:
        raise Panic(f"unsupported {kind} modifier type" + f" {modifier}" * (kind == "numeric"))
    return tests[modifier]


def string(criterion: Mapping[str, Any]) -> Test:
    """Compare text without regard to case; blank counts as null."""
    modifier, value = criterion["modifier"], criterion["value"].casefold()
    words = value.split()
    try:
        pattern = re.compile(criterion["value"]) if "REGEX" in modifier else re.compile("")
    except re.error as error:
        raise StashError(f"error parsing regexp: {error}") from error

    def has_all(has: str | None) -> bool:
        return all(word in (has or "").casefold() for word in words)

    tests: dict[str, Test] = {
        "EQUALS": lambda has: has is not None and has.casefold() == value,
        "NOT_EQUALS": lambda has: has is not None and has.casefold() != value,
        "INCLUDES": has_all,
        "EXCLUDES": lambda has: not has_all(has),
        "MATCHES_REGEX": lambda has: has is not None and bool(pattern.search(has)),
        "NOT_MATCHES_REGEX": lambda has: has is None or not pattern.search(has),
        "IS_NULL": lambda has: not (has or "").strip(),
        "NOT_NULL": lambda has: bool((has or "").strip()),
    }
    if modifier not in tests:
        raise Panic("unsupported string filter modifier")
    return tests[modifier]


def related(
    criterion: Mapping[str, Any], descend: Callable[[int], Collection[int]] | None = None
) -> Callable[[Collection[int]], bool] | None:
    """Compare a set of related ids; None where the criterion asks for nothing.

    `descend` gives an id with those below it, for criteria with a depth.
    """
    modifier = criterion["modifier"]
    wanted = [_family(value, descend) for value in criterion.get("value") or ()]
    unwanted = [_family(value, descend) for value in criterion.get("excludes") or ()]
    if modifier in ("IS_NULL", "NOT_NULL"):
        return lambda has: bool(has) is (modifier == "NOT_NULL")
    if not wanted and not unwanted:
        return None
    if modifier == "EXCLUDES":
        unwanted, wanted = unwanted + wanted, []
    if modifier not in ("INCLUDES", "INCLUDES_ALL", "EXCLUDES", "EQUALS", "NOT_EQUALS"):
        raise Panic(f"unsupported modifier {modifier}")

    def test(has: Collection[int]) -> bool:
        if any(not family.isdisjoint(has) for family in unwanted):
            return False
        found = [not family.isdisjoint(has) for family in wanted]
        if modifier == "INCLUDES":
            return any(found) or not wanted
        if modifier in ("EQUALS", "NOT_EQUALS"):
            return (all(found) and len(has) == len(wanted)) is (modifier == "EQUALS")
        return all(found)

    return test


def _family(value: object, descend: Callable[[int], Collection[int]] | None) -> frozenset[int]:
    number = number_of(value)
    return frozenset(descend(number) if descend else (number,))
