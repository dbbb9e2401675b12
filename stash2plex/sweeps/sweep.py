"""Polls and full sweeps: which scenes Plex may not agree with, told by what Stash holds.

Each is a generator that yields the next request to Stash and is sent the answer, so that whoever
drives it may do other things between two pages. The database is touched between the requests, a
page of scenes is all that is held, and what is found goes into the queue at once: an end at any
point has added work and taken none away.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from attrs import define, frozen

from stash2plex.config import Settings
from stash2plex.model import Scene
from stash2plex.records import Records
from stash2plex.servers.stash import PAGE, Stash, shows
from stash2plex.show.observe import count
from stash2plex.workqueue import BULK, WorkQueue
from stash2plex.write.apply import is_settled
from stash2plex.write.desired import desired_state, reason_to_skip

T = TypeVar("T")
Request = Callable[[], Any]
Steps = Generator[Request, Any, T]
"""Yields requests, is sent their answers, returns a result."""

LAST_ID = 2**63 - 1

RELATED = {
    "scene": "",
    "performer": "performers_filter",
    "tag": "tags_filter",
    # Stash ignores `groups_filter` and answers with every scene (stash.md §5.3).
    "group": "movies_filter",
    "file": "files_filter",
}
"""How a scene filter asks for the time of change of what a scene shows."""


@frozen
class Enqueued:
    """How many scenes were looked at, and how many of them are in the queue now."""

    seen: int
    queued: int

    def sentence(self) -> str:
        """Say it to a person."""
        if self.queued == self.seen:
            return f"{count(self.seen, 'scene')} queued."
        settled = self.seen - self.queued
        return f"{count(self.queued, 'scene')} queued; {settled:,} need nothing."


@define
class Sieve:
    """Puts the scenes into the queue that their records do not agree with.

    `revive` brings dead letters back and hastens what waits: a person asked, or changed a setting
    that may be what they died of.
    """

    queue: WorkQueue
    records: Records
    settings: Settings
    revive: bool = False

    def take(self, scenes: Iterable[Scene], gone: Iterable[int] = ()) -> int:
        """Enqueue those that are due, and scenes that Stash no longer has; returns how many."""
        keys = [("scene", scene.id) for scene in scenes if self.is_due(scene)]
        keys += [("scene", id_) for id_ in gone]
        return self.queue.add_many(keys, priority=BULK) if self.revive else self.queue.offer(keys)

    def is_due(self, scene: Scene) -> bool:
        """Whether Plex may have to be told something of a scene."""
        # Plex knows files; a scene that has none cannot be there.
        if not scene.files or reason_to_skip(scene, self.settings):
            return False
        desired = desired_state(scene, self.settings)
        return not desired.empty and not is_settled(scene, desired, self.records.get(scene.id))


def full_sweep(sieve: Sieve, stash: Stash) -> Steps[Enqueued]:
    """Compare every scene with its record, by growing id.

    A page holds every id between its neighbours, so a record with such an id and no scene is one
    of a scene that is gone; its key is queued too, and the worker asks once more before it forgets
    the record. A Stash without any scene is one that is being set up: nothing follows from it.
    """
    last = seen = queued = 0
    while True:
        page: list[Scene] = yield partial(stash.scene_page, last)
        if not page and not seen:
            return Enqueued(0, 0)
        ends = len(page) < PAGE
        upto = LAST_ID if ends else page[-1].id
        gone = sieve.records.ids_between(last, upto) - {scene.id for scene in page}
        seen += len(page)
        queued += sieve.take(page, sorted(gone))
        if ends:
            return Enqueued(seen, queued)
        last = upto


def poll(sieve: Sieve, stash: Stash, kind: str, after: str) -> Steps[Enqueued | None]:
    """Compare the scenes that show something of a kind whose time of change is greater, as text.

    None where too many studios changed for one question; a full sweep has to see to it.
    """
    changed = {"updated_at": {"value": after, "modifier": "GREATER_THAN"}}
    criteria: Mapping[str, object]
    if kind == "studio":
        # A filter of scenes by their studio's time does not see the studio above it (§5.3).
        ids: list[int] = yield partial(stash.studio_ids_changed, after)
        if len(ids) >= PAGE:
            return None
        if not ids:
            return Enqueued(0, 0)
        criteria = shows(kind, ids)
    else:
        criteria = {RELATED[kind]: changed} if RELATED[kind] else changed
    last = seen = queued = 0
    while True:
        page: list[Scene] = yield partial(stash.scene_page, last, criteria)
        seen += len(page)
        queued += sieve.take(page)
        if len(page) < PAGE:
            return Enqueued(seen, queued)
        last = page[-1].id


def find_vanished(sieve: Sieve, stash: Stash, kind: str) -> Steps[int]:
    """Enqueue performers, studios, tags or groups that records show and Stash no longer has.

    They fan out to the scenes that showed them, which no time of change tells of.
    """
    listed: list[int] = yield partial(stash.entity_ids, kind)
    gone = sieve.records.shown_entities(kind) - set(listed)
    return sieve.queue.offer([(kind, id_) for id_ in sorted(gone)])


def run_through(steps: Steps[T]) -> T:
    """Do all of it at once, and return the result. Raises what Stash's client raises."""
    try:
        request = next(steps)
        while True:
            request = steps.send(request())
    except StopIteration as end:
        result: T = end.value
        return result
