"""Finds the Plex item of each scene: matches, looks again, follows moves, keeps items apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.errors import Ambiguous, NotInPlexYet, Stash2PlexError
from stash2plex.model import Clock, PlexItem, Record, Scene
from stash2plex.rules.matching import Explanation, Level, explain, split_path
from stash2plex.rules.path_inference import same_file
from stash2plex.rules.scanning import scan_target
from stash2plex.store.item_claims import Claimant, leading, winner_of
from stash2plex.sync.apply import record_of
from stash2plex.sync.index_changes import read_news
from stash2plex.sync.session import Job, Session, Store, Wanted
from stash2plex.workqueue import BULK

Told = tuple[Wanted, Explanation]

REFRESH_SECONDS = 10.0
"""A miss asks Plex for news at most this often; an item that proved wrong asks at once."""

MOST_ROUNDS = 3
"""Items of one scene that may prove wrong before it waits: Plex is in the middle of something."""


@frozen
class Found:
    """Scenes by what came of them: jobs, failures, and those that need nothing, with the reason."""

    jobs: list[Job] = field(factory=list)
    failed: list[tuple[Wanted, Stash2PlexError]] = field(factory=list)
    done: list[tuple[Wanted, str]] = field(factory=list)
    again: list[Wanted] = field(factory=list)


@define
class Finder:
    """Looks items up for a pipeline, in the thread that owns the database.

    `clock` gives seconds since the epoch, `monotonic` seconds since any time.
    """

    store: Store
    session: Session
    clock: Clock
    monotonic: Clock
    _refreshed_at: float = field(init=False, default=-REFRESH_SECONDS)
    _in_hand: dict[int, tuple[str, Claimant]] = field(init=False, factory=dict)

    def find(self, wanted: Sequence[Wanted]) -> Found:
        """Match scenes; those that are missed once more after a look at Plex's news."""
        found = Found()
        self._learn_roots(wanted)
        matched, missed = self._match(wanted, found)
        if missed:
            self._look_again(missed, matched, found)
        with transaction(self.store.connection):
            self._keep_apart(matched, found)
        return found

    def is_disputed(self, record: Record) -> bool:
        """Say whether another scene claims the item of a scene that is in sync."""
        return bool(self._others(record.rating_key, record.scene_id))

    def verify(self, jobs: Sequence[Job], items: Mapping[str, PlexItem]) -> Found:
        """Check that each item is there and holds the file that was matched.

        The index may be behind, and an id may name another item after Plex was rebuilt. What is
        learnt goes into the index; the scene is in `again`, to be looked up at once.
        """
        found = Found()
        for job in jobs:
            item = items.get(job.match.file.rating_key)
            if item is not None and not item.trashed and _holds(item, job.match.file.path):
                record = record_of(item, job.record)
                found.jobs.append(evolve(job, item=item, record=record))
            else:
                self.went_wrong(job, item, found)
        return found

    def went_wrong(self, job: Job, item: PlexItem | None, found: Found) -> None:
        """Take up that an item is gone, in the bin, or another file's, and look again."""
        if item is None or item.trashed:
            self.store.plex_files.forget_item(job.match.file.rating_key)
        else:
            self.store.plex_files.learn(item)
        self._refreshed_at = -REFRESH_SECONDS
        again = job.wanted_again()
        if again.rounds <= MOST_ROUNDS:
            found.again.append(again)
            return
        moving = f"“{job.scene.label}” is being moved in Plex; it is looked up again later."
        found.failed.append((again, NotInPlexYet(moving)))

    def ended(self, scene_id: int) -> None:
        """Forget a scene that left the pipeline."""
        self._in_hand.pop(scene_id, None)

    def gone(self, scene_id: int) -> None:
        """Drop what is waited for and claimed by a scene that is gone, or is not to be synced."""
        self._wake(self.store.contests.leave(scene_id, ""))
        self.store.missed.forget([scene_id])

    # -- matching -------------------------------------------------------------------------

    def _learn_roots(self, wanted: Sequence[Wanted]) -> None:
        """Take up which paths of both servers are surely the same file."""
        if self.session.settings.path_map:
            return
        files = self.store.plex_files
        pairs = [
            (one.scene.id, pair)
            for one in wanted
            for file in one.scene.files[:1]
            if (pair := same_file(file, files.candidates([file.path])))
        ]
        self.store.path_rules.note(pairs, files.locations())

    def _match(self, wanted: Iterable[Wanted], found: Found) -> tuple[list[Told], list[Told]]:
        """Match by the index as it is: returns what was matched, and what was missed."""
        matched: list[Told] = []
        missed: list[Told] = []
        for one in wanted:
            explanation = match_by_index(self.store, self.session.settings, one.scene)
            if explanation.match is not None:
                matched.append((one, explanation))
            elif explanation.reason == NotInPlexYet.reason:
                missed.append((one, explanation))
            else:
                self.store.missed.forget([one.scene.id])
                found.failed.append((one, Ambiguous(explanation.refusal)))
        return matched, missed

    def _look_again(self, missed: list[Told], matched: list[Told], found: Found) -> None:
        """Ask Plex for news, then for the items that the missed scenes had; wait for the rest."""
        try:
            if self.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
                read_news(self.store, self.session, missed=True)
                self._refreshed_at = self.monotonic()
            more, missed = self._match([one for one, _ in missed], found)
            matched += more
            if self._learn_items([one for one, _ in missed]):
                more, missed = self._match([one for one, _ in missed], found)
                matched += more
        except Stash2PlexError as error:
            found.failed.extend((one, error) for one, _ in missed)
            return
        for one, explanation in missed:
            self._wait_for(one.scene)
            found.failed.append((one, NotInPlexYet(explanation.refusal)))

    def _learn_items(self, missed: Sequence[Wanted]) -> bool:
        """Ask what the items hold now that missed scenes had: one that moved kept its id.

        Once only for each: what waits costs Plex nothing. True when there was any.
        """
        had = {one.record.rating_key for one in missed if one.record and not one.claim.snoozes}
        if had:
            for item in self.session.plex.items(sorted(had)).values():
                if not item.trashed:
                    self.store.plex_files.learn(item)
        return bool(had)

    def _wait_for(self, scene: Scene) -> None:
        """Note that a scene waits for Plex, and have its folder scanned if that is wanted."""
        store, settings = self.store, self.session.settings
        rules = store.rules(settings)
        unasked = store.missed.note(scene.id, scene.files, rules)
        if not settings.trigger_plex_scan:
            return
        libraries = self.store.plex_files.locations()
        for path in unasked:
            target = scan_target(path, rules, libraries)
            if target is not None and store.scans.request(*target, self.clock()):
                store.missed.asked(scene.id, path, *target)

    # -- one item, one scene --------------------------------------------------------------

    def _keep_apart(self, matched: Sequence[Told], found: Found) -> None:
        """Let a scene have its item unless another one has as good a claim on it.

        A better match wins. Equally good ones are all refused, or with `loose_matching` the scene
        with the lowest id wins: the same answer whichever came first.
        """
        claims: list[tuple[Wanted, Explanation, str, Claimant]] = []
        for one, explanation in matched:
            match = explanation.require()
            mine = Claimant(one.scene.id, one.scene.label, Level(match.matched_by))
            self._in_hand[one.scene.id] = match.file.rating_key, mine
            claims.append((one, explanation, match.file.rating_key, mine))
        here = {mine.scene_id for *_, mine in claims}
        for one, explanation, key, mine in claims:
            self._wake(self.store.contests.leave(one.scene.id, key))
            others = self._others(key, mine.scene_id)
            leaders = leading([mine, *others])
            winner = winner_of(leaders, loose=self.session.settings.loose_matching)
            if winner is mine:
                self.store.missed.forget([one.scene.id])
                found.jobs.append(_job(one, explanation))
            else:
                self._refuse(one, explanation, mine, leaders, found)
                if winner is not None and self.store.contests.hand_over(
                    key, mine.scene_id, winner.scene_id
                ):
                    self._wake([winner.scene_id])
            # Who is in sync, or about to be, must come to the same answer.
            self._wake(
                other.scene_id
                for other in others
                if other is not winner and not other.refused and other.scene_id not in here
            )

    def _refuse(
        self,
        one: Wanted,
        explanation: Explanation,
        mine: Claimant,
        leaders: Sequence[Claimant],
        found: Found,
    ) -> None:
        file = explanation.require().file
        self.store.contests.refuse(mine, file.rating_key)
        self.ended(one.scene.id)
        if self.session.settings.loose_matching:
            self.store.missed.forget([one.scene.id])
            found.done.append((one, f"its Plex item shows {_named(leaders[0])}"))
        elif mine in leaders:
            self.store.missed.forget([one.scene.id])
            found.failed.append((one, Ambiguous(_shared(leaders, file.path))))
        else:
            self._wait_for(one.scene)
            found.failed.append((one, NotInPlexYet(_taken(mine, leaders, file.path))))

    def _others(self, key: str, besides: int) -> list[Claimant]:
        """List the other scenes that claim an item; what is in hand is newer than the records."""
        known = {one.scene_id: one for one in self.store.contests.claimants(key, besides)}
        for scene_id, (held, claimant) in self._in_hand.items():
            if scene_id == besides:
                continue
            known.pop(scene_id, None)
            if held == key:
                known[scene_id] = claimant
        return list(known.values())

    def _wake(self, scene_ids: Iterable[int]) -> None:
        keys = [("scene", scene_id) for scene_id in scene_ids]
        if keys:
            self.store.queue.add_many(keys, priority=BULK, take_up=False)


def match_by_index(store: Store, settings: Settings, scene: Scene) -> Explanation:
    """Match a scene by the index as it is; writes nothing and asks nobody."""
    rules = store.rules(settings)
    return explain(
        scene,
        store.plex_files.candidates(
            (file.path for file in scene.files),
            sizes={file.size for file in scene.files if file.size},
            rules=rules,
        ),
        rules,
        inferred=not settings.path_map,
        loose=settings.loose_matching,
    )


def explain_scene(store: Store, settings: Settings, scene: Scene) -> Explanation:
    """Explain a scene's match as a drain would decide it now, other scenes' claims included.

    Writes nothing and asks nobody.
    """
    explanation = match_by_index(store, settings, scene)
    if explanation.match is None:
        return explanation
    file = explanation.match.file
    mine = Claimant(scene.id, scene.label, Level(explanation.match.matched_by))
    others = store.contests.claimants(file.rating_key, scene.id)
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


def _job(one: Wanted, explanation: Explanation) -> Job:
    return Job(one.claim, one.scene, one.desired, one.record, one.rounds, explanation.require())


def _named(claimant: Claimant) -> str:
    label = f" “{claimant.label}”" if claimant.label else ""
    return f"scene {claimant.scene_id}{label}"


def _shared(leaders: Sequence[Claimant], path: str) -> str:
    names = ", ".join(_named(each) for each in leaders)
    return (
        f"One Plex item has files of several scenes: {names}. It holds “{path}”. Plex can show "
        "only one of them: split the item in Plex, or remove the file that is too much, then "
        "retry; with loose_matching the scene with the lowest id is shown."
    )


def _taken(mine: Claimant, leaders: Sequence[Claimant], path: str) -> str:
    names = ", ".join(_named(each) for each in leaders)
    return (
        f"“{mine.label}” is not in Plex yet. The only file that fits, “{path}”, is that of "
        f"{names}, by {leaders[0].level}."
    )


def _holds(item: PlexItem, path: str) -> bool:
    """Whether an item still holds the file that was matched: ids may point elsewhere now."""
    wanted = split_path(path)
    return any(split_path(held) == wanted for held in item.paths)
