"""Finds the Plex item of each scene: matches, looks again, follows moves, keeps items apart."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from attrs import define, evolve, field, frozen

from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.errors import Ambiguous, NotInPlexYet, Stash2PlexError
from stash2plex.model import Clock, Match, PlexFile, PlexItem, Record, Scene
from stash2plex.rules.matching import (
    Explanation,
    Level,
    explain,
    follow_choice,
    split_path,
)
from stash2plex.rules.path_inference import same_file
from stash2plex.rules.scanning import scan_targets
from stash2plex.rules.scene_states import LIBRARY, OTHER_SCENE
from stash2plex.servers.apart import ReadItems
from stash2plex.store.item_claims import Claimant, leading, winner_of
from stash2plex.sync.apply import record_of
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.index_changes import read_index_changes
from stash2plex.sync.session import Follower, Job, Matched, Session, Store, Wanted
from stash2plex.sync.whose_library import library_not_chosen, library_unread
from stash2plex.workqueue import BULK

REFRESH_SECONDS = 10.0
"""Seconds: a miss makes Plex be asked for changes at most this often, a wrong item at once."""

MAX_ROUNDS = 3
"""How many items of a scene may prove wrong before it waits: Plex is changing them."""


@frozen
class Failure:
    """A scene that has no item now, and why."""

    wanted: Wanted
    error: Stash2PlexError


@frozen
class Needless:
    """A scene that needs no item, why, and how it stands by `rules.scene_states`."""

    wanted: Wanted
    why: str
    standing: str = OTHER_SCENE


@frozen
class Found:
    """What became of scenes whose items were looked for."""

    matched: tuple[Matched, ...]
    failed: tuple[Failure, ...]
    needless: tuple[Needless, ...]


@frozen
class Verified:
    """What became of items that were read: jobs, and scenes whose item was the wrong one."""

    jobs: tuple[Job, ...]
    wrong: tuple[Wanted | Failure, ...]


@frozen
class Matching:
    """What the index has for scenes: an item, none yet (with the reason), or something else."""

    matched: tuple[Matched, ...] = ()
    missed: tuple[tuple[Wanted, str], ...] = ()
    failed: tuple[Failure, ...] = ()
    needless: tuple[Needless, ...] = ()


@define
class Finder:
    """Looks items up for a pipeline, in the thread that owns the database.

    `hand` knows which items other claimed scenes want. `session` is set before the first call and
    whenever the settings change. `clock` returns seconds since the epoch,
    `monotonic` seconds since an arbitrary time.
    """

    store: Store
    hand: KeysInHand
    clock: Clock
    monotonic: Clock
    session: Session = field(init=False)
    _refreshed_at: float = field(init=False, default=-REFRESH_SECONDS)

    def find(self, wanted: Sequence[Wanted]) -> Found:
        """Match scenes; those without a match again after a look at Plex's changes."""
        self._learn_roots(wanted)
        first = self._match(wanted)
        later = self._look_again(first.missed) if first.missed else Matching()
        with transaction(self.store.connection):
            found = self._keep_apart([*first.matched, *later.matched])
        failed = (*first.failed, *later.failed, *found.failed)
        return evolve(found, failed=failed, needless=(*later.needless, *found.needless))

    def is_disputed(self, record: Record) -> bool:
        """Return whether another scene claims the item of a scene that is in sync."""
        return bool(self._others(record.rating_key, record.scene_id))

    def verify(self, matches: Sequence[Matched], items: ReadItems) -> Verified:
        """Check that each item exists and holds the file that was matched.

        An item that cannot be read costs its scene an attempt. The index may be outdated, and after
        a rebuild of Plex an id may name another item. The index is corrected by what is read.
        """
        jobs: list[Job] = []
        wrong: list[Wanted | Failure] = []
        for matched in matches:
            file = matched.match.file
            if file.rating_key in items.unreadable:
                error = items.unreadable[file.rating_key]
                words = f"“{file.path}” cannot be read in Plex. {error.what}"
                wrong.append(Failure(matched, error.with_words(words, error.fix)))
                continue
            item = items.get(file.rating_key)
            if item is not None and not item.section_id:
                # The library listed the item; its details may not name the library.
                item = evolve(item, section_id=file.section_id)
            if item is not None and not item.trashed and _holds(item, file.path):
                jobs.append(evolve(_job(matched, item), followers=self._followers(matched, items)))
            else:
                wrong.append(self.learn_wrong(matched, item))
        return Verified(tuple(jobs), tuple(wrong))

    def _followers(self, matched: Matched, items: ReadItems) -> tuple[Follower, ...]:
        """Return the other items of a file that are there and hold it.

        One that cannot be read now follows later: its library tells, or the next comparison.
        """
        if not matched.match.also:
            return ()
        records = self.store.followers.of(matched.scene.id)
        found = []
        for file in matched.match.also:
            item = items.get(file.rating_key)
            if item is not None and not item.trashed and _holds(item, file.path):
                item = evolve(item, section_id=item.section_id or file.section_id)
                record = record_of(item, records.get(file.rating_key))
                found.append(Follower(item, file, record))
            elif file.rating_key not in items.unreadable:
                self._learn_gone(file.rating_key, item)
        return tuple(found)

    def _learn_gone(self, rating_key: str, item: PlexItem | None) -> None:
        if item is None or item.trashed:
            self.store.plex_files.forget_item(rating_key)
        else:
            self.store.plex_files.learn(item)

    def learn_wrong(self, matched: Matched, item: PlexItem | None) -> Wanted | Failure:
        """Record that an item is gone, in the bin, or holds another file.

        Returns the scene, to be looked up again at once, or its failure after too many wrong items.
        """
        self._learn_gone(matched.match.file.rating_key, item)
        self._refreshed_at = -REFRESH_SECONDS
        again = matched.wanted_again()
        if again.rounds <= MAX_ROUNDS:
            return again
        moving = f"“{again.scene.label}” is being moved in Plex; it is looked up again later."
        return Failure(again, NotInPlexYet(moving))

    def leave_out(self, scene_id: int) -> None:
        """Drop the awaited files and claims of a scene that is gone or left out."""
        self._wake(self.store.item_claims.leave(scene_id, ""))
        self.store.awaited_files.forget([scene_id])

    # -- matching -------------------------------------------------------------------------

    def _learn_roots(self, wanted: Sequence[Wanted]) -> None:
        """Store which paths on both servers certainly are the same file."""
        if self.session.settings.path_map:
            return
        files = self.store.plex_files
        pairs = [
            (scene.id, pair)
            for scene in (each.scene for each in wanted)
            for file in scene.files[:1]
            if (pair := same_file(file, files.candidates([file.path])))
        ]
        self.store.path_rules.note(pairs, files.locations())

    def _match(self, wanted: Iterable[Wanted]) -> Matching:
        """Match with the present index."""
        matched: list[Matched] = []
        missed: list[tuple[Wanted, str]] = []
        failed: list[Failure] = []
        for each in wanted:
            explanation = match_by_index(self.store, self.session.settings, each.scene)
            if explanation.match is not None:
                had = each.record.rating_key if each.record else ""
                matched.append(_matched(each, explanation.match.led_by(had)))
            elif explanation.reason == NotInPlexYet.reason:
                missed.append((each, explanation.refusal))
            else:
                self.store.awaited_files.forget([each.scene.id])
                failed.append(Failure(each, Ambiguous(explanation.refusal)))
        return Matching(tuple(matched), tuple(missed), tuple(failed))

    def _look_again(self, missed: Sequence[tuple[Wanted, str]]) -> Matching:
        """Read Plex's changes, then the items that the missed scenes had; await the rest."""
        so_far = Matching(missed=tuple(missed))
        try:
            if self.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
                read_index_changes(self.store, self.session, missed=True)
                self._refreshed_at = self.monotonic()
            so_far = self._leave_to_others(self._match_missed(so_far))
            if self._learn_items([wanted for wanted, _ in so_far.missed]):
                so_far = self._match_missed(so_far)
        except Stash2PlexError as error:
            unknown = [Failure(wanted, error) for wanted, _ in so_far.missed]
            return evolve(so_far, missed=(), failed=(*so_far.failed, *unknown))
        lost = []
        for wanted, refusal in so_far.missed:
            why = library_unread(self.store, self.session.settings, wanted.scene)
            if why is None:
                self._wait_for(wanted.scene)
            else:
                self._await(wanted.scene)
            lost.append(Failure(wanted, why or NotInPlexYet(refusal)))
        return evolve(so_far, missed=(), failed=(*so_far.failed, *lost))

    def _match_missed(self, before: Matching) -> Matching:
        """Match once more what was missed before."""
        new = self._match([wanted for wanted, _ in before.missed])
        failed = (*before.failed, *new.failed)
        return Matching((*before.matched, *new.matched), new.missed, failed, before.needless)

    def _leave_to_others(self, found: Matching) -> Matching:
        """Take out the missed scenes whose files are in a library that is not chosen.

        Their files are still awaited: the library may be chosen later.
        """
        needless, missed = [], []
        for wanted, refusal in found.missed:
            scene, settings = wanted.scene, self.session.settings
            if why := library_not_chosen(self.store, settings, scene, wanted.record):
                self._await(scene)
                needless.append(Needless(wanted, why, LIBRARY))
            else:
                missed.append((wanted, refusal))
        return evolve(found, missed=tuple(missed), needless=tuple(needless))

    def _learn_items(self, missed: Sequence[Wanted]) -> bool:
        """Read the items that missed scenes had: an item that moved keeps its id.

        Each is read only once, so that a waiting scene costs Plex nothing. Returns whether there
        was any.
        """
        had = {each.record.rating_key for each in missed if each.record and not each.claim.snoozes}
        if had:
            for item in self.session.plex.items(sorted(had)).values():
                if not item.trashed:
                    self.store.plex_files.learn(item)
        return bool(had)

    def _wait_for(self, scene: Scene) -> None:
        """Record that a scene waits for Plex, and queue a scan of its folder if wanted."""
        store, settings = self.store, self.session.settings
        rules = store.rules(settings)
        unasked = self._await(scene)
        if not settings.trigger_plex_scan:
            return
        libraries = self.store.plex_files.locations()
        for path in unasked:
            for section_id, folder in scan_targets(path, rules, libraries):
                if store.scans.request(section_id, folder, self.clock()):
                    store.awaited_files.asked(scene.id, path, section_id, folder)

    def _await(self, scene: Scene) -> list[str]:
        """Await a scene's files in Plex; returns the paths without a scan request so far."""
        rules = self.store.rules(self.session.settings)
        return self.store.awaited_files.note(scene.id, scene.files, rules)

    # -- one item, one scene --------------------------------------------------------------

    def _keep_apart(self, matches: Sequence[Matched]) -> Found:
        """Give a scene its item unless another scene has an equal claim on it.

        A better match wins. Equal ones are all refused, or with `loose_matching` the scene with the
        lowest id wins: the answer is the same whichever came first.
        """
        for matched in matches:
            self.hand.take_item(matched.claim, matched.match.file.rating_key, _claimant(matched))
        here = {matched.scene.id for matched in matches}
        results = [self._settle_item(matched, here) for matched in matches]
        return Found(
            matched=tuple(result for result in results if isinstance(result, Matched)),
            failed=tuple(result for result in results if isinstance(result, Failure)),
            needless=tuple(result for result in results if isinstance(result, Needless)),
        )

    def _settle_item(self, matched: Matched, here: Container[int]) -> Matched | Failure | Needless:
        """Decide who gets an item, and queue the scenes that must come to the same answer.

        `here` are the scenes that are decided together with this one.
        """
        key = matched.match.file.rating_key
        mine = _claimant(matched)
        self._wake(self.store.item_claims.leave(mine.scene_id, key))
        others = self._others(key, mine.scene_id)
        leaders = leading([mine, *others])
        winner = winner_of(leaders, loose=self.session.settings.loose_matching)
        result: Matched | Failure | Needless
        if winner is mine:
            self.store.awaited_files.forget([mine.scene_id])
            also = tuple(file for file in matched.match.also if self._is_free(file, mine))
            result = evolve(matched, match=evolve(matched.match, also=also))
        else:
            result = self._refuse(matched, mine, leaders)
            if winner is not None and self.store.item_claims.hand_over(
                key, mine.scene_id, winner.scene_id
            ):
                self._wake([winner.scene_id])
        # Scenes that are in sync, or about to be, must come to the same answer.
        self._wake(
            other.scene_id
            for other in others
            if other is not winner and not other.refused and other.scene_id not in here
        )
        return result

    def _refuse(
        self, matched: Matched, mine: Claimant, leaders: Sequence[Claimant]
    ) -> Failure | Needless:
        path = matched.match.file.path
        self.store.item_claims.refuse(mine, matched.match.file.rating_key)
        self.hand.leave_item(matched.claim)
        if self.session.settings.loose_matching:
            self.store.awaited_files.forget([mine.scene_id])
            return Needless(matched, f"its Plex item shows {_named(leaders[0])}")
        if mine in leaders:
            self.store.awaited_files.forget([mine.scene_id])
            return Failure(matched, Ambiguous(_shared(leaders, path)))
        self._wait_for(matched.scene)
        return Failure(matched, NotInPlexYet(_taken(mine, leaders, path)))

    def _is_free(self, file: PlexFile, mine: Claimant) -> bool:
        """Whether an item may follow: no other scene has it, and none with a lower id leads it."""
        if self._others(file.rating_key, mine.scene_id):
            return False
        return not self.store.followers.is_taken(file.rating_key, mine.scene_id)

    def _others(self, key: str, besides: int) -> list[Claimant]:
        """List the other scenes that claim an item; claimed keys are newer than the records."""
        known = {each.scene_id: each for each in self.store.item_claims.claimants(key, besides)}
        for wish in self.hand.item_wishes():
            claimant = wish.claimant
            if claimant.scene_id != besides:
                known.pop(claimant.scene_id, None)
                if wish.rating_key == key:
                    known[claimant.scene_id] = claimant
        return list(known.values())

    def _wake(self, scene_ids: Iterable[int]) -> None:
        keys = [("scene", scene_id) for scene_id in scene_ids]
        if keys:
            self.store.queue.add_many(keys, priority=BULK, take_up=False)


def match_by_index(store: Store, settings: Settings, scene: Scene) -> Explanation:
    """Match a scene with the present index. Writes nothing and sends no request."""
    rules = store.rules(settings)
    explanation = explain(
        scene,
        store.plex_files.candidates(
            (file.path for file in scene.files),
            sizes={file.size for file in scene.files if file.size},
            rules=rules,
        ),
        rules,
        inferred=not settings.path_map,
        loose=settings.loose_matching,
        titles=store.plex_files.titles_by_id(),
    )
    choice = store.choices.of([file.path for file in scene.files])
    if choice is None:
        return explanation
    file = next(file for file in scene.files if file.path == choice.stash_path)
    return follow_choice(explanation, file, store.plex_files.at(choice.plex_path))


def explain_scene(store: Store, settings: Settings, scene: Scene) -> Explanation:
    """Explain a scene's match as a drain would decide it now, including other scenes' claims.

    Writes nothing and sends no request.
    """
    explanation = match_by_index(store, settings, scene)
    if explanation.match is None:
        return explanation
    file = explanation.match.file
    mine = Claimant(scene.id, scene.label, Level(explanation.match.matched_by))
    others = store.item_claims.claimants(file.rating_key, scene.id)
    leaders = leading([mine, *others])
    explanation = evolve(explanation, shared_with=tuple(other.scene_id for other in others))
    if winner_of(leaders, loose=settings.loose_matching) is mine:
        confidence = explanation.confidence if len(leaders) == 1 else "low"
        return evolve(explanation, confidence=confidence)
    tied = mine in leaders
    return evolve(
        explanation,
        match=None,
        confidence="",
        reason=(Ambiguous if tied else NotInPlexYet).reason,
        refusal=_shared(leaders, file.path) if tied else _taken(mine, leaders, file.path),
    )


def _matched(wanted: Wanted, match: Match) -> Matched:
    return Matched(wanted.claim, wanted.scene, wanted.desired, wanted.record, wanted.rounds, match)


def _claimant(matched: Matched) -> Claimant:
    return Claimant(matched.scene.id, matched.scene.label, Level(matched.match.matched_by))


def _job(matched: Matched, item: PlexItem) -> Job:
    return Job(
        matched.claim,
        matched.scene,
        matched.desired,
        record_of(item, matched.record),
        matched.rounds,
        matched.match,
        item,
    )


def _named(claimant: Claimant) -> str:
    label = f" “{claimant.label}”" if claimant.label else ""
    return f"scene {claimant.scene_id}{label}"


def _shared(leaders: Sequence[Claimant], path: str) -> str:
    names = ", ".join(_named(each) for each in leaders)
    return (
        f"One Plex item has files of several scenes: {names}. It holds “{path}”. Plex can show "
        "only one of them: split the item in Plex, or remove the surplus file, then "
        "retry; with Loose matching the scene with the lowest id is shown."
    )


def _taken(mine: Claimant, leaders: Sequence[Claimant], path: str) -> str:
    names = ", ".join(_named(each) for each in leaders)
    return (
        f"“{mine.label}” is not in Plex yet. The only file that fits, “{path}”, is that of "
        f"{names}, by {leaders[0].level}."
    )


def _holds(item: PlexItem, path: str) -> bool:
    """Return whether an item still holds the file that was matched: ids may have changed."""
    wanted = split_path(path)
    return any(split_path(held) == wanted for held in item.paths)
