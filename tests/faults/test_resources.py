"""Many jobs leave no descriptor, thread, object or memory behind."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections import Counter

import pytest

from stash2plex.logs.handlers import LOGGER

SCENES = 100


def ours():
    """Count the living objects of our classes."""
    gc.collect()
    kinds = (type(one) for one in gc.get_objects())
    return Counter(
        kind.__name__ for kind in kinds if str(kind.__module__).startswith("stash2plex.")
    )


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("jobs", [800, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_many_jobs_leave_nothing_behind(bench, make_run, jobs):
    pairs = [bench.add(cover=None) for _ in range(SCENES)]
    run = make_run()
    # Whatever is logged is kept for the report of a failure.
    logging.getLogger(LOGGER).setLevel(logging.ERROR)
    marks = []
    for number in range(jobs // SCENES):
        for scene, _ in pairs:
            scene.title = f"Pier {scene.id}, {number}"
        run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
        assert run.drain().progress.done == SCENES
        run.clock.now += 40
        bench.plex.clear_log()
        bench.stash.clear_log()
        marks.append(
            (len(os.listdir("/proc/self/fd")), threading.active_count(), ours(), resident())
        )
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    descriptors, threads, objects, memory = zip(*marks[3:], strict=True)
    # The stand-ins' own threads and sockets come and go with their connections.
    assert descriptors[-1] <= descriptors[0] + 16
    assert threads[-1] <= threads[0] + 16
    assert sum((objects[-1] - objects[0]).values()) <= 20
    assert memory[-1] <= memory[0] + 20_000_000
