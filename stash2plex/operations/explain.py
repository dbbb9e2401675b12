"""Why a scene is where it is: its match, its key, and each field's three values.

Works while either server is down, and lists what is unknown then. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from stash2plex.app import App
from stash2plex.config import Settings, parse_settings
from stash2plex.errors import LibraryUnread, NotInPlexYet, ServerError, Stash2PlexError
from stash2plex.model import (
    IMAGE_FIELDS,
    LIST_FIELDS,
    TEXT_FIELDS,
    Change,
    Desired,
    Field,
    PlexItem,
    Record,
    Scene,
)
from stash2plex.operations.notifications import held_sentence
from stash2plex.operations.reasons import reason_of
from stash2plex.operations.traits import lost_fields
from stash2plex.rules.desired import desired_state, reason_to_skip, without_fields
from stash2plex.rules.matching import Explanation
from stash2plex.rules.merge import held_text, plan_change
from stash2plex.rules.policy import SNOOZES
from stash2plex.rules.spelling import same_rating
from stash2plex.store.item_choices import ItemChoice
from stash2plex.store.key_state import KeyState, read_key_state
from stash2plex.store.runs import read_held
from stash2plex.store.stored_page import WEB
from stash2plex.sync.apply import is_settled
from stash2plex.sync.finder import explain_scene as explain_match
from stash2plex.sync.whose_library import library_not_chosen
from stash2plex.text import local, span, utc

LOOK_SECONDS = 10.0
"""How long an explanation waits for Plex: the user is watching."""

CANDIDATES = 20
"""How many candidates are shown: in some libraries very many files share a name."""


@frozen
class FieldView:
    """A field as Stash, Plex and the record have it; None if that is unknown or missing.

    `state` is “equal”, “spelling” (equal, as Plex spells it), “differs” (the next sync writes it),
    “kept” (the user's edit in Plex), “not_ours” (empty in Stash, and not written by us), “not_kept”
    (Plex accepts it but does not keep it), “skipped” (by a setting) or “unknown”.
    """

    name: Field
    stash: object
    plex: object
    written: object
    state: str


@define
class SceneExplanation:
    """All that is known of a scene. `state` is one word, `why` one plain sentence."""

    scene_id: int
    key: KeyState
    record: Record | None = None
    scene: Scene | None = None
    look: Explanation | None = None
    listed: bool = True
    fields: tuple[FieldView, ...] = ()
    unknown: list[str] = field(factory=list)
    state: str = "unknown"
    why: str = ""
    machine_id: str | None = None
    library: str | None = None
    choice: ItemChoice | None = None

    @property
    def title(self) -> str:
        """What the user recognises the scene by, as far as it is known."""
        if self.scene is not None:
            return self.scene.label
        written = self.record.written.get(Field.TITLE) if self.record else None
        return str(written) if written else f"scene {self.scene_id}"


def explain_scene(app: App, scene_id: int) -> SceneExplanation:
    """Collect what is known about a scene, and why it is where it is."""
    connection = app.store.connection
    key = read_key_state(connection, ("scene", scene_id), app.clock())
    known = SceneExplanation(scene_id, key, app.store.records.get(scene_id))
    gone = False
    try:
        settings = app.settings()
        scenes = app.stash.scenes([scene_id])
        if failure := scenes.unreadable.get(scene_id):
            raise failure
        known.scene = scenes.get(scene_id)
        gone = known.scene is None
    except ServerError as error:
        settings, _ = parse_settings(app.settings_reader.overrides)
        known.unknown.append(f"What Stash holds: {error}")
    held = app.store.undo_marks.held(scene_id)
    desired = (
        without_fields(desired_state(known.scene, settings), held.fields) if known.scene else None
    )
    if known.scene is not None:
        known.choice = app.store.choices.of([file.path for file in known.scene.files])
    item = _look_at_plex(app, settings, known)
    change = None
    if desired is not None and item is not None:
        change = plan_change(desired, item, known.record, preserve=settings.preserve_plex_edits)
    lost = lost_fields(app.store.traits.rows())
    known.fields = tuple(_field_views(known, settings, desired, item, change, lost))
    known.state, known.why = _reason(app, known, settings, desired, gone=gone)
    if held.whole and known.key.state == "none" and not gone:
        known.state = "left_out"
        known.why = f"It was put back. Sync scene {scene_id} to send it again."
    elif known.key.state in ("due", "in_progress") and _is_asked_back(app, scene_id):
        known.state, known.why = "waiting", "It is to be put back. The worker does that next."
    known.machine_id = app.store.plex_files.server()
    section_id = app.store.plex_files.section_of(_rating_key(known) or "")
    known.library = app.store.plex_files.titles_by_id().get(section_id)
    return known


def _is_asked_back(app: App, scene_id: int) -> bool:
    """Whether a scene is to be put back."""
    return bool(app.store.undo_marks.asked_of([scene_id]))


def _look_at_plex(app: App, settings: Settings, known: SceneExplanation) -> PlexItem | None:
    """Match the scene with the present index, and read its item."""
    try:
        settings.require_plex()
        plex = app.make_plex(settings, most_seconds=LOOK_SECONDS)
    except Stash2PlexError as error:
        known.unknown.append(f"What Plex holds: {error}")
        return None
    try:
        if known.scene is not None:
            known.look = explain_match(app.store, settings, known.scene)
            known.listed = bool(app.store.plex_files.titles())
        rating_key = _rating_key(known)
        if rating_key is None:
            return None
        items = plex.items([rating_key], app.store.plex_files.other_item([rating_key]))
        if failure := items.unreadable.get(rating_key):
            known.unknown.append(f"What Plex holds: {failure}")
            return None
        item = items.get(rating_key)
    except ServerError as error:
        known.unknown.append(f"What Plex holds: {error}")
        return None
    finally:
        plex.close()
    if item is None or item.trashed:
        known.unknown.append(f"What Plex holds: it no longer has item {rating_key}.")
        return None
    return item


def _rating_key(known: SceneExplanation) -> str | None:
    if known.look is not None and known.look.match is not None:
        return known.look.match.file.rating_key
    # Stash is down, or the scene is gone: its item is still known.
    return known.record.rating_key if known.record and known.scene is None else None


# -- fields -------------------------------------------------------------------------------


def _field_views(
    known: SceneExplanation,
    settings: Settings,
    desired: Desired | None,
    item: PlexItem | None,
    change: Change | None,
    lost: Sequence[Field],
) -> list[FieldView]:
    record = known.record
    if record is not None and item is not None and record.rating_key != item.rating_key:
        # What was written to another item means nothing for this one.
        record = None
    written = record.written if record else {}
    views = []
    for name in (*TEXT_FIELDS, Field.RATING, *LIST_FIELDS):
        stash = _wanted(name, desired)
        plex = _held(name, item)
        state = "skipped"
        if name not in settings.skip_fields:
            state = _field_state(name, stash, plex, change)
            if state == "equal" and _is_other(stash, plex):
                state = "not_kept" if name in lost else "spelling"
        views.append(FieldView(name, stash, plex, written.get(name), state))
    return [*views, *_picture_views(known.scene, record, settings, lost)]


def _wanted(name: Field, desired: Desired | None) -> object:
    if desired is None:
        return None
    if name is Field.RATING:
        return desired.rating if desired.rates else None
    return desired.lists.get(name) if name in LIST_FIELDS else desired.texts.get(name)


def _held(name: Field, item: PlexItem | None) -> object:
    if item is None:
        return None
    if name is Field.RATING:
        return item.rating
    return item.lists.get(name, ()) if name in LIST_FIELDS else held_text(item, name)


def _field_state(name: Field, stash: object, plex: object, change: Change | None) -> str:
    if change is None:
        return "unknown"
    if name in change.fields:
        return "differs"
    if name in change.kept:
        return "kept"
    if stash in (None, "", ()):
        return "not_ours" if plex not in (None, "", ()) else "equal"
    return "equal"


def _is_other(stash: object, plex: object) -> bool:
    """Whether a value that counts as equal is spelt differently."""
    if isinstance(stash, tuple) and isinstance(plex, tuple):
        return not set(stash) <= set(plex)
    if isinstance(stash, float) or isinstance(plex, float):
        return not same_rating(stash, plex)
    return stash != plex


def _picture_views(
    scene: Scene | None, record: Record | None, settings: Settings, lost: Sequence[Field]
) -> list[FieldView]:
    hashes = {
        Field.POSTER: record.poster_hash if record else "",
        Field.BACKGROUND: record.background_hash if record else "",
    }
    views = []
    for name in IMAGE_FIELDS:
        state = "unknown"
        if name in settings.skip_fields:
            state = "skipped"
        elif scene is not None:
            same = record is not None and scene.cover_tag == record.cover_tag
            state = ("not_kept" if name in lost else "equal") if same else "differs"
        cover = scene.cover_tag if scene else None
        views.append(FieldView(name, cover, None, hashes[name] or None, state))
    return views


# -- the one sentence ---------------------------------------------------------------------


def _reason(
    app: App, known: SceneExplanation, settings: Settings, desired: Desired | None, *, gone: bool
) -> tuple[str, str]:
    """Return a word and a sentence for why the scene is where it is."""
    if gone:
        keeps = " Plex keeps what was written to its item." if known.record else ""
        return "gone", f"Stash has no scene {known.scene_id}.{keeps}"
    skipped = reason_to_skip(known.scene, settings) if known.scene else None
    if skipped:
        return "left_out", f"It is not synced: {skipped}."
    if desired is not None and desired.empty:
        return "left_out", "It has no metadata yet, so Plex is left alone."
    if known.key.state == "dead":
        return "dead", f"It was given up after {_tries(known.key.attempts)}: {known.key.error}"
    if known.key.state != "none":
        return _queued(app, known, settings)
    if not known.listed:
        return (
            "not_matched",
            "Plex's library has not been listed yet; the next sync does that.",
        )
    if known.look is not None and known.look.match is None:
        why = known.scene and library_not_chosen(app.store, settings, known.scene, known.record)
        return (
            ("left_out", f"It is not synced: {why}.")
            if why
            else ("not_matched", known.look.refusal)
        )
    return _compared(known, desired)


def _tries(number: int) -> str:
    return "1 try" if number == 1 else f"{number} tries"


def _queued(app: App, known: SceneExplanation, settings: Settings) -> tuple[str, str]:
    key = known.key
    if key.state == "in_progress":
        return "in_progress", "A worker is sending it now."
    if key.state == "held" and (held := read_held(app.store.connection)):
        return "waiting", f"It is on hold. {held_sentence(held)}"
    breaker = app.store.breakers["plex"].read()
    if breaker.state != "closed":
        return "waiting", f"It waits for Plex: {breaker.reason}"
    if key.state == "due":
        return "waiting", "It is due. The worker or “Process Queue” sends it next."
    again = f"next try at {local(key.due_at or 0.0)}"
    if key.reason == NotInPlexYet.reason:
        looks = f"looked up {key.snoozes} of {SNOOZES} times, {again}"
        return "waiting", f"It waits for Plex to have its file ({looks}). {key.error}".strip()
    if key.reason == LibraryUnread.reason:
        return "waiting", f"It waits for a Plex library ({again}). {key.error}".strip()
    if key.attempts:
        tries = f"{key.attempts} of {_tries(settings.max_retries)} failed, {again}"
        return "waiting", f"It will be tried again ({tries}). {key.error}".strip()
    return "waiting", f"It is due in {span((key.due_at or 0.0) - app.clock())}."


def _compared(known: SceneExplanation, desired: Desired | None) -> tuple[str, str]:
    if (
        known.scene is None
        or desired is None
        or any(view.state == "unknown" and view.name not in IMAGE_FIELDS for view in known.fields)
    ):
        if known.record is None or not known.record.synced_at:
            return "unknown", "It was never synced, and what Plex holds is unknown now."
        since = f"It was last in sync at {local(known.record.synced_at)}"
        if known.scene is not None and desired is not None:
            settled = is_settled(known.scene, desired, known.record)
            since += " and has not changed since" if settled else " and has changed in Stash since"
        return "unknown", f"{since}. Its present state is unknown."
    differing = [view.name for view in known.fields if view.state == "differs"]
    kept = [view.name for view in known.fields if view.state == "kept"]
    ending = f" Kept as you edited them in Plex: {', '.join(kept)}." if kept else ""
    if differing:
        return "differs", (
            f"Plex differs in {', '.join(differing)}. Save the scene or sync it to write that."
            + ending
        )
    if known.record is None or not known.record.synced_at:
        return "in_sync", f"Plex holds the same already, and nothing was written yet.{ending}"
    return "in_sync", f"In sync since {local(known.record.synced_at)}.{ending}"


# -- for machines ------------------------------------------------------------------------


def explanation_json(known: SceneExplanation) -> dict[str, Any]:
    """Return the explanation as plain values (contract §5)."""
    key, record = known.key, known.record
    return {
        **place_json(known),
        "scene_id": known.scene_id,
        "title": known.title,
        "path": known.scene.files[0].path if known.scene and known.scene.files else None,
        "state": known.state,
        "why": known.why,
        "match": _match_json(known.look),
        "queue": {
            "state": key.state,
            "due_at": None if key.due_at is None else utc(key.due_at),
            "attempts": key.attempts,
            "snoozes": key.snoozes,
            "reason": key.reason or None,
            "error": key.error or None,
            "history": [
                {"at": utc(failure.at), "reason": failure.reason, "error": failure.error}
                for failure in key.history
            ],
        },
        "last_sync": None
        if record is None or not record.synced_at
        else {
            "at": utc(record.synced_at),
            "rating_key": record.rating_key,
            "path": record.plex_path,
            "matched_by": record.matched_by,
        },
        "fields": [
            {
                "field": str(view.name),
                "stash": _plain(view.stash),
                "plex": _plain(view.plex),
                "written": _plain(view.written),
                "state": view.state,
            }
            for view in known.fields
        ],
        "unknown": list(known.unknown),
    }


def place_json(known: SceneExplanation) -> dict[str, Any]:
    """Return where the scene is in Plex, since when it is in its state, and the user's choice."""
    rating_key, choice, key = _rating_key(known), known.choice, known.key
    since = key.history[0].at if key.history else None
    if known.state == "in_sync" and known.record is not None and known.record.synced_at:
        since = known.record.synced_at
    web = None
    if rating_key and known.machine_id:
        web = WEB.format(known.machine_id) + rating_key
    return {
        "since": None if since is None else utc(since),
        "do": reason_of(key.reason).fix if known.state == "dead" else None,
        "machine_id": known.machine_id,
        "rating_key": rating_key,
        "library": known.library,
        "web": web,
        "choice": None
        if choice is None
        else {
            "rating_key": rating_key or "",
            "path": choice.plex_path,
            "at": utc(choice.chosen_at),
        },
    }


def _match_json(look: Explanation | None) -> Mapping[str, object] | None:
    if look is None:
        return None
    match = look.match
    return {
        "rating_key": match.file.rating_key if match else None,
        "path": match.file.path if match else None,
        "matched_by": match.matched_by if match else None,
        "confidence": look.confidence or None,
        "mapped_path": look.mapped_path or None,
        "refusal": look.refusal or None,
        "shared_with": list(look.shared_with),
        "candidates": [
            {
                "rating_key": candidate.file.rating_key,
                "path": candidate.file.path,
                "size": candidate.file.size,
                "level": str(candidate.level) if candidate.level else None,
                "why": candidate.why or None,
            }
            for candidate in look.candidates[:CANDIDATES]
        ],
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
