"""Answers the probe's questions with the stand-in Plex."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING

from stash2plex.app import make_probe_client
from stash2plex.config import Settings
from stash2plex.operations.probe.run import Probed, probe
from stash2plex_testing.plex import FakePlex, Traits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def fake_answers(
    items: int, *, uploads: bool = True, traits: Traits | None = None
) -> Mapping[str, str | float | int]:
    """Probe a new stand-in with the same number of items; it is the one that the tests use."""
    clock = _Clock()
    with FakePlex(traits=traits, clock=clock) as plex:
        films = plex.add_section("Harbour Films", locations=["/media"])
        for number in range(items):
            plex.add_item(films, f"/media/{number}.mp4")
        return probe_fake(plex, clock.sleep, uploads=uploads).answers


def probe_fake(plex: FakePlex, sleep: Callable[[float], None], *, uploads: bool) -> Probed:
    """Probe a stand-in on all of its items."""
    client = make_probe_client(Settings(plex_url=plex.url, plex_token=plex.token))
    keys = [str(item.rating_key) for item in plex.all_items()]
    with tempfile.TemporaryDirectory() as folder:
        try:
            return probe(
                client,
                keys,
                os.path.join(folder, "probe.json"),
                uploads=uploads,
                monotonic=time.monotonic,
                sleep=sleep,
                note=lambda _: None,
            )
        finally:
            client.close()


class _Clock:
    """The clock of a stand-in, so that no test waits."""

    def __init__(self) -> None:
        self._now = 1_700_000_000.0

    def __call__(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds
