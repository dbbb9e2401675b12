"""Dead letters in words."""

from __future__ import annotations

from stash2plex.operations.dead_letters import Purged, Recovered
from stash2plex.operations.reasons import groups_sentence, reason_of
from stash2plex.store.dead_letters import DeadLetter
from stash2plex.text import count, local


def letter_line(letter: DeadLetter) -> str:
    """Return a dead letter in one line."""
    return (
        f"{letter.kind}:{letter.id} ({letter.reason}, {local(letter.last_failed_at)}): "
        f"{letter.error}"
    )


def letter_lines(letter: DeadLetter) -> list[str]:
    """Return a dead letter with its history, a line each."""
    reason = reason_of(letter.reason)
    lines = [f"{letter.kind}:{letter.id}" + (f" “{letter.title}”" if letter.title else "")]
    if letter.path:
        lines.append(f"File: “{letter.path}”")
    lines += [
        f"Given up because {reason.words}, after {count(letter.attempts, 'attempt')}.",
        f"What to do: {reason.fix}",
        "History:",
    ]
    lines += [f"  {local(failure.at)}  {failure.error}" for failure in letter.history]
    return lines


def retried_sentence(number: int) -> str:
    """Return how many dead letters went back into the queue."""
    return f"Put {count(number, 'dead letter')} back into the queue."


def removed_sentence(number: int) -> str:
    """Return how many dead letters were removed."""
    return f"Removed {count(number, 'dead letter')}."


def cleared_sentence(number: int) -> str:
    """Return how many dead letters were removed, if there were any."""
    return removed_sentence(number) if number else "There were no dead letters."


def purged_sentence(purged: Purged, days: int) -> str:
    """Return how many dead letters older than `days` were removed, and how many stay."""
    age = f"older than {count(days, 'day')}"
    text = f"There were no dead letters {age}."
    if purged.number:
        text = f"Removed {count(purged.number, 'dead letter')} {age}."
    stay = "stays" if purged.remaining == 1 else "stay"
    return text + (f" {purged.remaining:,} newer {stay}." if purged.remaining else "")


def recovered_sentence(recovered: Recovered, who_sends: str) -> str:
    """Return how many dead letters went back, `who_sends` them, and why the others stay."""
    text = "No dead letter comes from an outage."
    if recovered.number:
        number = count(recovered.number, "dead letter")
        text = f"Put {number} from outages back into the queue. {who_sends}"
    if recovered.remaining:
        left = sum(group.number for group in recovered.remaining)
        verb = "stays" if left == 1 else "stay"
        text += f" {left:,} {verb}: {groups_sentence(recovered.remaining)}."
    return text
