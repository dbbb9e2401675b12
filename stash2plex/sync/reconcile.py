"""Compares Stash, the records and Plex, and queues what differs. Never writes to Plex."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum

from attrs import evolve, frozen

from stash2plex.db import transaction
from stash2plex.errors import Ambiguous, NotInPlexYet, ServerError, Stash2PlexError
from stash2plex.model import Clock, Desired, Field, Match, PlexItem, Record, Scene
from stash2plex.rules.desired import desired_state, why_left_out, without_fields
from stash2plex.rules.drift import Kind, find_drift
from stash2plex.rules.matching import Explanation, split_path
from stash2plex.servers.plex import IDS_PER_READ
from stash2plex.servers.scenepages import SCENES_PER_READ
from stash2plex.store.key_set import KeySet
from stash2plex.store.key_state import find_standing
from stash2plex.store.progress import Progress
from stash2plex.store.undo_marks import NOTHING_HELD
from stash2plex.sync.apply import is_settled
from stash2plex.sync.finder import explain_scene, match_by_index
from stash2plex.sync.index_changes import read_index_changes
from stash2plex.sync.plex_changes import PlexChanges
from stash2plex.sync.report import EXAMPLES, Example, Report
from stash2plex.sync.session import Session, Store
from stash2plex.sync.whose_library import library_not_chosen, library_unread
from stash2plex.text import DAY
from stash2plex.workqueue import Key


class Scope(StrEnum):
    """Which scenes a run compares, named as on the command line."""

    ALL = "all"
    RECENT = "recent"
    WEEK = "7days"
    MISSING_METADATA = "missing-metadata"


SECONDS = {Scope.RECENT: DAY, Scope.WEEK: 7 * DAY}
"""How many seconds ago a scene may have changed in Stash to be compared."""

HEALED = ("not_in_plex", "ambiguous")
"""Reasons of dead letters that no longer hold once a scene has its one item."""


@frozen
class Pair:
    """A scene and the item that holds its file. `record` is None unless it is of that item.

    `follows` is set for the item of another library that holds the file too.
    """

    scene: Scene
    desired: Desired
    match: Match
    record: Record | None
    follows: bool = False


@frozen
class Finding:
    """A scene that differs. `matched` means that its item is known."""

    kind: Kind
    scene_id: int
    example: Example
    matched: bool


Drifted = Callable[[Pair, PlexItem, tuple[Field, ...]], None]
"""Gets each scene and item that differ, with the fields."""


class Reconciliation:
    """One run. `pages` does the work a page at a time, so that a drain can go on in between.

    It writes only to the database: keys into the queue, the path index, and, after a run that saw
    everything, up to when Plex was compared. One run at a time on a connection.
    """

    def __init__(
        self,
        store: Store,
        session: Session,
        scope: Scope,
        *,
        clock: Clock,
        monotonic: Clock,
        run_id: int = 0,
        drifted: Drifted | None = None,
    ) -> None:
        self._run_id = run_id
        self._drifted = drifted
        self._store = store
        self._session = session
        self._scope = scope
        self._clock = clock
        self._monotonic = monotonic
        self._whole = scope in (Scope.ALL, Scope.MISSING_METADATA)
        self._started_at = clock()
        self._start = self._end = monotonic()
        self._requests_before = self._requests()
        self._error: Stash2PlexError | None = None
        self._complete = False
        self._seen = self._in_sync = self._left_out = self._queued = 0
        wanted = (Kind.EMPTY,) if scope is Scope.MISSING_METADATA else tuple(Kind)
        self._counts: dict[Kind, int | None] = {
            kind: 0 if kind in wanted and kind is not Kind.ORPHAN else None for kind in Kind
        }
        self._examples: dict[Kind, list[Example]] = {kind: [] for kind in Kind}
        self._owned: set[str] = set()
        self._unlooked: list[Pair] = []
        self._unread: list[str] = []

    # -- for the caller -------------------------------------------------------------------

    def pages(self) -> Generator[Progress, None, None]:
        """Compare, and yield the progress after each page.

        A server that fails ends the run, and so does a caller that stops iterating: what was found
        until then stays queued. Raises ConfigError if a named library does not exist.
        """
        connection = self._store.connection
        changes = PlexChanges(
            self._store.plex_comparisons,
            KeySet(connection, "changed_item"),
            self._session.plex,
            self._clock,
        )
        owned = KeySet(connection, "owned_item")
        try:
            yield from self._compare(changes, owned)
        except ServerError as error:
            self._error = error
            if error.server != "Plex":
                with suppress(ServerError):
                    self._look(changes)
        finally:
            changes.close()
            owned.close()
            self._end = self._monotonic()

    def give_up(self, error: Stash2PlexError) -> None:
        """Record why the caller stops."""
        self._error = self._error or error

    def report(self) -> Report:
        """Return what was found so far."""
        problem = None if self._complete else str(self._error or "It has not ended yet.")
        some = self._scope is Scope.MISSING_METADATA
        return Report(
            scope=self._scope.value,
            dry_run=False,
            started_at=self._started_at,
            seconds=self._end - self._start,
            problem=problem,
            scenes=self._seen,
            in_sync=None if some else self._in_sync,
            left_out=self._left_out,
            queued=self._queued,
            requests={
                name: number - self._requests_before[name]
                for name, number in self._requests().items()
            },
            counts=dict(self._counts),
            examples={kind: tuple(examples) for kind, examples in self._examples.items()},
            error=None if self._complete else self._error,
            unread=tuple(self._unread),
        )

    def _requests(self) -> dict[str, int]:
        return {"stash": self._session.stash.requests, "plex": self._session.plex.requests}

    # -- the run --------------------------------------------------------------------------

    def _compare(self, changes: PlexChanges, owned: KeySet) -> Iterator[Progress]:
        session = self._session
        session.index.adopt_server(session.plex.check_token().machine_id)
        unlisted = read_index_changes(self._store, session, complete=True).unlisted
        self._unread += [trouble.words() for trouble in unlisted]
        if self._whole:
            preserve = session.settings.preserve_plex_edits
            closed = {trouble.section_id for trouble in unlisted}
            listed = [id_ for id_ in self._store.plex_files.section_ids() if id_ not in closed]
            changes.find(listed, preserve=preserve)
        for scenes, total in self._scene_pages():
            self._compare_page(scenes, changes)
            owned.update(self._owned)
            self._owned.clear()
            yield self._progress(total)
        self._look(changes)
        if self._scope is Scope.ALL:
            # A Stash without any scene is being set up: nothing follows about Plex.
            if self._seen:
                self._find_orphans(owned)
            changes.keep_marks()
        self._complete = True
        yield self._progress(self._seen)

    def _progress(self, total: int) -> Progress:
        self._end = self._monotonic()
        rate = self._seen / max(self._end - self._start, 0.001)
        left = max(0, total - self._seen)
        return Progress(done=self._seen, left=left, rate=rate, started_at=self._started_at)

    def _scene_pages(self) -> Iterator[tuple[list[Scene], int]]:
        """Page through the scenes of the scope; each page comes with the total."""
        stash = self._session.stash
        if self._whole:
            total = stash.count_scenes()
            for page in stash.all_scenes():
                self._not_read(page.unreadable)
                yield list(page.scenes), total
            return
        since = self._clock() - SECONDS[self._scope]
        wanted = KeySet(self._store.connection, "wanted_scene")
        try:
            for ids in stash.scene_ids_changed_since(since):
                wanted.update(ids)
            total = len(wanted)
            for ids in wanted.batches(SCENES_PER_READ):
                scenes = stash.scenes(ids)
                self._not_read(scenes.unreadable)
                yield list(scenes.values()), total
        finally:
            wanted.close()

    def _not_read(self, unreadable: Mapping[int, ServerError]) -> None:
        """Name the scenes that Stash cannot show, and keep their items from being orphans."""
        for scene_id, error in unreadable.items():
            self._unread.append(error.what)
            record = self._store.records.get(scene_id)
            if record is not None:
                self._owned.add(record.rating_key)
            self._owned.update(self._store.followers.of(scene_id))

    def _compare_page(self, scenes: list[Scene], changes: PlexChanges) -> None:
        """Sort a page: what is settled, what has no item, and what must be read in Plex."""
        settings = self._session.settings
        findings: list[Finding] = []
        pairs: list[Pair] = []
        left_out = 0
        all_held = self._store.undo_marks.held_of([scene.id for scene in scenes])
        for scene in scenes:
            held = all_held.get(scene.id, NOTHING_HELD)
            desired = without_fields(desired_state(scene, settings), held.fields)
            explanation = explain_scene(self._store, settings, scene)
            self._own(scene, explanation)
            match = explanation.match_or_error
            if (
                why_left_out(scene, settings, desired, is_undone=held.whole)
                or not scene.files
                or (isinstance(match, NotInPlexYet) and self._is_elsewhere(scene))
            ):
                left_out += 1
            elif isinstance(match, NotInPlexYet):
                why = library_unread(self._store, settings, scene) or match
                findings.append(_unmatched(Kind.MISSING, scene, why))
            elif isinstance(match, Ambiguous):
                findings.append(_unmatched(Kind.AMBIGUOUS, scene, match))
            else:
                scene_pairs = self._pairs(scene, desired, match)
                pairs += [pair for pair in scene_pairs if self._must_look(pair, changes)]
        judged = len(scenes) - sum(not pair.follows for pair in pairs)
        self._seen += judged
        self._left_out += left_out
        self._in_sync += judged - left_out - len(findings)
        self._note(findings)
        self._unlooked += pairs
        if len(self._unlooked) >= IDS_PER_READ:
            self._look(changes)

    def _is_elsewhere(self, scene: Scene) -> bool:
        """Whether a scene without an item is in a library that is not chosen."""
        record = self._store.records.get(scene.id)
        return bool(library_not_chosen(self._store, self._session.settings, scene, record))

    def _pairs(self, scene: Scene, desired: Desired, match: Match) -> list[Pair]:
        """Return a scene with its item, and with each item that follows, with their records."""
        record = self._store.records.get(scene.id)
        if record is not None:
            match = match.led_by(record.rating_key)
        mine = record if record and record.rating_key == match.file.rating_key else None
        pairs = [Pair(scene, desired, match, mine)]
        if match.also:
            records = self._store.followers.of(scene.id)
            for file in match.also:
                at = Match(file, match.matched_by)
                pairs.append(Pair(scene, desired, at, records.get(file.rating_key), follows=True))
        return pairs

    def _must_look(self, pair: Pair, changes: PlexChanges) -> bool:
        """Return whether the item must be read: not if nothing moved since it was in sync."""
        return (
            not self._whole
            or not is_settled(pair.scene, pair.desired, pair.record)
            or changes.may_concern(pair.match.file.section_id, pair.match.file.rating_key)
        )

    def _own(self, scene: Scene, explanation: Explanation) -> None:
        """Record every item that may hold a file of a scene: none of them is an orphan."""
        for file in scene.files[1:]:
            other = match_by_index(
                self._store, self._session.settings, evolve(scene, files=(file,))
            )
            if other.match is not None:
                self._owned.add(other.match.file.rating_key)
                self._owned.update(item.rating_key for item in other.match.also)
        if explanation.reason == Ambiguous.reason:
            # One of them is the scene's.
            self._owned.update(candidate.file.rating_key for candidate in explanation.candidates)
        if explanation.match is not None:
            self._owned.add(explanation.match.file.rating_key)
            self._owned.update(file.rating_key for file in explanation.match.also)

    def _look(self, changes: PlexChanges) -> None:
        """Read the items that must be compared, and compare them.

        They are collected over several pages: a few per page would cost one request per page. An
        item that cannot be read is named, and the next run reads it again.
        """
        preserve = self._session.settings.preserve_plex_edits
        keys = sorted({pair.match.file.rating_key for pair in self._unlooked})
        items = self._session.plex.items(keys, self._store.plex_files.other_item(keys))
        pairs, self._unlooked = self._unlooked, []
        findings: list[Finding] = []
        wrong: set[int] = set()
        for pair in pairs:
            key = pair.match.file.rating_key
            if pair.scene.id in wrong:
                continue
            if key in items.unreadable:
                wrong.add(pair.scene.id)
                changes.distrust(pair.match.file.section_id)
                self._unread.append(
                    f"Scene {pair.scene.id} “{pair.scene.label}”: {items.unreadable[key].what}"
                )
                continue
            item = items.get(key)
            if item is None or item.trashed or not _holds(item, pair.match.file.path):
                gone = NotInPlexYet(f"Plex no longer lists “{pair.match.file.path}”.")
                findings.append(_unmatched(Kind.MISSING, pair.scene, gone))
                wrong.add(pair.scene.id)
                continue
            drift = find_drift(pair.scene, pair.desired, item, pair.record, preserve=preserve)
            if drift is not None:
                kind, fields = drift
                if self._drifted is not None:
                    self._drifted(pair, item, fields)
                example = _example(pair.scene, rating_key=key, fields=tuple(fields))
                findings.append(Finding(kind, pair.scene.id, example, matched=True))
                wrong.add(pair.scene.id)
        scenes = {pair.scene.id for pair in pairs if not pair.follows}
        self._seen += len(scenes)
        # If only a follower is wrong, the page counted the scene as in sync.
        self._in_sync += len(scenes - wrong) - len(wrong - scenes)
        self._note(findings)

    def _note(self, findings: list[Finding]) -> None:
        """Count the findings that the scope asks for, and queue them in one commit."""
        wanted = [finding for finding in findings if self._counts[finding.kind] is not None]
        for finding in wanted:
            self._count(finding.kind, finding.example)
        if wanted:
            with transaction(self._store.connection):
                self._queue(wanted)

    def _count(self, kind: Kind, example: Example) -> None:
        self._counts[kind] = (self._counts[kind] or 0) + 1
        if len(self._examples[kind]) < EXAMPLES:
            self._examples[kind].append(example)

    def _queue(self, findings: list[Finding]) -> None:
        """Queue what is not queued yet, to be compared with Plex whatever the record holds.

        A scene without an item that waits for Plex, or is a dead letter, stays as it is. A scene
        that has its item now is due at once; if a missing item made it a dead letter, it is queued
        again.
        """
        if self._session.settings.skip_not_found:
            findings = [finding for finding in findings if finding.kind is not Kind.MISSING]
        keys: list[Key] = []
        for finding in findings:
            key = ("scene", finding.scene_id)
            place, reason = find_standing(self._store.connection, key) or ("", "")
            dead_for_good = place == "dead" and reason not in HEALED
            if not dead_for_good and (finding.matched or not place):
                keys.append(key)
                self._queued += place != "queue"
        # Also for those that stay dead: the next run must not consider them settled.
        self._store.records.invalidate([finding.scene_id for finding in findings])
        # What the user stopped goes on when the user asks for it, not by the clock.
        by_hand = self._run_id > 0
        self._store.queue.enqueue(keys, take_up=by_hand, run_id=self._run_id)

    def _find_orphans(self, owned: KeySet) -> None:
        number, some = self._store.plex_files.outside(owned, EXAMPLES)
        items = self._session.plex.items([key for key, _ in some])
        former = {orphan.rating_key: orphan for orphan in self._store.records.orphans()}
        self._counts[Kind.ORPHAN] = number
        self._examples[Kind.ORPHAN] = [
            Example(
                None,
                items[key].texts.get(Field.TITLE, ""),
                path,
                key,
                detail=f"was scene {former[key].scene_id}" if key in former else "",
            )
            for key, path in some
            if key in items
        ]


def _example(
    scene: Scene, *, rating_key: str | None = None, fields: tuple[str, ...] = (), detail: str = ""
) -> Example:
    path = scene.files[0].path if scene.files else ""
    return Example(scene.id, scene.label, path, rating_key, fields, detail)


def _unmatched(kind: Kind, scene: Scene, error: Stash2PlexError) -> Finding:
    return Finding(kind, scene.id, _example(scene, detail=str(error)), matched=False)


def _holds(item: PlexItem, path: str) -> bool:
    """Return whether an item still has the file that was matched: the list may be outdated."""
    return split_path(path) in [split_path(held) for held in item.paths]
