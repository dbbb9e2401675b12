"""Tasks and operations on what waits and what was given up."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.modes.context import Context
from stash2plex.modes.draining import DAY, leave_to_worker
from stash2plex.show.deadletters import REASONS, DeadLetters, groups_sentence
from stash2plex.show.letterlines import letters_json
from stash2plex.show.observe import count

MOST_ROWS = 1_000


def clear_queue(context: Context) -> str:
    """Remove the waiting keys."""
    number = context.app.store.queue.clear_waiting()
    return context.say(f"Removed {count(number, 'waiting key')}; what is in progress goes on.")


def clear_dlq(context: Context) -> str:
    """Forget every dead letter."""
    number = context.app.store.queue.clear_dead()
    return context.say(f"Removed {count(number, 'dead letter')}.")


def purge_dlq(context: Context) -> str:
    """Forget old dead letters."""
    days = context.whole("days", 30, 0, 36_500)
    number = context.app.store.queue.clear_dead(before=context.app.clock() - days * DAY)
    return context.say(f"Removed {count(number, 'dead letter')} older than {count(days, 'day')}.")


def retry_dlq(context: Context) -> str:
    """Put dead letters back with fresh attempts."""
    number = context.app.store.queue.redrive(reason=_reason(context))
    leave_to_worker(context)
    return context.say(f"Put {count(number, 'dead letter')} back into the queue.")


def recover_outage_jobs(context: Context) -> str:
    """Put the dead letters back that died of an outage."""
    dead = DeadLetters(context.app.store.connection)
    number = context.app.store.queue.redrive(dead.recoverable())
    leave_to_worker(context)
    left = dead.total()
    text = f"Put {count(number, 'dead letter')} of outages back into the queue."
    if left:
        text += f" {left:,} stay: {groups_sentence(dead.groups())}."
    return context.say(text)


def dead_letters(context: Context) -> dict[str, Any]:
    """Answer a page of the dead letters, and how many there are for each reason."""
    dead = DeadLetters(context.app.store.connection)
    reason = _reason(context)
    letters = dead.page(
        context.whole("limit", 50, 1, MOST_ROWS), context.whole("offset", 0, 0, 2**53), reason
    )
    return letters_json(letters, dead.total(reason), dead.groups())


def _reason(context: Context) -> str | None:
    """Read `reason`; empty is none."""
    reason = context.arguments.get("reason")
    if reason is None or reason == "":
        return None
    if not isinstance(reason, str) or reason not in REASONS:
        known = ", ".join(REASONS)
        raise UsageError(f"“reason” is {str(reason)[:40]!r}; allowed: {known}.")
    return reason


def retry(context: Context) -> dict[str, int]:
    """Put chosen dead letters back."""
    changed = context.app.store.queue.redrive(context.scene_keys())
    leave_to_worker(context)
    return {"changed": changed}


def discard(context: Context) -> dict[str, int]:
    """Forget chosen dead letters."""
    return {"changed": context.app.store.queue.discard(context.scene_keys())}


def sync(context: Context) -> dict[str, int]:
    """Enqueue chosen scenes."""
    changed = context.app.store.queue.add_many(context.scene_keys(), priority=0)
    leave_to_worker(context)
    return {"changed": changed}
