"""Shows what a sync would write, field by field, and writes nothing.

It works on a copy of the database: a preview must not change what the next sync starts from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from stash2plex.app import App
from stash2plex.errors import NotInPlexYet, ServerError, UsageError
from stash2plex.model import Change, Desired, Field, Match, PlexItem, Record, Scene
from stash2plex.rules.desired import desired_state, why_left_out, without_fields
from stash2plex.rules.merge import held_text, plan_change
from stash2plex.rules.scene_states import LIBRARY
from stash2plex.servers.plex import IDS_PER_READ
from stash2plex.servers.scenepages import SCENES_PER_READ
from stash2plex.sync.apply import is_settled
from stash2plex.sync.finder import explain_scene
from stash2plex.sync.pictures import PicturePlan, plan_pictures
from stash2plex.sync.session import Session
from stash2plex.sync.whose_library import library_not_chosen

Page = tuple[Sequence[Scene], Mapping[int, ServerError]]
"""Scenes, and those that cannot be read, each with its error."""

SAMPLE = 30
"""How many scenes, chosen at random, a small preview compares."""

SHOWN = 50
"""How many scenes are shown; all are counted."""


@frozen
class FieldPreview:
    """A field that would change: what Plex holds and would hold. Lists also name both changes."""

    name: Field
    held: object
    becomes: object
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@frozen
class ScenePreview:
    """A scene that something would be written for.

    `pictures` would be sent or selected, `locks` would be locked with an equal value, `kept` stay
    as the user edited them in Plex.
    """

    scene_id: int
    title: str
    rating_key: str
    matched_by: str
    fields: tuple[FieldPreview, ...]
    pictures: tuple[Field, ...]
    locks: tuple[Field, ...]
    kept: tuple[Field, ...]


@frozen
class Unmatched:
    """A scene that cannot be written, and why."""

    scene_id: int
    title: str
    reason: str
    error: str


@define
class Preview:
    """What a sync would do. The counts cover all scenes, the lists the first 50 of each kind.

    `unchanged` scenes were compared and are right; `settled` ones need no comparison.
    """

    seen: int = 0
    settled: int = 0
    unchanged: int = 0
    left_out: int = 0
    changing: int = 0
    not_matched: int = 0
    scenes: list[ScenePreview] = field(factory=list)
    problems: list[Unmatched] = field(factory=list)
    fields: Counter[Field] = field(factory=Counter)
    left_out_reasons: Counter[str] = field(factory=Counter)
    not_matched_reasons: Counter[str] = field(factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the preview as plain values."""
        return {
            "seen": self.seen,
            "changing": self.changing,
            "unchanged": self.unchanged + self.settled,
            "left_out": self.left_out,
            "not_matched": self.not_matched,
            "fields": {str(name): number for name, number in self.fields.most_common()},
            "shown": len(self.scenes),
            "scenes": [
                {
                    "scene_id": scene.scene_id,
                    "title": scene.title,
                    "rating_key": scene.rating_key,
                    "matched_by": scene.matched_by,
                    "fields": [
                        {
                            "field": str(change.name),
                            "held": _plain(change.held),
                            "becomes": _plain(change.becomes),
                            "added": list(change.added),
                            "removed": list(change.removed),
                        }
                        for change in scene.fields
                    ],
                    "pictures": [str(name) for name in scene.pictures],
                    "locks": [str(name) for name in scene.locks],
                    "kept": [str(name) for name in scene.kept],
                }
                for scene in self.scenes
            ],
            "problems": [
                {
                    "scene_id": scene.scene_id,
                    "title": scene.title,
                    "reason": scene.reason,
                    "error": scene.error,
                }
                for scene in self.problems
            ],
        }


@frozen
class _Candidate:
    scene: Scene
    desired: Desired
    record: Record | None
    match: Match


def preview_all(app: App) -> Preview:
    """Preview every scene."""
    pages = app.stash.all_scenes()
    return preview_pages(app, ((page.scenes, page.unreadable) for page in pages))


def preview_recent(app: App, seconds: float) -> Preview:
    """Preview the scenes that changed within `seconds`, and a few from before."""
    pages = app.stash.scene_ids_changed_since(app.clock() - seconds)
    return preview_pages(app, _pages(app, (id_ for page in pages for id_ in page)))


def preview_scenes(app: App, ids: Iterable[int]) -> Preview:
    """Preview chosen scenes. Raises UsageError if Stash does not have one of them."""
    chosen = list(dict.fromkeys(ids))
    pages = list(_pages(app, chosen))
    missing = set(chosen)
    for scenes, unreadable in pages:
        missing -= {scene.id for scene in scenes} | unreadable.keys()
    if missing:
        listed = ", ".join(str(id_) for id_ in sorted(missing)[:SHOWN])
        raise UsageError(f"Stash has no scene {listed}.")
    return preview_pages(app, pages)


def preview_some(app: App, ids: Iterable[int] | None, limit: int) -> dict[str, Any]:
    """Preview chosen scenes, or a sample of `SAMPLE`, and return up to `limit` that change.

    Each has the path of its cover below Stash's address. Raises what `preview_scenes` does.
    """
    if ids is None:
        _, sample = app.stash.sample(SAMPLE, app.random.randrange(10**8))
        preview = preview_pages(app, [(sample, {})])
    else:
        preview = preview_scenes(app, ids)
    shown = preview.as_json()
    for scene in shown["scenes"]:
        scene["cover"] = f"/scene/{scene['scene_id']}/screenshot"
    names = ("seen", "changing", "unchanged", "left_out", "not_matched")
    return {
        **{name: shown[name] for name in names},
        "scenes": shown["scenes"][:limit],
        "problems": shown["problems"][:limit],
    }


def _pages(app: App, ids: Iterable[int]) -> Iterator[Page]:
    batch: list[int] = []
    for id_ in ids:
        batch.append(id_)
        if len(batch) == SCENES_PER_READ:
            yield _page(app, batch)
            batch = []
    if batch:
        yield _page(app, batch)


def _page(app: App, ids: list[int]) -> Page:
    scenes = app.stash.scenes(ids)
    return tuple(scenes.values()), scenes.unreadable


def preview_pages(
    app: App, pages: Iterable[Page], after_page: Callable[[Preview], None] = lambda _: None
) -> Preview:
    """Compare scenes with Plex and return what a sync would write.

    A settled scene costs no request; the items of the others are read 200 at a time. `after_page`
    gets what is known after each page. Raises what the clients and `after_page` raise.
    """
    preview = Preview()
    with app.rehearsal() as copy:
        session = copy.open_session()
        session.index.adopt_server(session.plex.check_token().machine_id)
        session.index.refresh(session.settings.plex_library)
        waiting: list[_Candidate] = []
        for scenes, unreadable in pages:
            for scene_id, error in unreadable.items():
                preview.seen += 1
                _not_matched(preview, scene_id, "", error.reason, str(error))
            for scene in scenes:
                candidate = _candidate(copy, session, scene, preview)
                if candidate is not None:
                    waiting.append(candidate)
                if len(waiting) == IDS_PER_READ:
                    _compare(session, waiting, preview)
                    waiting = []
            after_page(preview)
        _compare(session, waiting, preview)
    return preview


def _candidate(app: App, session: Session, scene: Scene, preview: Preview) -> _Candidate | None:
    """Count a scene that need not be compared with Plex; return one that must be."""
    settings = session.settings
    preview.seen += 1
    held = app.store.undo_marks.held(scene.id)
    desired = without_fields(desired_state(scene, settings), held.fields)
    left_out = why_left_out(scene, settings, desired, is_undone=held.whole)
    if left_out:
        preview.left_out += 1
        preview.left_out_reasons[left_out.standing] += 1
        return None
    record = app.store.records.get(scene.id)
    if is_settled(scene, desired, record):
        preview.settled += 1
        return None
    look = explain_scene(app.store, session.settings, scene)
    if look.match is None and library_not_chosen(app.store, settings, scene, record):
        preview.left_out += 1
        preview.left_out_reasons[LIBRARY] += 1
        return None
    if look.match is None:
        _not_matched(preview, scene.id, scene.label, look.reason, look.refusal)
        return None
    return _Candidate(scene, desired, record, look.match)


def _not_matched(preview: Preview, scene_id: int, title: str, reason: str, error: str) -> None:
    preview.not_matched += 1
    preview.not_matched_reasons[reason] += 1
    if len(preview.problems) < SHOWN:
        preview.problems.append(Unmatched(scene_id, title, reason, error))


def _compare(session: Session, candidates: list[_Candidate], preview: Preview) -> None:
    items = session.plex.items(
        sorted({candidate.match.file.rating_key for candidate in candidates})
    )
    for candidate in candidates:
        key = candidate.match.file.rating_key
        if error := items.unreadable.get(key):
            scene = candidate.scene
            _not_matched(preview, scene.id, scene.label, error.reason, str(error))
            continue
        item = items.get(key)
        if item is None or item.trashed:
            _not_matched(
                preview,
                candidate.scene.id,
                candidate.scene.label,
                NotInPlexYet.reason,
                f"“{candidate.scene.label}” has moved in Plex.",
            )
            continue
        _compare_scene(session, candidate, item, preview)


def _compare_scene(
    session: Session, candidate: _Candidate, item: PlexItem, preview: Preview
) -> None:
    preserve = session.settings.preserve_plex_edits
    scene, desired, record = candidate.scene, candidate.desired, candidate.record
    change = plan_change(desired, item, record, preserve=preserve)
    writes = change.edits or change.clear_rating
    shows = len(preview.scenes) < SHOWN
    pictures: PicturePlan | None = None
    if shows or not writes:
        # Planning pictures reads the cover, so it is done only where the answer shows.
        known = record if record and record.rating_key == item.rating_key else None
        pictures = plan_pictures(
            scene, desired, item, known, preserve=preserve, stash=session.stash, plex=session.plex
        )
        writes = writes or bool(pictures.fields)
    if not writes:
        preview.unchanged += 1
        return
    preview.changing += 1
    sent = pictures.fields if pictures else ()
    preview.fields.update((*change.fields, *sent))
    if shows:
        kept = change.kept | (pictures.kept if pictures else frozenset())
        preview.scenes.append(
            ScenePreview(
                scene.id,
                scene.label,
                item.rating_key,
                candidate.match.matched_by,
                tuple(_field_previews(change, item)),
                sent,
                tuple(sorted(change.locks)),
                tuple(sorted(kept)),
            )
        )


def _field_previews(change: Change, item: PlexItem) -> Iterator[FieldPreview]:
    for name, text in change.texts.items():
        yield FieldPreview(name, held_text(item, name), text)
    for name, values in change.lists.items():
        held = item.lists.get(name, ())
        added = tuple(value for value in values.wanted if value not in held)
        yield FieldPreview(name, held, values.wanted, added, values.stale)
    if change.rating is not None or change.clear_rating:
        yield FieldPreview(Field.RATING, item.rating, change.rating)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
