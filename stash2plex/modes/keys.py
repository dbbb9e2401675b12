"""Tasks and operations on what waits and what was given up."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.modes.context import Context
from stash2plex.modes.draining import DAY, leave_to_worker
from stash2plex.observe import count, utc

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
    reason = context.arguments.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise UsageError("“reason” must be a text, such as not_in_plex.")
    number = context.app.store.queue.redrive(reason=reason or None)
    leave_to_worker(context)
    return context.say(f"Put {count(number, 'dead letter')} back into the queue.")


def dead_letters(context: Context) -> dict[str, Any]:
    """Answer a page of the dead letters."""
    queue = context.app.store.queue
    rows = queue.dead_letters(
        context.whole("limit", 50, 1, MOST_ROWS), context.whole("offset", 0, 0, 2**53)
    )
    return {
        "total": queue.counts().dead,
        "items": [
            {
                "scene_id": id_,
                "kind": kind,
                "title": title,
                "reason": reason,
                "error": error,
                "attempts": attempts,
                "first_failed_at": utc(first),
                "last_failed_at": utc(last),
            }
            for kind, id_, title, reason, error, attempts, first, last in rows
        ],
    }


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
