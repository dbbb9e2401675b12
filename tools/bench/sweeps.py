"""Measures what sweeps of a large library cost while nothing changes, and how long a save waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from stash2plex_testing.world import World
from tools.bench.figure import Figure

SCRIPT = """import json, re, sys, time
sys.path[:0] = [{plugin!r}, {vendor!r}]
from attrs import evolve
from stash2plex.app import open_app
from stash2plex.servers.stash_address import StashAddress
from stash2plex.sync.apply import files_mark
from stash2plex.db import transaction
from stash2plex.rules.desired import desired_state
from stash2plex.lock import drain_lock
from stash2plex.model import Record
from stash2plex.sync.observer import Silent
from stash2plex.store.marks import load_marks, save_marks
from stash2plex.sync.goals import Background

app = open_app({data!r}, StashAddress({url!r}))
assert drain_lock({data!r}).acquire()
connection, settings = app.store.connection, app.settings()
goal = Background("bench", idle=0.5)
seconds = 0.0
if sys.argv[1] == "fill":
    for page in app.stash.all_scenes():
        with transaction(connection):
            for one in page.scenes:
                state = desired_state(one, settings)
                record = Record(one.id, str(one.id), "1", "/x", "path", state.fingerprint, {{}},
                                one.cover_tag, files=files_mark(one))
                app.store.records.put(record, one)
else:
    if sys.argv[1] == "sweep":
        save_marks(connection, evolve(load_marks(connection), swept_at=0.0))
    start = time.perf_counter()
    app.drain(goal, Silent(), lambda: False)
    seconds = time.perf_counter() - start
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024
print(json.dumps(dict(seconds=seconds, peak=peak, left=app.store.queue.counts().pending)))
app.close()
"""
"""Drains as the background worker does, with the built archive, in a separate process."""

EMPTY = 3
"""Requests of a start that finds nothing: the settings twice, the glance."""


def measure(folder: str, scenes: int) -> list[Figure]:
    """Measure a start, a full sweep, and a save in the middle of one."""
    root = os.path.join(folder, "sweeps")
    os.makedirs(root)
    with World(root) as world:
        world.stash.generate(scenes=scenes, seed=1, root="/data")
        world.scan(world.read_scenes()[:1])
        world.install(reconcile_interval="daily")
        run(world, "fill")
        for _ in range(2):
            run(world, "look")
        look = run(world, "look")
        sweep = run(world, "sweep")
        waited = save_in_mid_sweep(world, scenes)
    name = f"{scenes:,} scenes, nothing changed"
    return [
        Figure(f"{name}: requests to Stash at a start", look["asked"], at_most=5),
        Figure(f"{name}: requests to Stash of a full sweep", sweep["asked"] - EMPTY, at_most=250),
        Figure(f"{name}: full sweep", sweep["seconds"], " s", at_most=60),
        Figure(f"{name}: full sweep, peak memory", sweep["peak"], " MB", at_most=150),
        Figure(f"{name}: keys queued by it", sweep["left"], at_most=0),
        Figure("save in the middle of a full sweep, until Plex has it", waited, " s", at_most=5),
    ]


def start(world: World, phase: str) -> subprocess.Popen[str]:
    """Start the script."""
    plugin = os.path.join(world.stash.plugins_dir, "Stash2Plex")
    code = SCRIPT.format(
        plugin=plugin,
        vendor=os.path.join(plugin, "vendor"),
        data=world.data_dir,
        url=world.stash.url,
    )
    return subprocess.Popen(
        [sys.executable, "-IS", "-c", code, phase], stdout=subprocess.PIPE, text=True
    )


def run(world: World, phase: str) -> dict[str, Any]:
    """Run the script to its end; returns its figures and its number of requests to Stash."""
    world.stash.clear_log()
    with start(world, phase) as process:
        output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"The phase “{phase}” ended with {process.returncode}.")
    found: dict[str, Any] = json.loads(output)
    return {**found, "asked": world.stash.graphql_count}


def save_in_mid_sweep(world: World, scenes: int) -> float:
    """Save a scene when a quarter of the pages is read; returns the seconds until Plex has it."""
    world.stash.clear_log()
    with start(world, "sweep") as process:
        while world.stash.count(operation="query ScenePage") < scenes // 4_000:
            time.sleep(0.01)
        began = time.perf_counter()
        world.edit(1, title="Saved in the middle of a sweep")
        (item,) = world.plex.all_items()
        while item.title != "Saved in the middle of a sweep":
            time.sleep(0.01)
        waited = time.perf_counter() - began
        if process.poll() is not None:
            raise RuntimeError("The sweep was over before Plex had the save.")
        process.communicate()
    return waited
