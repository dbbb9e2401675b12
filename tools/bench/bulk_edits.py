"""Measures a bulk edit, with the script and with a process for each scene.

How it compares with no plugin shows only in a real Stash: this stand-in runs scripts otherwise.
"""

from __future__ import annotations

import os
import statistics
import time

from stash2plex_testing.oldhooks import write_process_archive
from stash2plex_testing.world import ARCHIVE, World
from tools.bench.figure import Figure

ROUNDS = 5
BULK = "mutation Bulk($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"


def measure(folder: str, scenes: int) -> list[Figure]:
    """Edit every scene of a library at once, alternating between both set-ups."""
    old = os.path.join(folder, "Stash2Plex.zip")
    write_process_archive(ARCHIVE, old)
    seconds: dict[str, list[float]] = {ARCHIVE: [], old: []}
    processes: dict[str, int] = {}
    worlds = []
    for number, archive in enumerate(seconds):
        world = World(os.path.join(folder, f"bulk{number}"))
        world.__enter__()
        worlds.append((archive, world))
        world.stash.generate(scenes=scenes, seed=1, root="/data")
        world.stash.install(archive)
        # The figure is for the save, without a worker that reads the scenes meanwhile.
        world.configure(background_worker="off")
        world.operation("wake")
    for turn in range(ROUNDS):
        for archive, world in worlds:
            if archive == old and turn:
                # Once is enough for what takes ten seconds.
                continue
            ids = [str(scene.id) for scene in world.stash.scenes]
            world.stash.clear_log()
            start = time.perf_counter()
            world.graphql(BULK, i={"ids": ids, "director": f"Director {turn}"})
            seconds[archive].append(time.perf_counter() - start)
            processes[archive] = len(world.stash.processes)
    for _, world in worlds:
        world.__exit__()
    script, process = (statistics.median(times) for times in seconds.values())
    name = f"bulk edit of {scenes:,} scenes"
    return [
        Figure(f"{name}: processes", processes[ARCHIVE], at_most=1),
        Figure(f"{name}: time", script * 1000, " ms"),
        Figure(f"{name}: beside a process for each scene", script / process, "×", at_most=0.2),
    ]
