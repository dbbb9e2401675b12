"""Dead letters for machines and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stash2plex.operations.reasons import reason_of
from stash2plex.store.dead_letters import DeadLetter, Group
from stash2plex.text import count, local, utc


def letters_json(
    letters: Sequence[DeadLetter], total: int, groups: Sequence[Group]
) -> dict[str, Any]:
    """Give a page of dead letters as the operation answers it (contract §5)."""
    return {
        "total": total,
        "groups": [
            {
                "reason": group.reason,
                "words": reason_of(group.reason).words,
                "fix": reason_of(group.reason).fix,
                "total": group.number,
                "last_failed_at": utc(group.last_failed_at),
            }
            for group in groups
        ],
        "items": [letter_json(letter) for letter in letters],
    }


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """Give one dead letter. `scene_id` is the id of an entity where `kind` says so."""
    return {
        "scene_id": letter.id,
        "kind": letter.kind,
        "title": letter.title,
        "path": letter.path,
        "reason": letter.reason,
        "words": reason_of(letter.reason).words,
        "fix": reason_of(letter.reason).fix,
        "error": letter.error,
        "attempts": letter.attempts,
        "first_failed_at": utc(letter.first_failed_at),
        "last_failed_at": utc(letter.last_failed_at),
        "history": [
            {"at": utc(one.at), "reason": one.reason, "error": one.error} for one in letter.history
        ],
    }


def letter_lines(letter: DeadLetter) -> list[str]:
    """Say one dead letter in words, with its history."""
    reason = reason_of(letter.reason)
    lines = [f"{letter.kind}:{letter.id}" + (f" “{letter.title}”" if letter.title else "")]
    if letter.path:
        lines.append(f"File: “{letter.path}”")
    lines += [
        f"Given up because {reason.words}, after {count(letter.attempts, 'attempt')}.",
        f"What to do: {reason.fix}",
        "History:",
    ]
    lines += [f"  {local(one.at)}  {one.error}" for one in letter.history]
    return lines
