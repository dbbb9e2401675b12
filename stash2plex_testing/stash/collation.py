"""The order of texts in Stash's database: natural, without regard to case."""

from __future__ import annotations

import re

DIGITS = re.compile(r"\d+")


def natural(text: str) -> str:
    """Make a text to compare: "Part 9" comes before "part 10"."""
    return DIGITS.sub(_counted, text.lower())


def _counted(match: re.Match[str]) -> str:
    """Put a number's length before it, so that longer ones are greater."""
    digits = match[0].lstrip("0")
    return f"0{chr(len(digits) + 1)}{digits}"
