"""The way back: which scenes are meant, what would become of them, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import evolve, field, frozen

from stash2plex.app import App
from stash2plex.db import drop_meta, set_meta, transaction
from stash2plex.errors import ServerError, UsageError
from stash2plex.model import IMAGE_FIELDS, Field
from stash2plex.rules.undo_goals import ItemBack
from stash2plex.rules.way_back import chooses_none
from stash2plex.servers.plex import IDS_PER_READ
from stash2plex.store.meta import PUT_BACK_ASKED, get_number
from stash2plex.store.undo_marks import Asked
from stash2plex.sync.undoing import items_back, outcome_of, weigh
from stash2plex.workqueue import BULK, URGENT

CHUNK = 2_000
"""Scenes in one transaction, so that a save never waits long for the write lock."""

LOOKED_AT = 200
"""Up to so many scenes are looked at in Plex before they are queued: one request."""

SECOND_PRESS = 600.0
"""Seconds within which a second press of “Put Plex Back” acts."""

SHOWN = 20
"""How many fields that stay a report lists."""


@frozen
class Chosen:
    """What is to be undone: by exactly one of scenes, items, a run, all, or what is left out."""

    scene_ids: Sequence[int] = ()
    rating_keys: Sequence[str] = ()
    run_id: int = 0
    everything: bool = False
    left_out: bool = False
    fields: frozenset[Field] = frozenset()

    def check(self) -> None:
        """Raise UsageError unless exactly one way to choose is used."""
        ways = (self.scene_ids, self.rating_keys, self.run_id, self.everything, self.left_out)
        if sum(map(bool, ways)) != 1:
            raise UsageError("Choose what to undo by scenes, items, a run, all, or left out ones.")


@frozen
class Forecast:
    """What an undo would do, or did.

    `queued` counts scenes, `back` the values that are put back, `theirs` those that were changed
    since and stay, `cannot` those that cannot come back, and `gone` the items that Plex no longer
    has. `uploads` are pictures that stay in Plex, unused. `left` lists fields that stay, and why.

    Before an undo, `pictures` of ours were sent: each goes back unless the user chose another one
    since, which is not looked at. Plex itself chose what `own_pictures` of them go back to.
    `may_stay` of those may stay: a Plex older than 1.43 cannot choose again.
    """

    queued: int = 0
    back: int = 0
    theirs: int = 0
    cannot: int = 0
    gone: int = 0
    uploads: int = 0
    left: tuple[tuple[int, str, str], ...] = ()
    pictures: int = 0
    own_pictures: int = 0
    may_stay: int = 0

    def plus(self, scene_id: int, outcome: dict[str, Any]) -> Forecast:
        """Add the outcome of a scene."""
        left = self.left
        if len(left) < SHOWN:
            left += tuple(
                (scene_id, str(entry.get("field")), str(entry.get("why")))
                for entry in outcome.get("left", ())
            )
        return evolve(
            self,
            queued=self.queued + 1,
            back=self.back + outcome.get("back", 0),
            theirs=self.theirs + outcome.get("theirs", 0),
            cannot=self.cannot + outcome.get("cannot", 0),
            gone=self.gone + outcome.get("gone", 0),
            uploads=self.uploads + outcome.get("uploads", 0),
            left=left[:SHOWN],
        )

    def with_pictures(self, items: Iterable[ItemBack]) -> Forecast:
        """Add the pictures of ours in items, by what is kept of them."""
        goals = [
            back.goals[name]
            for back in items
            for name in IMAGE_FIELDS
            if name in back.goals and (back.hashes.get(name) or back.is_picture_open)
        ]
        own = sum(goal.value is None for goal in goals)
        return evolve(
            self,
            pictures=self.pictures + len(goals),
            own_pictures=self.own_pictures + own,
        )

    def as_json(self) -> dict[str, int]:
        """Return the operation's answer (contract §5)."""
        return {
            "queued": self.queued,
            "theirs": self.theirs,
            "cannot": self.cannot,
            "gone": self.gone,
            "pictures": self.pictures,
            "own_pictures": self.own_pictures,
            "may_stay": self.may_stay,
        }


@frozen
class UndoReport:
    """What became of the scenes of an undo: `done` holds those that ended.

    `waiting` scenes are still to be put back, and `given_up` are dead letters. `withdrawn` scenes
    were synced by the user since, or removed from the queue.
    """

    done: Forecast = field(factory=Forecast)
    waiting: int = 0
    given_up: int = 0
    withdrawn: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values. The scenes add up to what was queued."""
        done = self.done
        return {
            "scenes": done.queued + self.waiting + self.given_up + self.withdrawn,
            "done": done.queued,
            "waiting": self.waiting,
            "given_up": self.given_up,
            "withdrawn": self.withdrawn,
            "put_back": done.back,
            "theirs": done.theirs,
            "cannot": done.cannot,
            "gone": done.gone,
            "uploads": done.uploads,
            "left": [
                {"scene_id": scene_id, "field": name, "why": why}
                for scene_id, name, why in done.left
            ],
        }


def choose(app: App, chosen: Chosen) -> list[int]:
    """List the scenes that are meant. Raises UsageError for a run that is not known."""
    chosen.check()
    store = app.store
    if chosen.scene_ids:
        return sorted(set(chosen.scene_ids))
    if chosen.rating_keys:
        owners = map(store.first_states.scene_of_item, chosen.rating_keys)
        return sorted({scene_id for scene_id in owners if scene_id is not None})
    if chosen.run_id:
        if store.history.run(chosen.run_id) is None:
            raise UsageError(
                f"There is no run {chosen.run_id}; “stash2plex history” lists the runs."
            )
        return store.history.scenes_of_run(chosen.run_id)
    return store.first_states.left_out_scenes() if chosen.left_out else _written(app)


def _written(app: App) -> list[int]:
    return app.store.first_states.written_scenes()


def forecast(app: App, chosen: Chosen, *, looks: bool = True) -> Forecast:
    """Work out what an undo would do; it changes nothing.

    It `looks` at the texts and lists in Plex. Pictures are counted by what is kept of them: to look
    at them would take two requests for each item. Raises what Plex's client raises.
    """
    asked = Asked(chosen.run_id, chosen.fields)
    total = Forecast()
    for page in _pages(app, choose(app, chosen), asked):
        total = _count(app, page, total, looks=looks)
    if total.own_pictures and looks:
        version = app.open_session().plex.identity().version
        if not chooses_none(version):
            total = evolve(total, may_stay=total.own_pictures)
    return total


def _pages(
    app: App, scene_ids: Iterable[int], asked: Asked
) -> Iterator[list[tuple[int, list[ItemBack]]]]:
    page: list[tuple[int, list[ItemBack]]] = []
    number = 0
    for scene_id in scene_ids:
        items = items_back(app.store, scene_id, asked)
        if not items:
            continue
        if page and number + len(items) > IDS_PER_READ:
            yield page
            page, number = [], 0
        page.append((scene_id, items))
        number += len(items)
    if page:
        yield page


def _count(
    app: App, page: list[tuple[int, list[ItemBack]]], total: Forecast, *, looks: bool
) -> Forecast:
    server = app.store.first_states.server
    keys = [
        back.state.rating_key for _, items in page for back in items if back.state.server == server
    ]
    shown = app.open_session().plex.items(keys) if looks and keys else None
    for scene_id, items in page:
        if shown is None:
            here = [back for back in items if back.state.server == server]
            total = evolve(
                total.with_pictures(here),
                queued=total.queued + 1,
                cannot=total.cannot + sum(len(back.cannot) for back in items),
                gone=total.gone + len(items) - len(here),
            )
            continue
        seen = [weigh(back, server, shown.get(back.state.rating_key)) for back in items]
        total = total.plus(scene_id, outcome_of(seen))
        total = total.with_pictures(one.back for one in seen if not one.gone)
    return total


def queue_undo(app: App, chosen: Chosen, *, run_id: int = 0) -> list[int]:
    """Queue the way back of scenes; returns which. `run_id` is the run that asks, 0 for none.

    Each is put back like a key of a sync is sent, by whichever process drains.
    """
    asked = Asked(chosen.run_id, chosen.fields, run_id)
    scenes = [
        scene_id for scene_id in choose(app, chosen) if items_back(app.store, scene_id, asked)
    ]
    few = not run_id and len(scenes) <= LOOKED_AT
    for start in range(0, len(scenes), CHUNK):
        part = scenes[start : start + CHUNK]
        with transaction(app.store.connection):
            app.store.undo_marks.ask(part, asked)
            app.store.queue.enqueue(
                [("scene", scene_id) for scene_id in part],
                priority=URGENT if few else BULK,
                run_id=run_id,
            )
    return scenes


def undo(app: App, chosen: Chosen, *, run_id: int = 0) -> Forecast:
    """Queue the way back; returns what is known of it now.

    Of few scenes, Plex is asked first, if it answers.
    """
    is_small = len(choose(app, chosen)) <= LOOKED_AT
    try:
        known = forecast(app, chosen, looks=is_small)
    except ServerError:
        known = forecast(app, chosen, looks=False)
    queue_undo(app, chosen, run_id=run_id)
    return known


def undo_report(app: App, scene_ids: Sequence[int]) -> UndoReport:
    """Return what became of scenes that were queued to be put back, whoever put them back."""
    done, waiting, given_up = Forecast(), 0, 0
    for scene_id, outcome in app.store.undo_marks.outcomes(scene_ids):
        if outcome is not None:
            done = done.plus(scene_id, outcome)
        elif app.store.dead_letters.find("scene", scene_id) is not None:
            given_up += 1
        else:
            waiting += 1
    withdrawn = len(scene_ids) - done.queued - waiting - given_up
    return UndoReport(done, waiting, given_up, withdrawn)


def is_second_press(app: App) -> bool:
    """Whether “Put Plex Back” showed what it would do within the last ten minutes."""
    asked_at = get_number(app.store.connection, PUT_BACK_ASKED)
    return asked_at is not None and 0 <= app.clock() - asked_at <= SECOND_PRESS


def remember_press(app: App, *, acts: bool) -> None:
    """Record a press of “Put Plex Back”: one that showed what it would do, or one that `acts`."""
    if acts:
        drop_meta(app.store.connection, PUT_BACK_ASKED)
        return
    with transaction(app.store.connection) as database:
        set_meta(database, PUT_BACK_ASKED, f"{app.clock():.3f}")
