"""After every Reconcile, Plex equals Stash, whatever happened before."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.operations.foreground import drain_here
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from tests.harness.reconciles import found, run
from tests.support import ManualClock


def edit_in_plex(random, plex, item):
    """Do to one item what a user does in Plex."""
    library = plex._library
    deed = random.randrange(6)
    if deed == 0:
        library.edit([item], {"title.value": [f"Mine {random.random()}"]}, whole=False)
    elif deed == 1:
        library.edit([item], {"summary.value": [""], "studio.value": ["Mine"]}, whole=False)
    elif deed == 2:
        library.edit([item], {"genre[].tag.tag-": [",".join(item.tags.get("genre", ["x"]))]},
                     whole=False)  # fmt: skip
    elif deed == 3:
        held = [*item.tags.get("actor", []), "Performer 17"]
        library.edit(
            [item], {f"actor[{n}].tag.tag": [name] for n, name in enumerate(held)}, whole=False
        )
    elif deed == 4:
        library.rate(item, random.choice((-1.0, 0.5)))
    else:
        plex.readd_item(item)


def edit_in_stash(random, stash, scene):
    """What happens in Stash without a hook; some of it moves no time of the scene."""
    deed = random.randrange(4)
    if deed == 0:
        scene.title = f"A lantern, {random.random()}"
    elif deed == 1:
        scene.details = f"Seen at {random.random()}."
        stash.library.touch(scene)
    elif deed == 2:
        scene.rating100 = random.choice((10, 70, 100))
    else:
        scene.date = random.choice(("2020-01-01", "2021-05"))


@pytest.mark.parametrize("seed", [1, 2])
def test_plex_equals_stash_after_every_run_whatever_happened(open_world, seed):
    random = Random(seed)
    with open_world(25, plex_library="Harbour Films") as (world, app):
        clock = world.plex._library.clock = ManualClock()
        for _ in range(10):
            for item in random.sample(world.plex.all_items(), random.randrange(5)):
                edit_in_plex(random, world.plex, item)
            for scene in random.sample(list(world.stash.scenes), random.randrange(4)):
                edit_in_stash(random, world.stash, scene)
            # More than a delta looks back: only what this round changed may be read.
            clock.step(100)
            before = run(app, dry_run=True)
            report = run(app)
            assert report.as_dict()["kinds"] == before.as_dict()["kinds"]
            assert report.in_sync + report.left_out + sum(found(report).values()) == 25
            drain_here(app, Foreground("a test"), Silent(), lambda: False)
            clock.step(100)
            assert world.wrong() == []
            assert found(run(app, dry_run=True)) == {}
        assert world.plex.whole_library_edits == 0
