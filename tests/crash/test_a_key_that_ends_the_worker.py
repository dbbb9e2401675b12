"""A key that ends the worker each time takes no other key along."""

from __future__ import annotations

import signal
import subprocess
import sys

from stash2plex.rules.policy import MAX_INTERRUPTIONS
from stash2plex.sync.picture_lane import MAX_BEGUN
from stash2plex.sync.pipeline import BATCH
from stash2plex_testing.stash import picture
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


def test_a_picture_that_ends_the_worker_costs_its_own_scene_only(tmp_path):
    with Desk(str(tmp_path), skip_fields="") as desk:
        pairs = []
        for number in range(12):
            path = f"{number}/pier-{number}.mp4"
            scene = desk.scene(path, size=500 + number, cover=picture(number + 1))
            pairs.append((scene, desk.item(path, size=500 + number)))
        bad_scene, bad_item = pairs.pop(2)
        desk.clock.step(-900_000_000)
        desk.add(bad_scene, *(scene for scene, _ in pairs))

        def run():
            return subprocess.run(
                [sys.executable, "-m", "tests.crash.ends_at_a_scene", f"{tmp_path}/data",
                 desk.stash.url, desk.plex.url, desk.plex.token, str(bad_item.rating_key),
                 "picture"],
                check=False, capture_output=True, timeout=120,
            ).returncode  # fmt: skip

        ends = [run() for _ in range(2)]
        while not all({*item.selected} == {"posters", "arts"} for _, item in pairs):
            ends.append(run())
            assert len(ends) <= MAX_BEGUN
        assert set(ends) == {-signal.SIGKILL}
        assert bad_item.title == bad_scene.title, "its text is in Plex"
        assert desk.rows("SELECT scene_id FROM waiting_picture") == [(bad_scene.id,)]
        with desk.app.store.connection as database:
            database.execute("UPDATE waiting_picture SET begun = ?", (MAX_BEGUN,))
        assert run() == 0
        assert desk.dead() == {bad_scene.id: "interrupted"}
        assert desk.rows("SELECT 1 FROM queue UNION ALL SELECT 1 FROM waiting_picture") == []
        # The user retries it once the cause is gone.
        desk.app.store.queue.redrive()
        desk.drain()
        assert {*bad_item.selected} == {"posters", "arts"}
