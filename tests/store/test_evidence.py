"""What shows that a server works: a deed after the mark, and one of the same kind."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.rules.pacing import Pacer
from stash2plex.sync.evidence import EDITS, Evidence


@pytest.fixture
def store(tmp_path, clock):
    made = open_store(str(tmp_path), clock, Random(1))
    yield made
    made.connection.close()


def test_a_deed_shows_that_a_server_works_only_after_the_request_began(store, clock):
    evidence = Evidence(store, Pacer(), clock=clock, monotonic=clock)
    before = evidence.mark(EDITS)
    assert not evidence.since(EDITS, before)
    evidence.wrote(0.0, edited=False)
    assert not evidence.since(EDITS, before)
    evidence.wrote(0.0, edited=True)
    assert evidence.since(EDITS, before)
    assert not evidence.since(EDITS, evidence.mark(EDITS))
