"""Tasks and operations on what waits and what was given up."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.lock import drain_lock, drain_runs
from stash2plex.operations.reasons import REASONS, groups_sentence
from stash2plex.tasks.context import Context
from stash2plex.tasks.drain import DAY, leave_to_worker
from stash2plex.text import count
from stash2plex.ui.dead_letters import letters_json

MOST_ROWS = 1_000


def clear_queue(context: Context) -> str:
    """Remove the waiting keys. What a process that died had in hand waits too."""
    app = context.app
    lock = drain_lock(app.folder)
    try:
        if lock.acquire():
            app.store.queue.take_over()
        number = app.store.queue.clear_waiting()
        in_hand = app.store.queue.counts().in_progress
    finally:
        lock.release()
    # A save of this moment saw the lock held and started no worker.
    leave_to_worker(context)
    text = f"Removed {count(number, 'waiting key')}." if number else "Nothing was waiting."
    if in_hand:
        text += f" {count(in_hand, 'key')} in progress {'goes' if in_hand == 1 else 'go'} on."
    return context.say(text)


def clear_dlq(context: Context) -> str:
    """Forget every dead letter."""
    number = context.app.store.queue.clear_dead()
    return context.say(_removed(number, "There were no dead letters."))


def purge_dlq(context: Context) -> str:
    """Forget old dead letters."""
    days = context.whole("days", 30, 0, 36_500)
    number = context.app.store.queue.clear_dead(before=context.app.clock() - days * DAY)
    left = context.app.store.dead_letters.total()
    age = f"older than {count(days, 'day')}"
    text = _removed(number, f"There were no dead letters {age}.", f" {age}")
    return context.say(text + (f" {left:,} newer stay." if left else ""))


def _removed(number: int, none: str, which: str = "") -> str:
    return f"Removed {count(number, 'dead letter')}{which}." if number else none


def retry_dlq(context: Context) -> str:
    """Put dead letters back with fresh attempts."""
    reason = _reason(context)
    number = context.app.store.queue.redrive(reason=reason)
    if not number:
        which = f" of the reason {reason}" if reason else ""
        return context.say(f"There are no dead letters{which}.")
    text = f"Put {count(number, 'dead letter')} back into the queue."
    return context.say(f"{text} {_who_sends(context)}")


def recover_outage_jobs(context: Context) -> str:
    """Put the dead letters back that died of an outage."""
    dead = context.app.store.dead_letters
    number = context.app.store.queue.redrive(dead.recoverable())
    text = "No dead letter is of an outage."
    if number:
        text = f"Put {count(number, 'dead letter')} of outages back into the queue."
        text += f" {_who_sends(context)}"
    if groups := dead.groups():
        left = sum(group.number for group in groups)
        verb = "stays" if left == 1 else "stay"
        text += f" {left:,} {verb}: {groups_sentence(groups)}."
    return context.say(text)


def _who_sends(context: Context) -> str:
    """Start a worker where one is wanted; returns who sends what was put back."""
    if leave_to_worker(context) or drain_runs(context.app.folder):
        return "The worker sends what is due."
    return "Run “Process Queue” to send what is due."


def dead_letters(context: Context) -> dict[str, Any]:
    """Answer a page of the dead letters, and how many there are for each reason."""
    dead = context.app.store.dead_letters
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
