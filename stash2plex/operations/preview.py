"""What a sync would write, field by field, with nothing written anywhere.

It is done over a copy of the database: a preview must not move what the next sync starts from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field, frozen

from stash2plex.app import App
from stash2plex.errors import NotInPlexYet, UsageError
from stash2plex.model import Change, Desired, Field, Match, PlexItem, Record, Scene
from stash2plex.rules.desired import desired_state, reason_to_skip
from stash2plex.rules.merge import held_text, plan_change
from stash2plex.servers.plex import IDS_PER_READ
from stash2plex.sync.apply import is_settled
from stash2plex.sync.finder import explain_scene
from stash2plex.sync.pictures import PicturePlan, plan_pictures
from stash2plex.sync.session import Session
from stash2plex.text import count

SHOWN = 50
"""Scenes that are shown; all are counted."""

TEXT_SHOWN = 60
"""Characters of a value in words."""


@frozen
class FieldPreview:
    """A field that would change: what Plex holds, what it would become. Lists name both ways."""

    name: Field
    held: object
    becomes: object
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def words(self) -> str:
        """Say it to a person."""
        if isinstance(self.becomes, tuple):
            parts = [f"+ {_quoted(one)}" for one in self.added]
            parts += [f"− {_quoted(one)}" for one in self.removed]
            return f"{self.name} {', '.join(parts)}"
        return f"{self.name} {_quoted(self.held)} → {_quoted(self.becomes)}"


@frozen
class ScenePreview:
    """A scene of which something would be written.

    `pictures` would be sent or chosen, `locks` would be locked with an equal value, `kept` stay as
    a person made them in Plex.
    """

    scene_id: int
    title: str
    rating_key: str
    matched_by: str
    fields: tuple[FieldPreview, ...]
    pictures: tuple[Field, ...]
    locks: tuple[Field, ...]
    kept: tuple[Field, ...]

    def words(self) -> str:
        """Say it to a person in one line."""
        parts = [one.words() for one in self.fields]
        if self.pictures:
            parts.append(f"new {' and '.join(self.pictures)}")
        if self.locks:
            parts.append(f"a lock on {', '.join(self.locks)}")
        if self.kept:
            parts.append(f"kept as made in Plex: {', '.join(self.kept)}")
        return f"Scene {self.scene_id} “{self.title}”: {'; '.join(parts)}."


@frozen
class Unmatched:
    """A scene that cannot be written, and why."""

    scene_id: int
    title: str
    reason: str
    error: str


@define
class Preview:
    """What a sync would do. The counts are of all scenes, the lists of the first 50 of each.

    `unchanged` were compared and are right, `settled` need not even be compared.
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

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
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
                    "scene_id": one.scene_id,
                    "title": one.title,
                    "rating_key": one.rating_key,
                    "matched_by": one.matched_by,
                    "fields": [
                        {
                            "field": str(change.name),
                            "held": _plain(change.held),
                            "becomes": _plain(change.becomes),
                            "added": list(change.added),
                            "removed": list(change.removed),
                        }
                        for change in one.fields
                    ],
                    "pictures": [str(name) for name in one.pictures],
                    "locks": [str(name) for name in one.locks],
                    "kept": [str(name) for name in one.kept],
                }
                for one in self.scenes
            ],
            "problems": [
                {
                    "scene_id": one.scene_id,
                    "title": one.title,
                    "reason": one.reason,
                    "error": one.error,
                }
                for one in self.problems
            ],
        }

    def lines(self) -> list[str]:
        """Say it to a person."""
        lines = [one.words() for one in self.scenes]
        lines += [f"Scene {one.scene_id}: {one.error}" for one in self.problems]
        text = f"{count(self.changing, 'scene')} of {self.seen:,} would change"
        if self.changing > len(self.scenes):
            text += f" (the first {len(self.scenes)} are shown)"
        if self.fields:
            text += ": " + ", ".join(
                f"{name} of {number:,}" for name, number in self.fields.most_common()
            )
        text += f". {self.unchanged + self.settled:,} need nothing"
        if self.left_out:
            text += f", {self.left_out:,} are left out by settings or hold no metadata"
        if self.not_matched:
            text += f", {self.not_matched:,} have no Plex item"
        return [*lines, f"{text}. Nothing was written."]


@frozen
class _Candidate:
    scene: Scene
    desired: Desired
    record: Record | None
    match: Match


def preview_all(app: App) -> Preview:
    """Preview every scene."""
    return preview(app, app.stash.all_scenes())


def preview_recent(app: App, seconds: float) -> Preview:
    """Preview the scenes that changed within so many seconds, and a few from before."""
    pages = app.stash.scene_ids_changed_since(app.clock() - seconds)
    return preview(app, _pages(app, (id_ for page in pages for id_ in page)))


def preview_scenes(app: App, ids: Iterable[int]) -> Preview:
    """Preview chosen scenes. Raises UsageError for one that Stash does not have."""
    chosen = list(dict.fromkeys(ids))
    pages = list(_pages(app, chosen))
    missing = set(chosen) - {scene.id for page in pages for scene in page}
    if missing:
        listed = ", ".join(str(id_) for id_ in sorted(missing)[:SHOWN])
        raise UsageError(f"Stash has no scene {listed}.")
    return preview(app, pages)


def _pages(app: App, ids: Iterable[int]) -> Iterator[list[Scene]]:
    batch: list[int] = []
    for id_ in ids:
        batch.append(id_)
        if len(batch) == IDS_PER_READ:
            yield list(app.stash.scenes(batch).values())
            batch = []
    if batch:
        yield list(app.stash.scenes(batch).values())


def preview(app: App, pages: Iterable[list[Scene]]) -> Preview:
    """Compare scenes with Plex and say what a sync would write.

    A settled scene costs no request; the items of the others are read 200 at a time. Raises what
    the clients raise.
    """
    found = Preview()
    with app.rehearsal() as copy:
        session = copy.open_session()
        session.index.adopt_server(session.plex.check_token().machine_id)
        session.index.refresh(session.settings.plex_library)
        waiting: list[_Candidate] = []
        for page in pages:
            for scene in page:
                candidate = _candidate(copy, session, scene, found)
                if candidate is not None:
                    waiting.append(candidate)
                if len(waiting) == IDS_PER_READ:
                    _compare(session, waiting, found)
                    waiting = []
        _compare(session, waiting, found)
    return found


def _candidate(app: App, session: Session, scene: Scene, found: Preview) -> _Candidate | None:
    """Count a scene that needs no look at Plex; return one that does."""
    settings = session.settings
    found.seen += 1
    desired = desired_state(scene, settings)
    if desired.empty or reason_to_skip(scene, settings):
        found.left_out += 1
        return None
    record = app.store.records.get(scene.id)
    if is_settled(scene, desired, record):
        found.settled += 1
        return None
    look = explain_scene(app.store, session.settings, scene)
    if look.match is None:
        _not_matched(found, scene, look.reason, look.refusal)
        return None
    return _Candidate(scene, desired, record, look.match)


def _not_matched(found: Preview, scene: Scene, reason: str, error: str) -> None:
    found.not_matched += 1
    if len(found.problems) < SHOWN:
        found.problems.append(Unmatched(scene.id, scene.label, reason, error))


def _compare(session: Session, candidates: list[_Candidate], found: Preview) -> None:
    items = session.plex.items(sorted({one.match.file.rating_key for one in candidates}))
    for one in candidates:
        item = items.get(one.match.file.rating_key)
        if item is None or item.trashed:
            _not_matched(
                found, one.scene, NotInPlexYet.reason, f"“{one.scene.label}” has moved in Plex."
            )
            continue
        _compare_scene(session, one, item, found)


def _compare_scene(session: Session, candidate: _Candidate, item: PlexItem, found: Preview) -> None:
    preserve = session.settings.preserve_plex_edits
    scene, desired, record = candidate.scene, candidate.desired, candidate.record
    change = plan_change(desired, item, record, preserve=preserve)
    writes = change.edits or change.clear_rating
    shows = len(found.scenes) < SHOWN
    pictures: PicturePlan | None = None
    if shows or not writes:
        # A picture costs a look at the cover; it is asked for only where the answer shows.
        known = record if record and record.rating_key == item.rating_key else None
        pictures = plan_pictures(
            scene, desired, item, known, preserve=preserve, stash=session.stash, plex=session.plex
        )
        writes = writes or bool(pictures.fields)
    if not writes:
        found.unchanged += 1
        return
    found.changing += 1
    sent = pictures.fields if pictures else ()
    found.fields.update((*change.fields, *sent))
    if shows:
        kept = change.kept | (pictures.kept if pictures else frozenset())
        found.scenes.append(
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
    for name, one in change.lists.items():
        held = item.lists.get(name, ())
        added = tuple(value for value in one.wanted if value not in held)
        yield FieldPreview(name, held, one.wanted, added, one.stale)
    if change.rating is not None or change.clear_rating:
        yield FieldPreview(Field.RATING, item.rating, change.rating)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _quoted(value: object) -> str:
    if value is None or value == "":
        return "(nothing)"
    if isinstance(value, float):
        return f"{value:g}"
    text = " ".join(str(value).split())
    return f"“{text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + '…'}”"
