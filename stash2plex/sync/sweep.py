"""Polls and full sweeps: find the scenes that Plex may not agree with, by what Stash holds.

Each is a generator that yields the next request to Stash and is sent the answer, so that its caller
can do other things between two pages. It uses the database between the requests, holds one page of
scenes at a time, and queues what it finds at once. So an end at any point has added work and
removed none.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from attrs import Factory, define, frozen

from stash2plex.config import Settings
from stash2plex.db import MAX_INTEGER
from stash2plex.errors import ServerError
from stash2plex.model import Scene
from stash2plex.rules.desired import desired_state, reason_to_skip, without_fields
from stash2plex.rules.scene_states import (
    EXCLUDED,
    IN_SYNC,
    NO_METADATA,
    NOT_IN_PLEX,
    NOT_ORGANIZED,
    UNDONE,
    UNKNOWN,
)
from stash2plex.servers.scenepages import ScenePage
from stash2plex.servers.stash import PAGE, Stash, shows
from stash2plex.store.queue import Queue
from stash2plex.store.records import Records
from stash2plex.store.scenes import Scenes
from stash2plex.store.undo_marks import NOTHING_HELD, Held
from stash2plex.sync.apply import is_settled
from stash2plex.text import count
from stash2plex.workqueue import Key

T = TypeVar("T")
Request = Callable[[], Any]
Steps = Generator[Request, Any, T]
"""Yields requests, is sent their answers, returns a result."""

MAX_NAMED = 1_000
"""How many unreadable scenes one process names in the log."""

RELATED = {
    "scene": "",
    "performer": "performers_filter",
    "tag": "tags_filter",
    # Stash ignores `groups_filter` and answers with every scene (stash.md §5.3).
    "group": "movies_filter",
    "file": "files_filter",
}
"""The scene filters for the time of change of what a scene shows."""


class Idle(StrEnum):
    """Why a scene needs no change, in the words for several and for one."""

    IN_SYNC = "in sync already"
    UNDONE = "put back, and left out since"
    NO_METADATA = "have no metadata yet"
    NOT_ORGANIZED = "not organized"
    EXCLUDED = "with an excluded tag"
    NO_FILE = "without a file"

    def words(self, number: int) -> str:
        """Return how many scenes have this reason, in words."""
        text = "has no metadata yet" if self is Idle.NO_METADATA and number == 1 else self.value
        return f"{number:,} {text}"


@frozen
class Enqueued:
    """What became of scenes that were compared.

    `queued` were made due, `due` were due already; the rest needs no change, by reason in `idle`.
    """

    queued: int = 0
    due: int = 0
    idle: Mapping[Idle, int] = Factory(dict)

    def __add__(self, other: Enqueued) -> Enqueued:
        idle = {
            why: number
            for why in Idle
            if (number := self.idle.get(why, 0) + other.idle.get(why, 0))
        }
        return Enqueued(self.queued + other.queued, self.due + other.due, idle)

    def sentence(self, sources: str = "") -> str:
        """Return the counts in words; `sources` names what made the others due already."""
        text = f"{count(self.queued, 'scene')} queued"
        if self.due:
            word = "was" if self.due == 1 else "were"
            text += f"; {self.due:,} {word} due already" + (f" ({sources})" if sources else "")
        idle = ", ".join(why.words(self.idle[why]) for why in Idle if self.idle.get(why))
        if idle:
            text += f"; {idle}" if self.queued or self.due else f": {idle}"
        return text + "."


STANDINGS = {
    Idle.IN_SYNC: IN_SYNC,
    Idle.UNDONE: UNDONE,
    Idle.NO_METADATA: NO_METADATA,
    Idle.NOT_ORGANIZED: NOT_ORGANIZED,
    Idle.EXCLUDED: EXCLUDED,
    Idle.NO_FILE: NOT_IN_PLEX,
}
"""The standing of a scene that needs nothing."""


@define
class ChangeFilter:
    """Queues the scenes that do not agree with their records.

    Each scene's standing is stored as well; with `queues` off, nothing else happens.

    `revive` also queues dead letters again and makes waiting keys due: the user asked, or changed a
    setting that may be the cause. `run_id` is the run that the new keys belong to; without a run,
    held keys stay on hold. `named` are the unreadable scenes that the log has named.
    """

    queue: Queue
    records: Records
    settings: Settings
    scenes: Scenes
    revive: bool = False
    run_id: int = 0
    queues: bool = True
    named: set[int] = Factory(set)

    def take(
        self,
        scenes: Iterable[Scene],
        gone: Iterable[int] = (),
        unreadable: Mapping[int, ServerError] | None = None,
    ) -> Enqueued:
        """Enqueue the scenes that need a change, and those that Stash no longer has.

        An `unreadable` one is queued too: its key tries it again, and names it in the end.
        """
        keys: list[Key] = []
        idle: Counter[Idle] = Counter()
        looked_at = list(scenes)
        queued = self.queue.queued_scenes([scene.id for scene in looked_at])
        due = 0
        standings: dict[int, str] = {}
        held = self.scenes.undo_marks.held_of([scene.id for scene in looked_at])
        for scene in looked_at:
            why = self.why_idle(scene, held.get(scene.id, NOTHING_HELD))
            standings[scene.id] = STANDINGS[why] if why else UNKNOWN
            if why is None and not self.queues:
                continue
            if why is None:
                keys.append(("scene", scene.id))
            elif scene.id in queued:
                # It will be claimed anyway, and then it counts.
                due += 1
            else:
                idle[why] += 1
        for id_, error in (unreadable or {}).items():
            standings[id_] = UNKNOWN
            if self.queues:
                keys.append(("scene", id_))
                self._name(id_, error)
        self.scenes.see(standings)
        keys += [("scene", id_) for id_ in gone]
        if self.revive:
            new = self.queue.enqueue(keys, take_up=self.run_id > 0, run_id=self.run_id)
        else:
            new = self.queue.offer(keys, run_id=self.run_id)
        return Enqueued(new, due + len(keys) - new, idle)

    def _name(self, scene_id: int, error: ServerError) -> None:
        """Log once that a scene cannot be read."""
        if scene_id not in self.named and len(self.named) < MAX_NAMED:
            self.named.add(scene_id)
            logging.getLogger(__name__).warning(
                "%s All others go on; it is tried again.", error.what
            )

    def find_gone(self, after: int, upto: int, there: set[int]) -> list[int]:
        """Find what is known of scenes with ids in a range, and not there any more.

        Those with a record are returned for the worker to ask once more, those in the queue or
        among the dead letters become due for that; others are forgotten at once.
        """
        known = self.records.ids_between(after, upto) - there
        free, waiting = self.scenes.absent(after, upto, there)
        self.scenes.forget(id_ for id_ in free if id_ not in known)
        # Nothing that waits, or was given up, can be right for a scene that is gone.
        self.queue.wake([("scene", id_) for id_ in waiting])
        return sorted(known.difference(waiting))

    def why_idle(self, scene: Scene, held: Held = NOTHING_HELD) -> Idle | None:
        """Return why a scene needs no change; None if it may need one. `held` was put back."""
        if held.whole:
            return Idle.UNDONE
        # Plex knows files; a scene without one cannot be there.
        if not scene.files:
            return Idle.NO_FILE
        if reason_to_skip(scene, self.settings):
            is_left_out = self.settings.only_organized and not scene.organized
            return Idle.NOT_ORGANIZED if is_left_out else Idle.EXCLUDED
        desired = without_fields(desired_state(scene, self.settings), held.fields)
        if desired.empty:
            return Idle.NO_METADATA
        settled = is_settled(scene, desired, self.records.get(scene.id))
        return Idle.IN_SYNC if settled else None


def full_sweep(change_filter: ChangeFilter, stash: Stash) -> Steps[Enqueued]:
    """Compare every scene with its record, by growing id.

    A page holds every id between its first and last. So if a record in that range has no scene,
    the scene is gone. Its key is queued too, and the worker asks once more before it deletes the
    record. A Stash without any scene is being set up: nothing follows from that.
    """
    last = 0
    enqueued: Enqueued | None = None
    while True:
        page: ScenePage = yield partial(stash.scene_page, last)
        if not page.ids and enqueued is None:
            change_filter.scenes.confirm_none()
            return Enqueued()
        upto = MAX_INTEGER if page.ended else page.last
        gone = change_filter.find_gone(last, upto, page.ids)
        taken = change_filter.take(page.scenes, gone, page.unreadable)
        enqueued = (enqueued or Enqueued()) + taken
        if page.ended:
            change_filter.scenes.all_seen()
            return enqueued
        last = upto


def poll(
    change_filter: ChangeFilter, stash: Stash, kind: str, after: str
) -> Steps[Enqueued | None]:
    """Compare the scenes that show something of a kind whose time of change, as text, is greater.

    Returns None if too many studios changed for one request; then a full sweep is needed.
    """
    changed = {"updated_at": {"value": after, "modifier": "GREATER_THAN"}}
    criteria: Mapping[str, object]
    if kind == "studio":
        # A filter of scenes by their studio's time does not see the studio above it (§5.3).
        ids: list[int] = yield partial(stash.studio_ids_changed, after)
        if len(ids) >= PAGE:
            return None
        if not ids:
            return Enqueued()
        criteria = shows(kind, ids)
    else:
        criteria = {RELATED[kind]: changed} if RELATED[kind] else changed
    last = 0
    enqueued = Enqueued()
    while True:
        page: ScenePage = yield partial(stash.scene_page, last, criteria)
        enqueued += change_filter.take(page.scenes, unreadable=page.unreadable)
        if page.ended:
            return enqueued
        last = page.last


def find_vanished(change_filter: ChangeFilter, stash: Stash, kind: str) -> Steps[int]:
    """Enqueue performers, studios, tags or groups that records show but Stash no longer has.

    They lead to the scenes that showed them, which no time of change would show.
    """
    listed: list[int] = yield partial(stash.entity_ids, kind)
    gone = change_filter.records.shown_entities(kind) - set(listed)
    return change_filter.queue.offer(
        [(kind, id_) for id_ in sorted(gone)], run_id=change_filter.run_id
    )


def run_through(steps: Steps[T]) -> T:
    """Do all steps at once, and return the result. Raises what Stash's client raises."""
    try:
        request = next(steps)
        while True:
            request = steps.send(request())
    except StopIteration as end:
        result: T = end.value
        return result
