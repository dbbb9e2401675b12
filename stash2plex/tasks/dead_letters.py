"""Tasks and operations on what waits and what was given up."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.lock import drain_lock, drain_runs
from stash2plex.operations.reasons import REASONS, groups_sentence
from stash2plex.store.dead_letters import DeadLetters
from stash2plex.tasks.drain import DAY, leave_to_worker
from stash2plex.tasks.task import Call
from stash2plex.text import count
from stash2plex.ui.dead_letters import letters_json

MOST_ROWS = 1_000


def clear_queue(call: Call) -> str:
    """Remove the waiting keys. What a process that died had in hand waits too."""
    app = call.app
    lock = drain_lock(app.folder)
    try:
        if lock.acquire():
            app.store.queue.take_over()
        number = app.store.queue.clear_waiting()
        in_hand = app.store.queue.counts().in_progress
    finally:
        lock.release()
    # A save of this moment saw the lock held and started no worker.
    leave_to_worker(call)
    text = f"Removed {count(number, 'waiting key')}." if number else "Nothing was waiting."
    if in_hand:
        text += f" {count(in_hand, 'key')} in progress {'goes' if in_hand == 1 else 'go'} on."
    return call.say(text)


def clear_dlq(call: Call) -> str:
    """Forget every dead letter."""
    number = call.app.store.queue.clear_dead()
    return call.say(_removed(number, "There were no dead letters."))


def purge_dlq(call: Call) -> str:
    """Forget old dead letters."""
    days = call.whole("days", 30, 0, 36_500)
    number = call.app.store.queue.clear_dead(before=call.app.clock() - days * DAY)
    left = DeadLetters(call.app.store.connection).total()
    age = f"older than {count(days, 'day')}"
    text = _removed(number, f"There were no dead letters {age}.", f" {age}")
    return call.say(text + (f" {left:,} newer stay." if left else ""))


def _removed(number: int, none: str, which: str = "") -> str:
    return f"Removed {count(number, 'dead letter')}{which}." if number else none


def retry_dlq(call: Call) -> str:
    """Put dead letters back with fresh attempts."""
    reason = _reason(call)
    number = call.app.store.queue.redrive(reason=reason)
    if not number:
        which = f" of the reason {reason}" if reason else ""
        return call.say(f"There are no dead letters{which}.")
    text = f"Put {count(number, 'dead letter')} back into the queue."
    return call.say(f"{text} {_who_sends(call)}")


def recover_outage_jobs(call: Call) -> str:
    """Put the dead letters back that died of an outage."""
    dead = DeadLetters(call.app.store.connection)
    number = call.app.store.queue.redrive(dead.recoverable())
    text = "No dead letter is of an outage."
    if number:
        text = f"Put {count(number, 'dead letter')} of outages back into the queue."
        text += f" {_who_sends(call)}"
    if groups := dead.groups():
        left = sum(group.number for group in groups)
        verb = "stays" if left == 1 else "stay"
        text += f" {left:,} {verb}: {groups_sentence(groups)}."
    return call.say(text)


def _who_sends(call: Call) -> str:
    """Start a worker where one is wanted; returns who sends what was put back."""
    if leave_to_worker(call) or drain_runs(call.app.folder):
        return "The worker sends what is due."
    return "Run “Process Queue” to send what is due."


def dead_letters(call: Call) -> dict[str, Any]:
    """Answer a page of the dead letters, and how many there are for each reason."""
    dead = DeadLetters(call.app.store.connection)
    reason = _reason(call)
    letters = dead.page(
        call.whole("limit", 50, 1, MOST_ROWS), call.whole("offset", 0, 0, 2**53), reason
    )
    return letters_json(letters, dead.total(reason), dead.groups())


def _reason(call: Call) -> str | None:
    """Read `reason`; empty is none."""
    reason = call.arguments.get("reason")
    if reason is None or reason == "":
        return None
    if not isinstance(reason, str) or reason not in REASONS:
        known = ", ".join(REASONS)
        raise UsageError(f"“reason” is {str(reason)[:40]!r}; allowed: {known}.")
    return reason


def retry(call: Call) -> dict[str, int]:
    """Put chosen dead letters back."""
    changed = call.app.store.queue.redrive(call.scene_keys())
    leave_to_worker(call)
    return {"changed": changed}


def discard(call: Call) -> dict[str, int]:
    """Forget chosen dead letters."""
    return {"changed": call.app.store.queue.discard(call.scene_keys())}


def sync(call: Call) -> dict[str, int]:
    """Enqueue chosen scenes."""
    changed = call.app.store.queue.add_many(call.scene_keys(), priority=0)
    leave_to_worker(call)
    return {"changed": changed}
