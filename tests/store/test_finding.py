"""Which scene gets an item, whatever the order of reading and writing."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.model import PlexFile, Record, Section, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.desired import desired_state
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import Done
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.store.key_state import find_standing
from stash2plex.store.progress import Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.finder import Failure, Finder, explain_scene
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.session import Session, Wanted
from stash2plex.workqueue import URGENT
from tests.support import ManualClock, make_scene

SETTINGS = Settings(path_map=(("/data", "/media"),))
ORIGINAL = make_scene(1, files=(StashFile("/data/a/pier.mp4", 9),))
COPY = make_scene(2, title="A copy", files=(StashFile("/data/copies/pier.mp4", 9),))
NOBODY: Any = None  # no test of this file asks a server


class OneItem(Plex):
    """A Plex with the original and not the copy."""

    def sections(self):
        return [Section("1", "u", "Films", "movie", "1", ("/media",), refreshing=False)]

    def list_files(self, _id, added_after=None):
        yield ListPage((PlexFile("1", "7", "/media/a/pier.mp4", 9),), 1, 1, 1)


@pytest.fixture
def desk(tmp_path):
    clock = ManualClock()
    store = open_store(str(tmp_path), clock, Random(1))
    index = PlexIndex(store.plex_files, OneItem(NOBODY), clock)
    index.refresh(NameList())
    session = Session(SETTINGS, NOBODY, NOBODY, index)
    clocks = {"clock": clock, "monotonic": clock}
    evidence = Evidence(store, Pacer(), **clocks)
    hand = KeysInHand(store, Tally("test", clock), evidence, random=Random(1), **clocks)
    finder = Finder(store, hand, **clocks)
    finder.session = session
    yield store, session, finder
    store.connection.close()


def look(desk, scene):
    store, _, finder = desk
    store.queue.add("scene", scene.id, priority=URGENT)
    claim = next(key.claim for key in finder.hand.claim(9) if key.claim.id == scene.id)
    record = store.records.get(scene.id)
    found = finder.find([Wanted(claim, scene, desired_state(scene, SETTINGS), record, 0)])
    for failure in found.failed:
        finder.hand.finish(failure.wanted.claim, Done("it waits"))
    return found


def write(desk, job):
    store, _, finder = desk
    file = job.match.file
    store.records.put(
        Record(job.scene.id, file.rating_key, "1", file.path, job.match.matched_by, "f", {}),
        job.scene,
    )
    finder.hand.finish(job.claim, Done("written"))


def test_who_wrote_last_to_an_item_of_another_has_that_one_look_again(desk):
    store, _, _ = desk
    (copy,) = look(desk, COPY).matched
    (original,) = look(desk, ORIGINAL).matched
    write(desk, original)
    write(desk, copy)
    store.queue.clear_waiting()
    (failure,) = look(desk, COPY).failed
    assert "“/media/a/pier.mp4”, is that of scene 1, by the whole path." in str(failure.error)
    assert find_standing(store.connection, ("scene", 1)) == ("queue", "")
    assert store.records.get(1).fingerprint == ""
    # The copy has nothing to do with the item any more; a later look wakes nobody.
    store.queue.clear_waiting()
    assert look(desk, COPY).failed
    assert store.queue.is_empty()


def test_an_item_that_proves_wrong_again_and_again_waits(desk):
    _, _, finder = desk
    (job,) = look(desk, ORIGINAL).matched
    for rounds in range(3):
        again = finder.learn_wrong(evolve(job, rounds=rounds), None)
        assert again.rounds == rounds + 1
    failure = finder.learn_wrong(evolve(job, rounds=3), None)
    assert isinstance(failure, Failure)
    assert (failure.wanted.scene.id, failure.error.reason) == (1, "not_in_plex")
    assert "“A harbour” is being moved" in str(failure.error)


def test_an_explanation_counts_other_claims(desk):
    store, session, _ = desk
    write(desk, look(desk, ORIGINAL).matched[0])
    assert explain_scene(store, session.settings, ORIGINAL).confidence == "certain"
    refused = explain_scene(store, session.settings, COPY)
    assert (refused.match, refused.reason, refused.shared_with) == (None, "not_in_plex", (1,))
    assert "is that of scene 1" in refused.refusal


def test_a_match_that_others_claim_as_well_is_shown_with_low_confidence(desk):
    store, session, _ = desk
    loose = evolve(session.settings, loose_matching=True)
    write(desk, look(desk, ORIGINAL).matched[0])
    alone = explain_scene(store, loose, ORIGINAL)
    assert (alone.confidence, alone.shared_with) == ("certain", ())
    twin = evolve(ORIGINAL, id=3, title="A twin")
    store.records.put(Record(3, "7", "1", "/media/a/pier.mp4", "the whole path", "f", {}), twin)
    shared = explain_scene(store, loose, ORIGINAL)
    assert (shared.confidence, shared.shared_with) == ("low", (3,))
    assert shared.match is not None
    strict = explain_scene(store, session.settings, ORIGINAL)
    assert (strict.match, strict.confidence, strict.reason) == (None, "", "ambiguous")


def test_a_scene_that_is_not_to_be_synced_claims_nothing(desk):
    store, _, finder = desk
    write(desk, look(desk, ORIGINAL).matched[0])
    look(desk, COPY)
    assert store.awaited_files.any()
    finder.leave_out(COPY.id)
    assert not store.awaited_files.any()
    assert store.item_claims.claimants("7", ORIGINAL.id) == []
