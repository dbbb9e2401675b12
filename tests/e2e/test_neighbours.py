"""Two Stash servers on one machine, and many saves at once: one worker each, and no mixing."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

from tests.harness.process import Stage, workers


def none_left(stage: Stage, others: list[int]) -> bool:
    """No worker is left, nor an unreaped process; `others` lay there before (of another test)."""
    found, zombies = workers(stage.data_dir)
    return not found and set(zombies) <= set(others)


def test_two_servers_do_not_touch_each_other(make_stage):
    _, others = workers("")
    first, second = make_stage(3), make_stage(3)
    assert first.data_dir != second.data_dir
    with ThreadPoolExecutor(8) as pool:
        for stage, word in ((first, "east"), (second, "west")):
            for scene in (1, 2, 3):
                pool.submit(stage.edit, scene, title=f"Pier {scene} {word}")
    for stage in (first, second):
        stage.until(lambda stage=stage: stage.queue()["pending"] == 0 and not stage.wrong())
        found, _ = workers(stage.data_dir)
        assert len(found) == 1
    # One that dies takes nothing of its neighbour along.
    (killed,), _ = workers(first.data_dir)
    os.kill(killed, signal.SIGKILL)
    second.edit(1, title="West again")
    second.until(lambda: second.queue()["pending"] == 0 and not second.wrong())
    first.edit(1, title="East again")
    first.until(lambda: first.queue()["pending"] == 0 and not first.wrong())
    titles = {item.title for item in first.plex.all_items()}
    assert not any("west" in title.lower() for title in titles)
    for stage in (first, second):
        stage.end_worker()
        stage.until(lambda stage=stage: none_left(stage, others))


def test_many_saves_at_once_start_one_worker(make_stage):
    _, others = workers("")
    stage = make_stage(8)
    with ThreadPoolExecutor(8) as pool:
        for scene in range(1, 9):
            pool.submit(stage.edit, scene, title=f"Lantern {scene}")
    found, _ = workers(stage.data_dir)
    assert len(found) <= 1
    stage.until(lambda: stage.queue()["pending"] == 0 and not stage.wrong())
    stage.end_worker()
    stage.until(lambda: none_left(stage, others))
