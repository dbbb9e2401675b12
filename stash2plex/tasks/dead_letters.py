"""Tasks and operations on dead letters."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.lock import drain_runs
from stash2plex.operations.dead_letters import (
    clear_letters,
    discard_letters,
    letter_keys,
    list_letters,
    purge_letters,
    recover_letters,
    retry_letters,
)
from stash2plex.operations.reasons import REASONS
from stash2plex.tasks.task import MAX_ROWS, Call
from stash2plex.tasks.worker import leave_to_worker
from stash2plex.ui.lines.dead_letters import (
    cleared_sentence,
    purged_sentence,
    recovered_sentence,
    retried_sentence,
)


def clear_dlq(call: Call) -> str:
    """Remove every dead letter."""
    return call.report(cleared_sentence(clear_letters(call.app)))


def purge_dlq(call: Call) -> str:
    """Remove old dead letters."""
    days = call.whole("days", 30, 0, 36_500)
    return call.report(purged_sentence(purge_letters(call.app, days), days))


def retry_dlq(call: Call) -> str:
    """Put dead letters back into the queue with fresh attempts."""
    reason = _reason(call)
    number = retry_letters(call.app, letter_keys(call.app, reason))
    if not number:
        which = f" with the reason {reason}" if reason else ""
        return call.report(f"There are no dead letters{which}.")
    return call.report(f"{retried_sentence(number)} {_who_sends(call)}")


def recover_outage_jobs(call: Call) -> str:
    """Put the dead letters that came from an outage back into the queue."""
    recovered = recover_letters(call.app)
    who_sends = _who_sends(call) if recovered.number else ""
    return call.report(recovered_sentence(recovered, who_sends))


def _who_sends(call: Call) -> str:
    """Start a worker if the user wants one; returns who sends what was put back."""
    if leave_to_worker(call) or drain_runs(call.app.folder):
        return "The worker sends what is due."
    return "Run “Process Queue” to send what is due."


def dead_letters(call: Call) -> dict[str, Any]:
    """Return a page of the dead letters, and how many there are for each reason."""
    reason = _reason(call)
    limit = call.whole("limit", 50, 1, MAX_ROWS)
    offset = call.whole("offset", 0, 0, 2**53)
    return list_letters(call.app, limit, offset, reason, call.text("search")).as_json()


def _reason(call: Call) -> str | None:
    """Read the argument `reason`; empty means none."""
    reason = call.arguments.get("reason")
    if reason is None or reason == "":
        return None
    if not isinstance(reason, str) or reason not in REASONS:
        known = ", ".join(REASONS)
        raise UsageError(f"“reason” is {str(reason)[:40]!r}; allowed: {known}.")
    return reason


def retry(call: Call) -> dict[str, int]:
    """Put chosen dead letters back into the queue."""
    changed = retry_letters(call.app, call.scene_keys())
    leave_to_worker(call)
    return {"changed": changed}


def discard(call: Call) -> dict[str, int]:
    """Remove chosen dead letters."""
    return {"changed": discard_letters(call.app, call.scene_keys())}


def retry_reason(call: Call) -> dict[str, int]:
    """Put all dead letters with a reason back into the queue."""
    changed = retry_letters(call.app, letter_keys(call.app, _wanted_reason(call)))
    leave_to_worker(call)
    return {"changed": changed}


def discard_reason(call: Call) -> dict[str, int]:
    """Remove all dead letters with a reason."""
    return {"changed": discard_letters(call.app, letter_keys(call.app, _wanted_reason(call)))}


def _wanted_reason(call: Call) -> str:
    reason = _reason(call)
    if reason is None:
        raise UsageError("“reason” is missing.")
    return reason
