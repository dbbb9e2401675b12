"""Measures the requests and the memory of a reconcile of a large library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from stash2plex.app import open_app
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.synced import LONG_AGO, make_synced
from stash2plex_testing.world import World
from tools.bench.figure import Figure

RUN = """import json, re, sys, time
sys.path[:0] = [{plugin!r}, {vendor!r}]
from stash2plex.app import open_app
from stash2plex.servers.stash_address import StashAddress
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
app = open_app({data!r}, StashAddress({url!r}))
start, work = time.perf_counter(), time.process_time()
report = reconcile_library(
    app, Scope.ALL, dry_run={dry_run}, observer=Silent(), stopped=lambda: False
)
seconds, cpu = time.perf_counter() - start, time.process_time() - work
# Not ru_maxrss: a child inherits its parent's, which holds both stand-ins.
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024
print(json.dumps(dict(report.as_dict(), seconds=seconds, cpu=cpu, peak=peak)))
app.close()
"""

SHARE_CHANGED = 100
"""One item in this many is edited in Plex."""

TITLED = "SELECT rating_key FROM scene_record WHERE written LIKE '%\"title\":%'"
"""Items whose title is ours; another title where Stash has none would be the user's."""


def measure(folder: str, scenes: int) -> list[Figure]:
    """Measure the first run, an unchanged one, and one after a hundredth was changed in Plex."""
    root = os.path.join(folder, "reconcile")
    os.makedirs(root)
    with World(root) as world:
        world.fill(scenes)
        world.install(background_worker="off", skip_fields="poster background")
        data = os.path.join(folder, "reconcile-data")
        app = open_app(data, StashAddress(world.stash.url))
        make_synced(world, app)
        changed = world.plex.all_items()[::SHARE_CHANGED]
        ours = {row[0] for row in app.store.connection.execute(TITLED)}
        expected = sum(str(item.rating_key) in ours for item in changed)
        app.close()
        first = run(world, data)
        unchanged = run(world, data)
        for item in changed:
            item.title = f"Another {item.rating_key}"
            item.updated_at = LONG_AGO * 2
        rehearsed = run(world, data, dry_run=True)
        drifted = run(world, data)
    name = f"reconcile of {scenes:,} scenes"
    found = drifted["kinds"]["drifted"]["count"] / expected
    return [
        Figure(
            f"{name}, the first: requests to Plex",
            first["requests"]["plex"],
            at_most=scenes // 140 + 10,
        ),
        Figure(f"{name}, the first", first["seconds"], " s"),
        Figure(f"{name}, unchanged: requests to Plex", unchanged["requests"]["plex"], at_most=10),
        Figure(
            f"{name}, unchanged: requests to Stash",
            unchanged["requests"]["stash"],
            at_most=scenes // 1000 + 3,
        ),
        Figure(f"{name}, unchanged", unchanged["seconds"], " s", at_most=60),
        Figure(f"{name}, unchanged: processor time", unchanged["cpu"], " s"),
        Figure(
            f"{name}, 1 % changed in Plex: requests to Plex",
            drifted["requests"]["plex"],
            at_most=20,
        ),
        Figure(f"{name}, 1 % changed in Plex: share found", found, at_least=1),
        Figure(f"{name}, 1 % changed in Plex", drifted["seconds"], " s"),
        Figure(f"{name}, the same as a dry run", rehearsed["seconds"], " s"),
        Figure(
            f"{name}: peak memory",
            max(one["peak"] for one in (first, unchanged, drifted, rehearsed)),
            " MB",
            at_most=150,
        ),
    ]


def run(world: World, data: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Run one reconcile in a separate process; returns its report and its cost."""
    plugin = os.path.join(world.stash.plugins_dir, "Stash2Plex")
    code = RUN.format(
        plugin=plugin,
        vendor=os.path.join(plugin, "vendor"),
        data=data,
        url=world.stash.url,
        dry_run=dry_run,
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code], check=True, capture_output=True, text=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report
