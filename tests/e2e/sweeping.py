"""An application beside the stage, on a clock of the test's, for what looks at the library."""

from __future__ import annotations

import time

import pytest

from stash2plex.operations.enqueue import enqueue_all
from stash2plex.servers import stash as stash_client
from stash2plex.sync import sweep as sweeping
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Silent
from tests.support import ManualClock

OFF = {"background_worker": "off"}
TEXT_ONLY = {"skip_fields": "poster background"}
FOREGROUND = Foreground("Process Queue")
SHORT = Background("background worker", idle=1.0)
LONG = Background("background worker", idle=900.0)
GLANCE, PAGE = "query Glance", "query ScenePage"


@pytest.fixture
def workshop(make_stage, open_beside):
    def make(scenes=12, **settings):
        clock = ManualClock(time.time())
        stage = make_stage(scenes, settings={**TEXT_ONLY, **settings}, clock=clock)
        return stage, open_beside(stage, clock), clock

    return make


@pytest.fixture
def small_pages(monkeypatch):
    """Let a page hold four scenes, so that a small library has many pages."""
    monkeypatch.setattr(stash_client, "PAGE", 4)
    monkeypatch.setattr(sweeping, "PAGE", 4)


def drain(app, goal=FOREGROUND, stopped=lambda: False):
    return app.drain(goal, Silent(), stopped)


def synced(app, clock):
    """Bring everything in sync, and let the looks come to rest."""
    enqueue_all(app)
    for _ in range(3):
        drain(app)
        clock.now += 61
    app.stash.ping()
