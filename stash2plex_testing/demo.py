"""`make demo`: both stand-ins, a library, a queue that empties before your eyes, and the proof."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from typing import Any

from plexapi.server import PlexServer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from stash2plex_testing.plex import Latency
from stash2plex_testing.world import ARCHIVE, World, differences

EDITS = 300
"""How many scenes are edited one by one; Sync All Scenes queues a larger library."""

WRITE, UPLOAD = 0.005, 0.008
"""Seconds of the stand-in Plex's writer: quick, so that the demo is short."""

SHOWN = 8


def main(arguments: list[str] | None = None) -> int:
    """Run the demo. Returns 0 when every scene matches."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--scenes", type=int, default=200, help="size of the library")
    parser.add_argument("--keep", action="store_true", help="keep both servers up afterwards")
    options = parser.parse_args(arguments)
    console = Console()
    if not os.path.exists(ARCHIVE):
        console.print("There is no dist/Stash2Plex.zip; run “make plugin” first.")
        return 2
    folder = tempfile.mkdtemp(prefix="stash2plex-demo-")
    try:
        with World(folder, latency=Latency(write=WRITE, upload=UPLOAD)) as world:
            code = show(world, console, options.scenes)
            if options.keep:
                keep(world, console)
            return code
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show(world: World, console: Console, scenes: int) -> int:
    """Run the demo's steps and judge the result."""
    started = time.monotonic()
    console.print(f"[bold]1.[/] A Stash with {scenes:,} scenes; a Plex that knows only files.")
    world.fill(scenes)
    # With the worker off a backlog can build up, as after a week without Plex.
    world.install(background_worker="off")
    world.operation("status")
    reader = PlexServer(world.plex.url, world.plex.token)
    before = titles(reader)
    edited = edit_scenes(world, console)
    console.print(f"   {edited:,} scenes saved in Stash; each save waited for the hook alone.")
    name = "Process Queue" if edited == scenes else "Sync All Scenes"
    console.print(f"[bold]2.[/] The task [bold]{name}[/] in Stash:")
    job = follow(world, console, world.task(name))
    console.print(f"   {job}")
    console.print("[bold]3.[/] The worker on: a save reaches Plex without a task.")
    world.configure()
    world.operation("status")
    first = next(int(scene["id"]) for scene in world.read_scenes() if scene["files"])
    seconds = live_edit(world, reader, first)
    console.print(f"   Plex showed it {seconds:.1f} s after the save.")
    console.print("[bold]4.[/] Read back from Plex by python-plexapi:")
    wrong = compare(world, reader, before, console)
    total = time.monotonic() - started
    if wrong:
        console.print(f"[bold red]Not equal:[/] {wrong:,} of {scenes:,} scenes differ.")
        return 1
    edits, pictures = world.plex.count("PUT"), world.plex.count("POST", "posters|arts")
    console.print(
        f"[bold green]All {scenes:,} scenes match.[/] {total:.0f} s in all, "
        f"{edits:,} edits, {pictures:,} pictures sent."
    )
    return 0


def titles(reader: PlexServer) -> dict[str, str]:
    """Read what Plex shows now: file to title."""
    return {item.locations[0]: item.title for item in reader.library.section("Harbour Films").all()}


def edit_scenes(world: World, console: Console) -> int:
    """Save scenes one after the other, as a very patient user does."""
    rows = world.read_scenes()[:EDITS]
    with Progress(
        TextColumn("   saving"), BarColumn(), TaskProgressColumn(), console=console, transient=True
    ) as bar:
        for scene in bar.track(rows):
            world.edit(int(scene["id"]), rating100=(int(scene["id"]) * 7) % 100 + 1)
    return len(rows)


def follow(world: World, console: Console, number: int) -> str:
    """Show a job's progress as Stash's Tasks page gets it; returns the task's last line."""
    query = "query Job($id: ID!) { findJob(input: {id: $id}) { status progress } }"
    with Progress(
        TextColumn("  "), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console
    ) as bar:
        task = bar.add_task("", total=1.0)
        while True:
            job = world.graphql(query, id=str(number))["findJob"]
            bar.update(task, completed=max(bar.tasks[0].completed, job["progress"] or 0.0))
            if job["status"] in ("FINISHED", "FAILED", "CANCELLED"):
                break
            time.sleep(0.1)
    said = [text for level, text in world.stash.plugin_log if level == "info"]
    return said[-1] if said else "The task logged nothing."


def live_edit(world: World, reader: PlexServer, scene_id: int) -> float:
    """Change a title and wait for Plex to show it; returns seconds."""
    scene = next(row for row in world.read_scenes() if int(row["id"]) == scene_id)
    path = scene["files"][0]["path"].replace("/data", "/media/library", 1)
    item: Any = next(
        one for one in reader.library.section("Harbour Films").all() if path in one.locations
    )
    title = "The lantern at the far pier"
    started = time.monotonic()
    world.edit(scene_id, title=title)
    while time.monotonic() - started < 60:
        if reader.fetchItem(int(item.ratingKey)).title == title:
            break
        time.sleep(0.1)
    return time.monotonic() - started


def compare(world: World, reader: PlexServer, before: dict[str, str], console: Console) -> int:
    """Print a table of some scenes, and count those that differ."""
    held: dict[str, Any] = {}
    section = reader.library.section("Harbour Films")
    keys = [int(item.ratingKey) for item in section.all()]
    for start in range(0, len(keys), 200):
        for item in reader.fetchItems(keys[start : start + 200]):
            held.update(dict.fromkeys(item.locations, item))
    table = Table(box=None, header_style="bold", padding=(0, 2))
    for name in ("Plex before", "Plex now", "Studio", "People", "Tags"):
        wide = name.startswith("Plex")
        table.add_column(name, overflow="ellipsis", no_wrap=True, min_width=18 if wide else None)
    wrong = 0
    scenes = [scene for scene in world.read_scenes() if scene["files"]]
    for number, scene in enumerate(scenes):
        path = scene["files"][0]["path"].replace("/data", "/media/library", 1)
        item = held[path]
        found = differences(scene, item)
        wrong += bool(found)
        if found and wrong <= SHOWN:
            console.print(f"[red]scene {scene['id']}[/]: {'; '.join(found)}", highlight=False)
        if number < SHOWN:
            table.add_row(
                before.get(path, ""),
                item.title,
                item.studio or "",
                str(len(item.roles)),
                str(len(item.genres)),
            )
    console.print(table)
    return wrong


def keep(world: World, console: Console) -> None:
    """Keep both servers running until Ctrl-C."""
    console.print(f"\nStash: {world.stash.url}\nPlex:  {world.plex.url}/web\nCtrl-C ends both.")
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        console.print("Bye.")


if __name__ == "__main__":
    sys.exit(main())
