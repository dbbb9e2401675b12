"""A Stash and a Plex that hold the same library under different paths, and how they compare."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Self

from stash2plex.datadir import DATABASE_NAME
from stash2plex.lock import drain_runs
from stash2plex_testing.plex import FakePlex, Latency
from stash2plex_testing.stash import FakeStash

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARCHIVE = os.path.join(ROOT, "dist", "Stash2Plex.zip")

SCENE_QUERY = """query Page($after: Int!) {
  findScenes(scene_filter: {id: {value: $after, modifier: GREATER_THAN}},
             filter: {per_page: 500, sort: "id"}) {
    scenes { id title details date rating100 director files { path } studio { name }
             performers { name } tags { name } } } }"""


class World:
    """Both stand-ins, with the built plugin installed. Use it as a context manager.

    Stash sees the files below `/data`, Plex below `/media/library`. Plex's clock is `plex_ahead`
    seconds before this machine's.
    """

    def __init__(
        self,
        folder: str,
        *,
        latency: Latency | None = None,
        plex_ahead: float = 0.0,
        **stash: Any,
    ) -> None:
        self._password = bool(stash.get("password"))
        self.stash = FakeStash(root=folder, **stash)
        self.plex = FakePlex(latency=latency or Latency(), clock=lambda: time.time() + plex_ahead)
        self.section = self.plex.add_section("Harbour Films", locations=["/media/library"])

    def __enter__(self) -> Self:
        self.plex.start()
        self.stash.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end_worker()
        self.stash.stop()
        self.plex.stop()

    @property
    def data_dir(self) -> str:
        """The plugin's data folder."""
        return os.path.join(self.stash.config_dir, "stash2plex")

    def end_worker(self) -> None:
        """Ask the background worker to end, and wait until it has."""
        path = os.path.join(self.data_dir, DATABASE_NAME)
        if not os.path.exists(path):
            return
        for _ in range(600):
            if not drain_runs(self.data_dir):
                return
            with closing(sqlite3.connect(path)) as database:
                rows = list(
                    database.execute("SELECT pid FROM drain WHERE origin = 'background worker'")
                )
            for (pid,) in rows:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.05)
        raise RuntimeError("The background worker does not end.")

    def fill(self, scenes: int, seed: int = 1) -> None:
        """Make a library in Stash, and scan it into Plex, which knows nothing but files."""
        self.stash.generate(scenes=scenes, seed=seed, root="/data")
        self.scan(self.read_scenes())

    def scan(self, scenes: Iterable[dict[str, Any]]) -> None:
        """Let Plex find the files of scenes."""
        for scene in scenes:
            paths = [file["path"] for file in scene["files"]]
            if paths:
                self.plex.add_item(
                    self.section,
                    files=[path.replace("/data", "/media/library", 1) for path in paths],
                )

    def install(self, **settings: Any) -> None:
        """Install the built archive and store settings, as a user does."""
        self.stash.install(ARCHIVE)
        self.configure(**settings)

    def configure(self, **settings: Any) -> None:
        """Store the plugin's settings: Plex's address and token, and more."""
        stored = {"plex_url": self.plex.url, "plex_token": self.plex.token, **settings}
        self.graphql(
            "mutation Set($input: Map!)"
            ' { configurePlugin(plugin_id: "Stash2Plex", input: $input) }',
            input=stored,
        )

    def graphql(self, query: str, **variables: Any) -> Any:
        """Ask Stash as its page does. Raises RuntimeError with what it answers."""
        headers = {"Cookie": f"session={self.stash.cookie()}"} if self._password else {}
        answer = self.stash.client(headers, timeout=600.0).post(query, variables).json()
        if answer.get("errors"):
            raise RuntimeError(answer["errors"][0]["message"])
        return answer["data"]

    def operation(self, mode: str, **arguments: Any) -> Any:
        """Call an operation of the plugin."""
        data = self.graphql(
            "mutation Run($args: Map!)"
            ' { runPluginOperation(plugin_id: "Stash2Plex", args: $args) }',
            args={"mode": mode, **arguments},
        )
        return data["runPluginOperation"]

    def task(self, name: str) -> int:
        """Press a task's button; returns the job's number."""
        data = self.graphql(
            "mutation Run($name: String!)"
            ' { runPluginTask(plugin_id: "Stash2Plex", task_name: $name) }',
            name=name,
        )
        return int(data["runPluginTask"])

    def edit(self, scene_id: int, **fields: Any) -> None:
        """Save a scene, hooks and all."""
        self.graphql(
            "mutation Save($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }",
            input={"id": str(scene_id), **fields},
        )

    def read_scenes(self) -> list[dict[str, Any]]:
        """Read every scene as Stash shows it."""
        scenes: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.graphql(SCENE_QUERY, after=after)["findScenes"]["scenes"]
            scenes += page
            if len(page) < 500:
                return scenes
            after = int(page[-1]["id"])


def differences(scene: dict[str, Any], item: Any) -> list[str]:
    """Compare a scene with a python-plexapi item; names what differs.

    Written apart from the package on purpose: it checks the package.
    """
    if not any(
        (
            scene["title"], scene["details"], scene["date"], scene["rating100"],
            scene["director"], scene["studio"], scene["performers"], scene["tags"],
        )
    ):  # fmt: skip
        return []
    found = []

    def check(name: str, wanted: object, held: object) -> None:
        if wanted != held:
            found.append(f"{name}: Stash {wanted!r}, Plex {held!r}")

    if scene["title"]:
        check("title", one_line(scene["title"]), item.title)
    if scene["details"]:
        check("summary", scene["details"].strip(), (item.summary or "").strip())
    if scene["studio"]:
        check("studio", scene["studio"]["name"], item.studio)
        check("collection", True, scene["studio"]["name"] in {tag.tag for tag in item.collections})
    if scene["date"]:
        held = item.originallyAvailableAt
        check("date", f"{scene['date']}-01-01"[:10], held.strftime("%Y-%m-%d") if held else None)
    if scene["rating100"]:
        check("rating", scene["rating100"] / 10, item.userRating)
    for name, wanted, held in (
        ("performers", {one["name"] for one in scene["performers"]}, item.roles),
        ("tags", {one["name"] for one in scene["tags"]}, item.genres),
    ):
        if wanted:
            check(name, sorted(wanted), sorted(tag.tag for tag in held))
    return found


def one_line(text: str) -> str:
    """Fold white space as a title's line does."""
    return re.sub(r"\s+", " ", text).strip()
