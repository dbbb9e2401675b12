"""Dead letters: list, retry, recover, discard, purge and clear them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from stash2plex.app import App
from stash2plex.operations.reasons import reason_of
from stash2plex.store.dead_letters import DeadLetter, Group, read_dead_keys, read_groups
from stash2plex.text import DAY, utc
from stash2plex.workqueue import Key


@frozen
class LetterPage:
    """A page of dead letters, how many there are in all, and how many for each reason."""

    letters: Sequence[DeadLetter]
    total: int
    groups: Sequence[Group]

    def as_json(self) -> dict[str, Any]:
        """Return the operation's answer (contract §5)."""
        return {
            "total": self.total,
            "groups": [
                {
                    "reason": group.reason,
                    "words": reason_of(group.reason).words,
                    "fix": reason_of(group.reason).fix,
                    "total": group.number,
                    "last_failed_at": utc(group.last_failed_at),
                }
                for group in self.groups
            ],
            "items": [letter_json(letter) for letter in self.letters],
        }


@frozen
class Recovered:
    """How many dead letters went back into the queue, and those that stay."""

    number: int
    remaining: Sequence[Group]


@frozen
class Purged:
    """How many dead letters were old enough to be removed, and how many stay."""

    number: int
    remaining: int


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """Return one dead letter as JSON. If `kind` is not a scene, `scene_id` is that entity's id."""
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
            {"at": utc(failure.at), "reason": failure.reason, "error": failure.error}
            for failure in letter.history
        ],
    }


def list_letters(
    app: App, limit: int, offset: int = 0, reason: str | None = None, search: str = ""
) -> LetterPage:
    """Read a page, newest failure first; with a `reason`, only its letters and their total.

    With `search`, only those with that text in title or path.
    """
    dead = app.store.dead_letters
    groups = read_groups(app.store.connection)
    page = dead.page(limit, offset, reason, search)
    return LetterPage(page, dead.total(reason, search), groups)


def find_letter(app: App, kind: str, id_: int) -> DeadLetter | None:
    """Read one dead letter; None if there is none for this key."""
    return app.store.dead_letters.find(kind, id_)


def letter_keys(app: App, reason: str | None = None) -> list[Key]:
    """List the keys of all dead letters, or of those of a reason."""
    return read_dead_keys(app.store.connection, reason)


def retry_letters(app: App, keys: Sequence[Key]) -> int:
    """Put dead letters back into the queue with fresh attempts; returns how many."""
    return app.store.queue.redrive(keys)


def recover_letters(app: App) -> Recovered:
    """Put the dead letters that came from an outage back into the queue."""
    recovered = app.store.queue.redrive(app.store.dead_letters.recoverable())
    return Recovered(recovered, read_groups(app.store.connection))


def discard_letters(app: App, keys: Sequence[Key]) -> int:
    """Remove chosen dead letters; returns how many there were."""
    return app.store.queue.discard(keys)


def purge_letters(app: App, days: int) -> Purged:
    """Remove the dead letters that last failed more than `days` ago."""
    number = app.store.queue.clear_dead(before=app.clock() - days * DAY)
    return Purged(number, app.store.dead_letters.total())


def clear_letters(app: App) -> int:
    """Remove every dead letter; returns how many there were."""
    return app.store.queue.clear_dead()
