"""A key that ends the worker each time takes no other key along."""

from __future__ import annotations

import signal
import subprocess
import sys

from stash2plex.rules.policy import MAX_INTERRUPTIONS
from stash2plex.sync.pipeline import BATCH
from tests.harness.in_process import Desk

SCENES = 60


def test_its_neighbours_are_in_plex_before_it_is_given_up(tmp_path):
    with Desk(str(tmp_path)) as desk:
        pairs = []
        for number in range(SCENES):
            path = f"{number}/pier-{number}.mp4"
            pairs.append((desk.scene(path, size=500 + number), desk.item(path, size=500 + number)))
        bad_scene, bad_item = pairs.pop(33)
        desk.clock.step(-900_000_000)
        desk.add(*(scene for scene, _ in pairs[:33]), bad_scene, *(one for one, _ in pairs[33:]))
        crashes = 0
        while not all(item.title == scene.title for scene, item in pairs):
            ended = subprocess.run(
                [sys.executable, "-m", "tests.crash.ends_at_a_scene", f"{tmp_path}/data",
                 desk.stash.url, desk.plex.url, desk.plex.token, str(bad_item.rating_key)],
                check=False, capture_output=True, timeout=120,
            )  # fmt: skip
            assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
            crashes += 1
            assert crashes <= BATCH.bit_length() + 1
        assert bad_item.title != bad_scene.title
        ((id_, interruptions),) = desk.rows("SELECT id, interruptions FROM queue")
        assert (id_, interruptions) == (bad_scene.id, crashes - 1)
        with desk.app.store.connection as database:
            database.execute("UPDATE queue SET interruptions = ?", (MAX_INTERRUPTIONS - 1,))
        desk.drain()
        assert desk.dead() == {bad_scene.id: "interrupted"}
