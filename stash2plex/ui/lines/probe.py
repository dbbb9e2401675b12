"""The probe's result in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stash2plex.operations.probe.run import Probed, compare
from stash2plex.text import count


def probe_lines(probed: Probed, other: Mapping[str, Any] | None) -> list[str]:
    """Lay out the answers, one per line; `other` are the stand-in's, if it was asked."""
    wide = max(len(name) for name in probed.answers)
    differs = compare(probed.answers, other) if other is not None else {}
    lines = [f"Plex {probed.plex_version}, {count(probed.items, 'item')}:"]
    for name, answer in probed.answers.items():
        line = f"{name.ljust(wide)}  {answer}"
        if name in differs:
            line += f"  (the stand-in: {differs[name][1]})"
        lines.append(line)
    if other is not None:
        lines.append(f"The stand-in answers {count(len(differs), 'question')} differently.")
    return lines


def left_lines(left: Sequence[str], path: str) -> list[str]:
    """Describe what could not be restored, and what to do."""
    if not left:
        return []
    return [
        f"Not restored: {', '.join(left)}.",
        f"“{path}” still has the old values. Run “stash2plex probe-plex --restore” again.",
    ]
