"""Measures how close a drain comes to the limit of Plex's writer, and counts its requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from plexapi.server import PlexServer

from stash2plex_testing.plex import Latency
from stash2plex_testing.world import World
from tools.bench.figure import Figure

MODEL = {"read": 0.005, "list_per_1000": 0.150, "write": 0.020, "upload": 0.030}
"""Seconds that the stand-in Plex takes."""

PLAIN_SCENES = 40
"""How many scenes the plain script syncs; it searches the whole library for each."""


@dataclass
class Run:
    """One run of the command line against the stand-ins."""

    seconds: float
    writer: float
    plex: int
    stash: int

    @property
    def share(self) -> float:
        """Return the share of the time in which Plex's writer was busy."""
        return self.writer / self.seconds


def command(world: World, home: str, *arguments: str) -> Run:
    """Run the built archive's command line."""
    script = os.path.join(world.stash.plugins_dir, "Stash2Plex", "process_queue.py")
    world.plex.writer_seconds = 0.0
    world.plex.clear_log()
    world.stash.clear_log()
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-IS", script, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": home, "STASH2PLEX_STASH_URL": world.stash.url},
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - start
    return Run(seconds, world.plex.writer_seconds, world.plex.count(), world.stash.graphql_count)


def measure(folder: str, scenes: int) -> list[Figure]:
    """Measure a first sync, a change of every text, and a run with nothing to do."""
    root = os.path.join(folder, "drains")
    os.makedirs(root)
    with World(root, latency=Latency(**MODEL)) as world:
        world.fill(scenes)
        for scene in world.stash.scenes:
            scene.cover = scene.cover or world.stash.scenes[0].cover
        world.install(background_worker="off")
        plain = plain_script(world) / PLAIN_SCENES
        first = command(world, folder, "sync", "--all")
        for scene in world.stash.scenes:
            scene.details = f"{scene.details or ''} Seen again from pier {scene.id}."
            world.stash.library.touch(scene)
        text = command(world, folder, "sync", "--all")
        unchanged = command(world, folder, "sync", "--all")
        undone = command(world, folder, "undo", "--all")
    return [
        Figure(
            f"first sync of {scenes:,} scenes: share of the writer limit",
            first.share,
            at_least=0.85,
        ),
        Figure(
            f"text change of {scenes:,} scenes: share of the writer limit",
            text.share,
            at_least=0.90,
        ),
        Figure("first sync, scenes per second", scenes / first.seconds, "/s"),
        Figure("text change, scenes per second", scenes / text.seconds, "/s"),
        Figure(
            "against the plain script, first sync", plain * scenes / first.seconds, "×", at_least=5
        ),
        Figure("Plex requests per scene, first sync", first.plex / scenes, at_most=3.05),
        Figure("Plex requests per scene, text change", text.plex / scenes, at_most=1.03),
        Figure("Plex requests per scene, unchanged", unchanged.plex / scenes, at_most=0.02),
        Figure("Plex requests per scene, undo of all", undone.plex / scenes, at_most=11),
        Figure("undo of all, scenes per second", scenes / undone.seconds, "/s"),
    ]


def plain_script(world: World) -> float:
    """Do the same job the obvious way with python-plexapi: search by title, edit, upload."""
    reader = PlexServer(world.plex.url, world.plex.token)
    section = reader.library.section("Harbour Films")
    start = time.perf_counter()
    for scene in world.read_scenes()[:PLAIN_SCENES]:
        stem = os.path.splitext(os.path.basename(scene["files"][0]["path"]))[0]
        item = next(one for one in section.all() if one.title == stem)
        if scene["title"]:
            item.editTitle(scene["title"])
        if scene["details"]:
            item.editSummary(scene["details"])
        if scene["studio"]:
            item.editStudio(scene["studio"]["name"])
            item.addCollection(scene["studio"]["name"])
        if scene["tags"]:
            item.addGenre([tag["name"] for tag in scene["tags"]])
        names = [one["name"] for one in scene["performers"]]
        if names:
            item.edit(**{f"actor[{number}].tag.tag": name for number, name in enumerate(names)})
        cover = world.stash.client().get(f"/scene/{scene['id']}/screenshot").body
        picture = os.path.join(world.stash.config_dir, "plain.jpg")
        with open(picture, "wb") as file:
            file.write(cover)
        item.uploadPoster(filepath=picture)
        item.uploadArt(filepath=picture)
        item.reload()
    seconds = time.perf_counter() - start
    for item in world.plex.all_items():
        # As if it had never run: the plugin starts from the same Plex.
        item.texts.clear()
        item.tags.clear()
        item.locked.clear()
        item.images.clear()
        item.selected.clear()
        item.title = os.path.splitext(os.path.basename(item.parts[0].path))[0]
    return seconds


LARGE = """import json, re, sys, time
sys.path[:0] = [{plugin!r}, {vendor!r}]
from stash2plex.app import open_app
from stash2plex.servers.stash_address import StashAddress
from stash2plex.operations.enqueue import enqueue_all
app = open_app({data!r}, StashAddress({url!r}))
start = time.perf_counter()
session = app.open_session()
files = session.index.refresh(session.settings.plex_library).files
listed = time.perf_counter()
found = enqueue_all(app)
end = time.perf_counter()
# Not ru_maxrss: a child inherits its parent's, which holds both stand-ins.
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024
print(json.dumps(dict(files=files, queued=found.queued, index=listed - start,
                      enqueue=end - listed, peak=peak)))
app.close()
"""


def measure_large(folder: str, scenes: int) -> list[Figure]:
    """Measure Sync All with nothing to do for a tenth, and memory for the whole."""
    figures = []
    tenth = scenes // 10
    root = os.path.join(folder, "tenth")
    os.makedirs(root)
    with World(root) as world:
        world.fill(tenth)
        world.install(background_worker="off", skip_fields="poster background")
        command(world, folder, "sync", "--all")
        again = command(world, folder, "sync", "--all")
    figures += [
        Figure(f"Sync All, {tenth:,} unchanged: requests to Plex", again.plex, at_most=30),
        Figure(f"Sync All, {tenth:,} unchanged: requests to Stash", again.stash, at_most=15),
        Figure(f"Sync All, {tenth:,} unchanged", again.seconds, " s"),
    ]
    root = os.path.join(folder, "whole")
    os.makedirs(root)
    with World(root) as world:
        world.fill(scenes)
        world.install(background_worker="off")
        plugin = os.path.join(world.stash.plugins_dir, "Stash2Plex")
        code = LARGE.format(
            plugin=plugin,
            vendor=os.path.join(plugin, "vendor"),
            data=os.path.join(world.stash.config_dir, "stash2plex"),
            url=world.stash.url,
        )
        done = subprocess.run(
            [sys.executable, "-IS", "-c", code], check=True, capture_output=True, text=True
        )
        found = json.loads(done.stdout)
    import resource  # noqa: PLC0415 - Windows has none, and imports the table for its tests

    figures += [
        Figure(
            f"{scenes:,} scenes, index and first enqueue: peak memory",
            found["peak"],
            " MB",
            at_most=150,
        ),
        Figure(f"{scenes:,} items listed", found["index"], " s"),
        Figure(f"{scenes:,} scenes read and enqueued", found["enqueue"], " s"),
        Figure(
            "memory of the stand-ins meanwhile",
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            " MB",
        ),
    ]
    return figures
