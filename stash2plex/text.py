"""Puts numbers, spans, moments and private names into words, and moments into machine form."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 86_400.0
"""Seconds in a day."""

LogLine = tuple[str, *tuple[object, ...]]
"""The arguments of a log call: a text with a %s for each argument that follows."""


class Private:
    """A title, path or name in a log call: shown in “ ”, or hidden if the user wants that.

    A plain class: the stored status imports this module, and must cost little.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return f"“{self.text}”"

    def __repr__(self) -> str:
        return f"Private({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Private) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def span(seconds: float) -> str:
    """Return a length of time in words."""
    whole = max(0, round(seconds))
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - seconds in an hour
        exact = whole < 600  # noqa: PLR2004 - seconds in ten minutes
        return f"{whole // 60} min {whole % 60:02} s" if exact else f"{round(whole / 60)} min"
    if whole < 2 * DAY:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02} h"


def local(moment: float) -> str:
    """Return a moment in the local time of this machine."""
    there = datetime.fromtimestamp(moment).astimezone()
    if there.date() == datetime.now().astimezone().date():
        return there.strftime("%H:%M:%S")
    return there.strftime("%Y-%m-%d %H:%M")


def utc(moment: float) -> str:
    """Return a moment for machines: ISO 8601, UTC, whole seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """Parse what `utc` returned into epoch seconds."""
    return datetime.fromisoformat(text).timestamp()


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
