"""Measures how the database's costs grow with the library."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from random import Random

from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.model import Entity, PlexFile, Record, Scene, Section, StashFile
from stash2plex.rules.desired import desired_state
from stash2plex.servers.plexlists import ListPage
from stash2plex.sync.apply import files_mark, is_settled
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.session import Store
from tools.bench.figure import Figure

Curves = dict[str, list[tuple[int, float]]]
REPEATS = 5
RUNS = 5


def measure(folder: str, large: int) -> tuple[list[Figure], Curves]:
    """Measure at a tenth and at the whole of `large`; returns figures and microseconds per key."""
    sizes = [large // 10, large // 3, large]
    curves: Curves = {}
    # Sizes take turns, so that a busy minute of the machine affects all of them.
    runs: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    for run in range(RUNS):
        for size in sizes:
            runs[size].append(grow(os.path.join(folder, f"store-{size}-{run}"), size))
    for size, found in runs.items():
        for name in found[0]:
            seconds = statistics.median(run[name] for run in found)
            curves.setdefault(name, []).append((size, seconds / size * 1e6))
    figures = [
        Figure(
            f"{name}: cost per scene, {sizes[0]:,} → {large:,}",
            points[-1][1] / points[0][1],
            "×",
            at_most=1.2,
        )
        for name, points in curves.items()
    ]
    small = claim_seconds(os.path.join(folder, "claim-small"), 1_000)
    big = claim_seconds(os.path.join(folder, "claim-big"), 1_000_000)
    figures.append(
        Figure("claim of 50 keys, 1,000 → 1,000,000 waiting", big / small, "×", at_most=1.5)
    )
    store = open_store(os.path.join(folder, "add"), time.time, Random(1))
    seconds = timed(lambda: store.queue.add_many([("scene", one) for one in range(1, 10_001)]))
    store.connection.close()
    figures.append(Figure("adding 10,000 keys in one call", seconds, " s", at_most=0.5))
    return figures, curves


def timed(work: Callable[[], object]) -> float:
    """Run something; returns seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def grow(folder: str, size: int) -> dict[str, float]:
    """Measure enqueue, claim, index and an unchanged sweep for a library of `size`.

    Each step that writes includes the copying of its own pages out of the write-ahead log. SQLite
    does that at the commit that exceeds `WAL_PAGES`: never in a small library, and in a large one
    in whichever step comes to it.
    """
    store = open_store(folder, time.time, Random(1))
    seconds: dict[str, float] = {}

    def written(work: Callable[[], object]) -> float:
        def work_and_copy() -> None:
            work()
            store.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

        return timed(work_and_copy)

    def enqueue() -> None:
        for start in range(1, size + 1, 2_000):
            keys = [("scene", one) for one in range(start, min(start + 2_000, size + 1))]
            store.queue.add_many(keys)

    seconds["enqueue"] = written(enqueue)
    seconds["claim and ack"] = written(lambda: claim_all(store))
    seconds["path index"] = written(lambda: fill_index(store, size))
    fill_records(store, size)
    settings = Settings()
    chosen = Random(1).sample(range(1, size + 1), 5_000)

    def sweep() -> None:
        for number in chosen:
            one = scene(number)
            if not is_settled(one, desired_state(one, settings), store.records.get(number)):
                raise AssertionError(f"scene {number} is not settled")

    seconds["unchanged sweep"] = (
        statistics.median(timed(sweep) for _ in range(REPEATS)) * size / len(chosen)
    )
    store.connection.close()
    return seconds


def claim_all(store: Store) -> None:
    """Work through the queue, as a drain with nothing to do does."""
    while claims := store.queue.claim(200, 60.0):
        for claim in claims:
            store.queue.ack(claim)


def fill_index(store: Store, size: int) -> None:
    """Store list pages of 500 items. Names come in random order, as in a real library."""
    section = Section("1", "u", "Harbour Films", "movie", "1", ("/media",), refreshing=False)

    class Listed:
        def list_files(self, _id: str) -> Iterator[ListPage]:
            for start in range(0, size, 500):
                files = tuple(
                    PlexFile("1", str(one), f"/media/{one % 97}/{unordered(one)}.mp4", one)
                    for one in range(start, min(start + 500, size))
                )
                yield ListPage(files, 1, 500, size)

    index = PlexIndex(store.plex_files, Listed(), time.time)  # type: ignore[arg-type]  # only lists
    index._list_all(section)  # noqa: SLF001 - the step that is measured


def unordered(number: int) -> str:
    """Make a name that sorts anywhere."""
    return hashlib.sha1(b"%d" % number, usedforsecurity=False).hexdigest()[:16]


def scene(number: int) -> Scene:
    """Make a scene that shows a bit of everything."""
    return Scene(
        id=number,
        title=f"Harbour {number}",
        details="A quiet morning at the quay. " * 5,
        director="",
        code="",
        date="2024-05-06",
        rating100=80,
        organized=True,
        updated_at="2026-01-01T00:00:00Z",
        screenshot=f"http://127.0.0.1:9999/scene/{number}/screenshot?t=1",
        files=(StashFile(f"/data/harbour-{number}.mp4", number),),
        studio=Entity(1, "Studio 1"),
        performers=(Entity(1, "Performer 17"),),
        tags=tuple(Entity(one, f"Tag {one}") for one in range(8)),
        groups=(),
    )


def fill_records(store: Store, size: int) -> None:
    """Give every scene a record as if it were in sync."""
    settings = Settings()
    with transaction(store.connection):
        for number in range(1, size + 1):
            one = scene(number)
            state = desired_state(one, settings)
            record = Record(number, str(number), "1", "/x", "path", state.fingerprint, {}, "t=1")
            store.records.put(evolve(record, files=files_mark(one)), one)


def claim_seconds(folder: str, waiting: int) -> float:
    """Measure a claim of 50 among `waiting` keys; returns the median of 40 in seconds."""
    store = open_store(folder, time.time, Random(1))
    for start in range(1, waiting + 1, 50_000):
        stop = min(start + 50_000, waiting + 1)
        store.queue.add_many([("scene", one) for one in range(start, stop)])

    def once() -> float:
        start = time.perf_counter()
        claims = store.queue.claim(50, 60.0)
        seconds = time.perf_counter() - start
        for claim in claims:
            store.queue.release(claim)
        return seconds

    found = statistics.median(once() for _ in range(40))
    store.connection.close()
    return found
