"""Puts scenes back: each is a key of the queue that is claimed and written like any other.

The item is read, what is still ours in it becomes what was there before, and it is read back. A
process that is killed in between does no harm: the next one reads the item again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from attrs import Factory, evolve, frozen

from stash2plex.db import transaction
from stash2plex.errors import NotFound, Rejected, ServerError
from stash2plex.model import IMAGE_FIELDS, Change, Field, Picture, PlexItem, Record
from stash2plex.rules.first_state import value_of
from stash2plex.rules.matching import split_path
from stash2plex.rules.memory import Base, Version, base_of
from stash2plex.rules.policy import Decision, Done, Verdict
from stash2plex.rules.scene_states import UNDONE
from stash2plex.rules.traits import Traits
from stash2plex.rules.undo_goals import ItemBack, goals_of
from stash2plex.rules.way_back import ChosenPictures, WayBack, plan_way_back
from stash2plex.rules.way_checked import careful, checked, without_respelled
from stash2plex.servers.plex import Plex
from stash2plex.store.history import UNDO
from stash2plex.store.undo_marks import Asked, Held
from stash2plex.sync.collections import Collections
from stash2plex.sync.edits import send_edit, sends_missing
from stash2plex.sync.in_hand import InHand, KeysInHand
from stash2plex.sync.picture_lane import KEPT_BACK, PictureLane
from stash2plex.sync.session import Session, Store
from stash2plex.workqueue import BULK, Claim

TRIES = 2
"""How often an item is written before a field counts as one that Plex does not keep."""

BUSY_SECONDS = 1.0
"""Seconds until a scene is looked at again whose pictures are being sent."""

NOT_LISTED: Mapping[Field, Sequence[Picture]] = {}

GONE, OTHER_SERVER, OTHER_FILE = "gone", "other server", "other file"


@frozen
class UndoJob:
    """A claimed scene that is to be put back, and its items."""

    claim: Claim
    scene_id: int
    asked: Asked
    items: tuple[ItemBack, ...]
    shared = None


@frozen
class ItemUndone:
    """What became of an item. `gone` is why it could not be looked at, empty if it was.

    `item` is what it showed before, `after` what it showed after the writes.
    """

    back: ItemBack
    item: PlexItem | None = None
    way: WayBack = Factory(lambda: WayBack(Change({}, {})))
    gone: str = ""
    after: PlexItem | None = None


class Undoing:
    """Begins and ends the way back of claimed scenes. Belongs to the thread of the database.

    `make_ready` gets each job that is to be written.
    """

    def __init__(
        self,
        store: Store,
        hand: KeysInHand,
        lane: PictureLane,
        collections: Collections,
        make_ready: Callable[[UndoJob], None],
    ) -> None:
        self._store = store
        self._hand = hand
        self._lane = lane
        self._collections = collections
        self._make_ready = make_ready

    def take(self, keys: Sequence[InHand]) -> list[InHand]:
        """Begin with the scenes that are to be put back; returns the others."""
        asked = self._store.undo_marks.asked_of([key.claim.id for key in keys])
        for key in keys:
            if key.claim.id in asked:
                self._begin(key, asked[key.claim.id])
        return [key for key in keys if key.claim.id not in asked]

    def _begin(self, key: InHand, asked: Asked) -> None:
        claim = key.claim
        if self._lane.is_sending(claim.id):
            wait = "its pictures are being sent."
            self._hand.finish(claim, Decision(Verdict.AWAIT, BUSY_SECONDS, "pictures", wait))
            return
        items = items_back(self._store, claim.id, asked)
        record = self._store.records.get(claim.id)
        key.title = str(record.written.get(Field.TITLE) or "") if record else ""
        key.path = items[0].state.path if items else ""
        with transaction(self._store.connection):
            self._store.pictures.keep_back(claim.id, KEPT_BACK)
            self._store.undo_marks.begin(claim.id)
        self._make_ready(UndoJob(claim, claim.id, asked, tuple(items)))

    def write(self, job: UndoJob, session: Session) -> Callable[[], list[ItemUndone]]:
        """Return what puts the items of a job back, in a thread."""
        server = self._store.first_states.server
        return partial(put_back, job, server, session, self._store.traits.known)

    # -- the end --------------------------------------------------------------------------

    def end(self, job: UndoJob, undone: Sequence[ItemUndone]) -> None:
        """Record what became of a scene, and end its key, in one commit."""
        store, scene_id = self._store, job.scene_id
        whole = job.asked.is_whole
        with transaction(store.connection):
            was_orphan = store.records.is_orphan(scene_id)
            run_id = (
                store.history.task_run(job.asked.job, undoes=True)
                if job.asked.job
                else store.history.loose_run(UNDO, job.claim.added_at)
            )
            if whole:
                store.records.drop(scene_id)
            back: set[Field] = set()
            for one in undone:
                back |= one.way.settled
                if one.item is not None:
                    self._record(job, one, run_id, whole=whole)
            if Field.COLLECTION in back:
                self._collections.note_left()
            if whole or back & set(IMAGE_FIELDS):
                store.pictures.drop(scene_id)
                store.picture_checks.drop(scene_id)
            held = store.undo_marks.held(scene_id)
            now_held = Held(whole=True) if whole or held.whole else Held(fields=held.fields | back)
            more = store.undo_marks.end(scene_id, job.asked, now_held, outcome_of(undone))
            if was_orphan:
                store.undo_marks.forget(scene_id)
            standing = UNDONE if now_held.whole and not more else None
            if more or not now_held.whole:
                # More of it is to be put back, or its other fields are compared again.
                store.queue.add_many([job.claim.key], priority=BULK, take_up=False)
            self._hand.finish(job.claim, Done("put back", None if was_orphan else standing))
            if was_orphan and job.claim.finished:
                store.scenes.forget([scene_id])

    def _record(self, job: UndoJob, one: ItemUndone, run_id: int, *, whole: bool) -> None:
        store, state, way = self._store, one.back.state, one.way
        assert one.item is not None
        sent = {
            str(name): (_shown_before(one, name), one.back.goals[name].value)
            for name in (*way.change.fields, *way.pictures)
        }
        if sent:
            store.history.add(run_id, job.scene_id, state.rating_key, sent)
            if made := _made_of(one, sent):
                store.history.note_shown(job.scene_id, state.rating_key, made)
        if whole:
            left = {name: state.fields[name] for name in way.open_fields if name in state.fields}
            store.first_states.put_back(state, left, is_done=not (left or one.back.cannot))
            return
        settled = {name for name in way.settled if one.back.is_first(name)}
        if settled:
            rest = {name: kept for name, kept in state.fields.items() if name not in settled}
            store.first_states.put_back(state, rest, is_done=not (rest or state.before_history))
        record = one.back.record
        if record is not None:
            after = _without(record, way, one.back)
            if one.back.follows:
                store.followers.replace(after)
            else:
                store.records.replace(after)


def _shown_before(one: ItemUndone, name: Field) -> object:
    assert one.item is not None
    return one.back.chosen.get(name, "") if name in IMAGE_FIELDS else value_of(one.item, name)


def _made_of(one: ItemUndone, sent: Mapping[str, tuple[object, object]]) -> dict[str, object]:
    """Return what Plex made of what was sent to it, where that is something else."""
    after = one.after
    shown = {
        str(name): value_of(after, name)
        for name in one.way.change.fields
        if after is not None and name not in IMAGE_FIELDS
    }
    return {name: value for name, value in shown.items() if value != sent[name][1]}


def _without(record: Record, way: WayBack, back: ItemBack) -> Record:
    """Return a record without the fields that are no longer ours."""
    written, shown = dict(record.written), dict(record.shown)
    unread, removed = dict(record.unread), dict(record.removed)
    for name in way.settled:
        for known in (written, shown, unread, removed):
            known.pop(name, None)
        if name in way.back and back.is_ours_before(name):
            written[name] = back.goals[name].value
    return evolve(
        record,
        written=written,
        shown=shown,
        unread=unread,
        removed=removed,
        fingerprint="",
        poster_hash="" if Field.POSTER in way.settled else record.poster_hash,
        background_hash="" if Field.BACKGROUND in way.settled else record.background_hash,
    )


# -- in a thread --------------------------------------------------------------------------


def put_back(job: UndoJob, server: str, session: Session, traits: Traits) -> list[ItemUndone]:
    """Put the items of a scene back, each as far as it can be. Raises what Plex answers.

    An item that fails stops no other one; the failure is raised after all were tried.
    """
    undone: list[ItemUndone] = []
    failure: Exception | None = None
    for back in job.items:
        try:
            undone.append(_put_item_back(back, server, session, traits))
        except ServerError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return undone


def _put_item_back(back: ItemBack, server: str, session: Session, traits: Traits) -> ItemUndone:
    seen = look(back, server, session.plex)
    if seen.gone or seen.item is None:
        return seen
    first, way, item = seen, seen.way, seen.item
    for _ in range(TRIES):
        if seen.way.is_idle:
            break
        refused = _send(seen, session, traits)
        if refused:
            way = evolve(way, cannot={**way.cannot, **refused}, back=way.back - refused.keys())
        kept = {name: goal for name, goal in back.goals.items() if name not in way.cannot}
        seen = look(evolve(back, goals=kept), server, session.plex)
        if seen.item is None:
            return seen
        item = seen.item
        seen = evolve(seen, way=without_respelled(seen.way, item))
        traits = careful(traits, item)
    return evolve(first, way=checked(way, back.goals, seen.way, item), after=item)


def look(back: ItemBack, server: str, plex: Plex) -> ItemUndone:
    """Read an item and its pictures, and plan what is to be sent. Raises what Plex answers."""
    state = back.state
    if state.server != server:
        return ItemUndone(back, gone=OTHER_SERVER)
    items = plex.items([state.rating_key])
    if error := items.unreadable.get(state.rating_key):
        raise error
    seen = weigh(back, server, items.get(state.rating_key))
    if seen.item is None:
        return seen
    listed = {
        name: plex.pictures(state.rating_key, name) for name in back.goals if name in IMAGE_FIELDS
    }
    return weigh(back, server, seen.item, listed)


def weigh(
    back: ItemBack,
    server: str,
    item: PlexItem | None,
    listed: Mapping[Field, Sequence[Picture]] = NOT_LISTED,
) -> ItemUndone:
    """Plan what is to be sent to an item as it is now; `listed` are the pictures that it can show.

    Without a list, its pictures are left alone.

    What was written belongs to the server, the item and the file: to another one, nothing is sent.
    """
    state = back.state
    if state.server != server:
        return ItemUndone(back, gone=OTHER_SERVER)
    if item is None or item.trashed:
        return ItemUndone(back, gone=GONE)
    if not _holds(item, back):
        return ItemUndone(back, gone=OTHER_FILE)
    item = evolve(item, section_id=item.section_id or state.section_id)
    chosen = {
        name: next((one.key for one in there if one.selected), "") for name, there in listed.items()
    }
    offers = {
        name: tuple(one.key for one in there if not one.key.startswith("upload://"))
        for name, there in listed.items()
    }
    back = evolve(back, chosen=chosen)
    pictures = ChosenPictures(
        chosen, offers, back.hashes, is_open=back.is_picture_open, has_begun=back.has_begun
    )
    return ItemUndone(back, item, plan_way_back(back.goals, item, base_for(back, item), pictures))


def base_for(back: ItemBack, item: PlexItem) -> Base:
    """Return what is ours in an item: by its record, and by what was kept when a record left it."""
    if back.version is not None:
        return Base((back.version,))
    ours, known = back.state.ours, base_of(back.record, item)
    if not ours.get("written"):
        return known
    kept = Version(ours["written"], ours.get("shown") or {}, verified=True)
    if back.record is None:
        return Base((kept,), ours.get("removed") or {})
    return evolve(known, versions=(*known.versions, kept))


def _holds(item: PlexItem, back: ItemBack) -> bool:
    """Return whether an item still holds the file that was written to."""
    path = back.state.path or (back.record.plex_path if back.record else "")
    return any(split_path(held) == split_path(path) for held in item.paths)


def _send(seen: ItemUndone, session: Session, traits: Traits) -> Mapping[Field, str]:
    """Send what is planned; returns the pictures that Plex refuses to choose, and why.

    The locks come last: choosing a picture locks it.
    """
    item, way, plex = seen.item, seen.way, session.plex
    assert item is not None
    refused: dict[Field, str] = {}
    for name, key in way.pictures.items():
        try:
            if key:
                plex.choose_picture(item.rating_key, name, key)
            else:
                plex.choose_none(item.rating_key, name)
        except (NotFound, Rejected):
            refused[name] = "Plex no longer has it" if key else "this Plex cannot choose none"
    change = evolve(way.change, unlocks=way.change.unlocks - refused.keys())
    preserve = session.settings.preserve_plex_edits
    if change.edits:
        send_edit(
            plex, item, change, traits, delta=sends_missing(change, item, traits, preserve=preserve)
        )
    if change.clear_rating:
        plex.clear_rating(item.rating_key)
    return refused


# -- what is asked, and what became of it -------------------------------------------------


def items_back(store: Store, scene_id: int, asked: Asked) -> list[ItemBack]:
    """List the items of a scene that hold what is to be put back."""
    record = store.records.get(scene_id)
    followers = store.followers.of(scene_id)
    is_open = store.pictures.get(scene_id) is not None
    found = []
    for state in store.first_states.of_scene(scene_id):
        if state.undone_at is not None:
            continue
        own = record if record and record.rating_key == state.rating_key else None
        writes = store.history.of_item(scene_id, state.rating_key) if asked.run_id else []
        back = goals_of(
            state,
            own or followers.get(state.rating_key),
            asked_run=asked.run_id,
            fields=asked.fields,
            writes=writes,
        )
        if back is not None:
            found.append(
                evolve(
                    back,
                    is_picture_open=is_open,
                    follows=state.rating_key in followers,
                    has_begun=asked.has_begun,
                )
            )
    return found


def outcome_of(undone: Sequence[ItemUndone]) -> dict[str, object]:
    """Return what became of the fields of a scene, as the database keeps it."""
    left = [
        {"rating_key": one.back.state.rating_key, "field": str(name), "why": why}
        for one in undone
        for name, why in (
            *((name, "theirs") for name in sorted(one.way.theirs)),
            *sorted({**one.way.cannot, **one.back.cannot}.items()),
        )
        if not one.gone
    ]
    looked_at = [one for one in undone if not one.gone]
    return {
        "back": sum(len(one.way.back) for one in looked_at),
        "theirs": sum(len(one.way.theirs) for one in looked_at),
        "cannot": sum(len({**one.way.cannot, **one.back.cannot}) for one in looked_at),
        "items": len(undone),
        "gone": len(undone) - len(looked_at),
        "uploads": sum(one.back.uploads for one in looked_at),
        "left": left,
    }
