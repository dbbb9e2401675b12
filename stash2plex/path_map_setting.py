"""Reads `path_map` as the user writes it: rules separated by `;`, two folders with `=>` between.

A folder whose name contains one of them is written in quotes; a quote inside is doubled.
"""

from __future__ import annotations

import re

ARROW, END = "=>", ";"

QUOTED = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|“([^“”]*)”)\s*""")


def read_path_rules(text: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of Stash and Plex folders. Raises ValueError if a part is missing."""
    rules = []
    while text := text.lstrip(f"{END} \t\r\n"):
        source, text = _take(text, (ARROW, END))
        if not text.startswith(ARROW):
            raise ValueError
        target, text = _take(text.removeprefix(ARROW), (END,))
        if not source or not target:
            raise ValueError
        rules.append((source, target))
    return tuple(rules)


def write_path_rules(rules: tuple[tuple[str, str], ...]) -> str:
    """Write rules so that reading them returns the same rules."""
    return "; ".join(f"{_shown(source)}{ARROW}{_shown(target)}" for source, target in rules)


def _take(text: str, stops: tuple[str, ...]) -> tuple[str, str]:
    """Split a text after its first folder; returns the folder, and the rest from the stop on."""
    quoted = QUOTED.match(text)
    if quoted is not None:
        rest = text[quoted.end() :]
        if not rest or rest.startswith(stops):
            double, single, curly = (group or "" for group in quoted.groups())
            folder = double.replace('""', '"') or single.replace("''", "'") or curly
            return folder.strip(), rest
    # A quote that is never closed is part of the name.
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    place = min(places, default=len(text))
    return text[:place].strip(), text[place:]


def _shown(folder: str) -> str:
    if ARROW in folder or END in folder or folder[:1] in ('"', "'", "“"):
        return '"' + folder.replace('"', '""') + '"'
    return folder
