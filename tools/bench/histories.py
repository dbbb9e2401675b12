"""Counts what the history of writes costs: statements, requests and bytes, and those of an undo.

Nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from random import Random

from stash2plex.app import App, open_app, open_store
from stash2plex.datadir import DATABASE_NAME
from stash2plex.db import transaction
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.undo import Chosen, queue_undo
from stash2plex.rules.first_state import FirstState, read_fields
from stash2plex.servers.stash_address import StashAddress
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex_testing.world import World
from tools.bench.figure import Figure

TABLES = ("first_state", "history", "write_run", "undo", "own_collection")
"""The tables of the way back."""

OF_HISTORY = re.compile(rf"\b(FROM|INTO|UPDATE|JOIN) ({'|'.join(TABLES)})\b")

ASKED_FOR_IT = r"/collections$|/(posters|arts)$"
"""What is read in Plex for nothing but the way back, where nothing was sent before."""

AT_ONCE = 2_000


@dataclass
class Cost:
    """What a drain cost: statements, those of the way back among them, and requests."""

    statements: int = 0
    of_history: int = 0
    plex: int = 0
    asked: int = 0

    def see(self, statement: str) -> None:
        """Count a statement."""
        self.statements += 1
        self.of_history += bool(OF_HISTORY.search(statement))


def measure(folder: str, scenes: int, large: int) -> list[Figure]:
    """Measure a first sync, a change of every text and an undo of `scenes`, and `large` states."""
    root = os.path.join(folder, "histories")
    os.makedirs(root)
    data = os.path.join(root, "data")
    with World(root) as world:
        world.fill(scenes)
        for scene in world.stash.scenes:
            scene.cover = scene.cover or world.stash.scenes[0].cover
        world.configure(background_worker="off")
        app = open_app(data, StashAddress(world.stash.url))
        first = drained(world, app, lambda: enqueue_all(app))
        for scene in world.stash.scenes:
            scene.details = f"{scene.details or ''} Seen again from pier {scene.id}."
            world.stash.library.touch(scene)
        text = drained(world, app, lambda: enqueue_all(app))
        kept = page_bytes(app, "first_state")
        written = page_bytes(app, "history", "write_run")
        (writes,) = app.store.connection.execute("SELECT count(*) FROM history").fetchone()
        (states,) = app.store.connection.execute("SELECT count(*) FROM first_state").fetchone()
        many = many_states(app, os.path.join(root, "many"), large) if large else 0
        undone = drained(world, app, lambda: queue_undo(app, Chosen(everything=True)))
        app.close()
    name = f"{scenes:,} scenes"
    figures = [
        Figure(f"first sync of {name}: statements per scene", first.statements / scenes),
        Figure(
            f"first sync of {name}: of them for the way back",
            first.of_history / scenes,
            at_most=16,
        ),
        Figure(
            f"first sync of {name}: requests to Plex for the way back in all",
            first.asked,
            at_most=5,
        ),
        Figure(f"text change of {name}: statements per scene", text.statements / scenes),
        Figure(
            f"text change of {name}: of them for the way back", text.of_history / scenes, at_most=12
        ),
        Figure(
            f"text change of {name}: requests to Plex for the way back in all",
            text.asked,
            at_most=5,
        ),
        Figure(f"first state of {states:,} scenes: bytes per scene", kept / states, at_most=1_000),
        Figure(f"history of {writes:,} writes: bytes per write", written / writes),
        Figure(f"undo of {name}: statements per scene", undone.statements / scenes, at_most=85),
        Figure(f"undo of {name}: requests to Plex per scene", undone.plex / scenes, at_most=11),
    ]
    if large:
        figures.append(
            Figure(f"first state of {large:,} scenes: bytes per scene", many / large, at_most=1_000)
        )
    return figures


def drained(world: World, app: App, enqueue: Callable[[], object]) -> Cost:
    """Queue something and drain in this process; returns what it cost."""
    cost = Cost()
    world.plex.clear_log()
    app.store.connection.set_trace_callback(cost.see)
    enqueue()
    app.drain(Foreground("bench"), Silent(), lambda: False)
    app.store.connection.set_trace_callback(None)
    cost.plex = world.plex.count()
    cost.asked = world.plex.count("GET", ASKED_FOR_IT)
    return cost


def page_bytes(app: App, *tables: str) -> int:
    """Return the bytes of the pages that tables and their indexes take in a compact copy."""
    copy = os.path.join(app.folder, "copy.db")
    app.store.connection.execute("VACUUM INTO ?", (copy,))
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        before = _size(database)
        for table in tables:
            database.execute(f"DROP TABLE {table}")
        database.execute("VACUUM")
        after = _size(database)
    os.remove(copy)
    return before - after


def _size(database: sqlite3.Connection) -> int:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def many_states(app: App, folder: str, number: int) -> int:
    """Keep as many first states as a large library has, like those of `app`; returns their bytes.

    The sync of so many takes an hour and shows no more.
    """
    rows = list(app.store.connection.execute("SELECT server, path, fields FROM first_state"))
    store = open_store(folder, app.clock, Random(1))
    for start in range(0, number, AT_ONCE):
        with transaction(store.connection):
            for one in range(start, min(start + AT_ONCE, number)):
                server, path, fields = rows[one % len(rows)]
                state = FirstState(one + 1, str(one + 1), server, "1", f"{path}.{one}", app.clock())
                store.first_states.keep(state, read_fields(json.loads(fields)))
    path = os.path.join(folder, DATABASE_NAME)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.connection.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # As it lies there, unlike a compact copy: pages that were split are half empty.
        before = _size(database)
        database.execute("DROP TABLE first_state")
        database.execute("VACUUM")
        return before - _size(database)
