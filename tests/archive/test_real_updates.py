"""A real Stash updates the plugin in the middle of an edit, and goes back, with a living worker.

The version before ran each hook as a process. Runs where a Stash and ffmpeg are, like
`test_real_stash.py`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from stash2plex_testing.oldhooks import write_process_archive
from stash2plex_testing.plex import FakePlex
from stash2plex_testing.world import ARCHIVE
from tests.harness.real_stash import BINARY, SETTINGS, SOURCES, RealStash, index_served
from tests.support import until
from tools.build_plugin import write_index

pytestmark = [
    pytest.mark.skipif(not BINARY, reason="no Stash is here: set STASH_BINARY to one"),
    pytest.mark.skipif(not shutil.which("ffmpeg"), reason="no ffmpeg is here: a scan needs it"),
]

SCENES, EDITS = 40, 5
BULK = "mutation B($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
SCAN = "mutation S($i: ScanMetadataInput!) { metadataScan(input: $i) }"
IDS = 'query I { findScenes(filter: {per_page: -1, sort: "id"}) { scenes { id } } }'


def make_films(folder: str) -> list[str]:
    """Write films that differ in their bytes; returns their paths."""
    first = os.path.join(folder, "Pier 00.mp4")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=black:s=32x32:d=1:r=5", first],
        check=True,
    )
    with open(first, "rb") as file:
        film = file.read()
    paths = [first]
    for number in range(1, SCENES):
        paths.append(os.path.join(folder, f"Pier {number:02}.mp4"))
        with open(paths[-1], "wb") as file:
            # A box that players skip; Stash knows a film by its size and both ends.
            padding = number.to_bytes(2, "big") * (40_000 + number)
            file.write(film + (len(padding) + 8).to_bytes(4, "big") + b"free" + padding)
    return paths


class Harbour:
    """A real Stash with scenes, a FakePlex with their items, and an index with one version."""

    def __init__(self, folder: str, plex: FakePlex, source: str, shelf: str) -> None:
        self.stash = RealStash(folder)
        self.plex, self.source, self.shelf = plex, source, shelf
        self.ids: list[str] = []

    def fill(self) -> None:
        """Start Stash, scan the films, and give Plex an item for each."""
        self.stash.start()
        films = make_films(os.path.join(self.stash.folder, "films"))
        self.stash.ask(SCAN, i={})
        self.stash.end_jobs()
        self.ids = [one["id"] for one in self.stash.ask(IDS)["findScenes"]["scenes"]]
        assert len(self.ids) == SCENES
        section = self.plex.add_section("Films", locations=[os.path.dirname(films[0])])
        for path in films:
            self.plex.add_item(section, file=path, size=os.path.getsize(path))

    def offer(self, archive: str, day: int) -> None:
        """Offer another version, built on that day of a month."""
        offered = os.path.join(self.shelf, "Stash2Plex.zip")
        shutil.copyfile(archive, offered)
        index = os.path.join(self.shelf, "index.yml")
        write_index(index, offered, datetime(2026, 1, day, tzinfo=UTC))

    def edit(self, title: str) -> None:
        self.stash.ask(BULK, i={"ids": self.ids, "title": title})

    def shows(self, title: str) -> bool:
        return {item.title for item in self.plex.all_items()} == {title}

    def rows(self, sql: str) -> list[Any]:
        path = os.path.join(self.stash.config, "stash2plex", "stash2plex.db")
        with sqlite3.connect(path) as database:
            return database.execute(sql).fetchall()


@pytest.fixture
def harbour(tmp_path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with FakePlex(token="right-token") as plex, index_served(str(shelf)) as source:
        harbour = Harbour(str(tmp_path), plex, source, str(shelf))
        try:
            harbour.fill()
            yield harbour
        finally:
            harbour.stash.stop()


def in_the_middle(harbour: Harbour, title: str, change: Any) -> None:
    """Edit all scenes, and install another version while the hooks of the first ones run."""
    edit = threading.Thread(target=harbour.edit, args=(title,))
    edit.start()
    until(lambda: title in {item.title for item in harbour.plex.all_items()} or not edit.is_alive())
    change(harbour.source)
    edit.join()


def test_an_update_in_the_middle_of_an_edit_and_the_way_back_lose_nothing(harbour, tmp_path):
    old = str(tmp_path / "Before.zip")
    write_process_archive(ARCHIVE, old)
    sources = [{"name": "Stash2Plex", "url": harbour.source}]
    harbour.stash.ask(SOURCES, i={"pluginPackageSources": sources})
    harbour.offer(old, day=1)
    harbour.stash.install(harbour.source)
    assert harbour.stash.entries() == {"Stash2Plex": True}
    settings = {
        "plex_url": harbour.plex.url, "plex_token": "right-token",
        "skip_fields": "poster background",
    }  # fmt: skip
    harbour.stash.ask(SETTINGS, m=settings)
    harbour.edit("By processes")
    until(lambda: harbour.shows("By processes"))

    harbour.offer(ARCHIVE, day=2)
    in_the_middle(harbour, "During the update", harbour.stash.update)
    assert harbour.stash.entries() == {"Stash2Plex": True, "Stash2PlexHooks": True}
    until(lambda: harbour.shows("During the update"))
    until(lambda: harbour.rows("SELECT 1 FROM queue") == [])
    harbour.edit("By the script")
    until(lambda: harbour.shows("By the script"))

    harbour.offer(old, day=1)
    in_the_middle(harbour, "On the way back", harbour.stash.install)
    assert harbour.stash.entries() == {"Stash2Plex": True}
    harbour.edit("By processes again")
    until(lambda: harbour.shows("By processes again"))
    until(lambda: harbour.rows("SELECT 1 FROM queue") == [])
    assert harbour.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    # What was recorded twice was written once: at most one write of a scene for each edit.
    most = "SELECT max(n) FROM (SELECT count(*) AS n FROM history GROUP BY scene_id)"
    assert harbour.rows(most)[0][0] <= EDITS
