"""When Plex is looked at while scenes wait, and which folder it is asked to scan next."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import Transient, Unavailable
from stash2plex.model import Section, StashFile
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.store.scans import Scan
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.plex_watch import PlexWatch
from stash2plex.sync.session import Session
from tests.support import ManualClock

START = 1_000_000.0
NOBODY: Any = None  # no test of this file asks Stash
FILMS = Section("1", "u1", "Films", "movie", "a", ("/media", "/attic"), refreshing=False)
CLIPS = Section("2", "u2", "Clips", "movie", "b", ("/clips",), refreshing=False)
SCANNING = Settings(trigger_plex_scan=True)


class Watched(Plex):
    """A Plex without files, that keeps what it is asked for."""

    def __init__(self):
        self.libraries = [FILMS, CLIPS]
        self.down = False
        self.asked = 0
        self.scanned: list[tuple[str, str]] = []
        self.fails: set[str] = set()

    def sections(self):
        self.asked += 1
        if self.down:
            raise Unavailable("Plex", "Plex is away.", scope="server")
        return list(self.libraries)

    def list_files(self, section_id, added_after=None):
        if section_id in self.fails:
            raise Transient("Plex", "Plex answered with an error.")
        yield ListPage((), 0, 0, 0)

    def list_page(self, section_id, start, added_after=None, **_):
        return ListPage((), 0, 0, 0)

    def scan(self, section_id, folder):
        self.scanned.append((section_id, folder))


class Tower:
    """A watch with all that it uses, on a clock that the test moves."""

    def __init__(self, folder, settings=SCANNING):
        self.clock = ManualClock(START)
        self.store = open_store(folder, self.clock, Random(1))
        self.plex = Watched()
        index = PlexIndex(self.store.plex_files, self.plex, self.clock)
        self.session = Session(settings, NOBODY, self.plex, index)
        index.refresh(settings.plex_library)
        self.plex.asked = 0
        self.watch = PlexWatch(self.store, self.clock, self.clock.monotonic)

    def wait_for(self, path="/data/a/pier.mp4", section_id="1", folder="/media/a", scene_id=3):
        """Let a scene wait for a file, and Plex be asked to scan a folder for it."""
        self.store.awaited_files.note(scene_id, [StashFile(path, 9)], [])
        if folder is not None:
            self.store.awaited_files.asked(scene_id, path, section_id, folder)
            self.store.scans.request(section_id, folder, self.clock())

    def look(self, seconds=0.0):
        """Let time go by and look; returns how many requests that costs."""
        self.clock.step(seconds)
        before = self.plex.asked
        self.watch.look(self.session)
        return self.plex.asked - before


@pytest.fixture
def tower(data_folder):
    made = Tower(str(data_folder))
    yield made
    made.store.connection.close()


def test_while_a_scene_waits_plex_is_looked_at_each_half_minute(tower):
    tower.wait_for(folder=None)
    assert not tower.watch.scanning()
    assert [tower.look(seconds) for seconds in (0.0, 29.9, 0.1, 0.0, 29.9, 0.1)] == [
        0, 0, 1, 0, 0, 1,
    ]  # fmt: skip


def test_while_nothing_waits_no_look_costs_a_request(tower):
    assert [tower.look(30.0), tower.look(30.0)] == [0, 0]
    tower.wait_for(folder=None)
    assert [tower.look(29.0), tower.look(1.0)] == [0, 1]


def test_while_a_scan_waits_or_runs_plex_is_looked_at_every_five_seconds(tower):
    tower.look(30.0)
    tower.wait_for()
    assert tower.watch.scanning()
    assert [tower.look(seconds) for seconds in (4.9, 0.1, 4.9, 0.1)] == [0, 1, 0, 1]
    assert tower.plex.scanned == []
    tower.look(5.0)
    assert tower.plex.scanned == [("1", "/media/a")]
    assert tower.store.scans.waiting() == []
    assert tower.watch.scanning()
    assert [tower.look(4.9), tower.look(0.1)] == [0, 1]


def test_what_is_queued_for_a_scan_is_dropped_when_that_is_switched_off(tower):
    tower.wait_for()
    tower.session = evolve(tower.session, settings=Settings())
    assert tower.look(30.0) == 1
    assert (tower.store.scans.waiting(), tower.plex.scanned) == ([], [])


def test_after_a_look_that_failed_the_next_comes_in_five_minutes(tower, heard):
    tower.wait_for()
    tower.plex.down = True
    assert tower.look(30.0) == 1
    assert heard == ["A look at Plex failed: Plex is away."]
    tower.plex.down = False
    assert [tower.look(299.9), tower.look(0.1)] == [0, 1]
    assert tower.look(5.0) == 1


def test_a_library_that_fails_is_tried_again_as_soon_as_that_is_allowed(tower):
    tower.plex.fails = {"1"}
    tower.plex.libraries = [evolve(FILMS, change_mark="c"), CLIPS]
    tower.session.index.refresh(SCANNING.plex_library)
    assert tower.store.library_troubles.all()["1"].failures == 1
    assert tower.look(30.0) == 1
    assert tower.store.library_troubles.all()["1"].failures == 2
    # The third try is due 20 s after the second, the next one 40 s after that.
    assert [tower.look(19.9), tower.look(0.1)] == [0, 1]
    assert tower.store.library_troubles.all()["1"].failures == 3
    assert [tower.look(29.9), tower.look(0.1)] == [0, 1]
    assert [tower.look(9.9), tower.look(0.1)] == [0, 1]
    assert tower.store.library_troubles.all()["1"].failures == 4


def test_a_try_that_is_due_at_once_is_five_seconds_away(tower):
    tower.plex.fails = {"1"}
    tower.plex.libraries = [evolve(FILMS, change_mark="c"), CLIPS]
    tower.session.index.refresh(SCANNING.plex_library)
    tower.clock.step(30.0)
    tower.clock.offset = -25.0
    assert tower.look() == 1
    assert tower.store.library_troubles.all()["1"].failures == 1
    assert [tower.look(4.9), tower.look(0.1)] == [0, 1]
    assert tower.store.library_troubles.all()["1"].failures == 2


def run(tower, folder="/media/a", section_id="1", *, step=0):
    """Let a scan run since now."""
    scan = Scan(section_id, folder, step, START, None)
    tower.store.connection.execute(
        "INSERT OR REPLACE INTO plex_scan (section_id, folder, step, due_at) VALUES (?, ?, ?, ?)",
        (section_id, folder, step, scan.due_at),
    )
    tower.store.scans.start(scan, tower.clock())


def state(tower):
    """Return the running scan and the waiting ones, each as a library, folder and step."""
    running = tower.store.scans.running()
    shown = [(scan.section_id, scan.folder, scan.step) for scan in tower.store.scans.waiting()]
    return (None if running is None else (running.section_id, running.folder, running.step)), shown


def test_a_scan_counts_as_over_twenty_seconds_after_it_was_asked_for(tower):
    tower.look(30.0)
    tower.wait_for(folder="/media/a/b")
    run(tower, "/media/a/b")
    assert tower.look(19.9) == 1
    assert state(tower) == (("1", "/media/a/b", 0), [])
    # The folder above follows at once, the library after that.
    tower.look(5.0)
    assert state(tower) == (("1", "/media/a", 1), [])
    tower.look(20.0)
    assert state(tower) == (("1", "", 2), [])
    tower.look(20.0)
    assert state(tower) == (None, [])
    assert tower.plex.scanned == [("1", "/media/a"), ("1", "")]


@pytest.mark.parametrize(
    ("seconds", "refreshing", "running"),
    [(20.0, False, False), (7_199.0, True, True), (7_200.0, True, False), (7_200.0, False, False)],
)
def test_a_scan_that_plex_goes_on_with_is_awaited_for_two_hours(
    tower, seconds, refreshing, running
):
    tower.wait_for()
    run(tower)
    tower.plex.libraries = [evolve(FILMS, refreshing=refreshing), CLIPS]
    tower.look(seconds + 10.0)
    tower.store.scans.clear()
    run(tower)
    tower.look(seconds)
    assert (state(tower)[0] == ("1", "/media/a", 0)) is running


@pytest.mark.parametrize("cause", ["library gone", "found", "clock set back"])
def test_a_scan_that_is_wanted_no_more_makes_room_for_the_next(tower, cause):
    tower.wait_for()
    tower.store.scans.request("2", "/clips/b", START - 50.0)
    tower.wait_for("/data/b/quay.mp4", "2", "/clips/b", 4)
    run(tower)
    if cause == "library gone":
        tower.plex.libraries = [CLIPS]
    elif cause == "found":
        tower.store.awaited_files.forget([3])
    else:
        tower.clock.offset = -31.0
    tower.look(30.0)
    assert tower.plex.scanned == [("2", "/clips/b")]
    assert state(tower) == (("2", "/clips/b", 0), [])


def test_the_next_scan_is_the_first_that_is_due_wanted_and_of_a_library_at_rest(tower, heard):
    # Of the waiting folders, one is of a library that is gone, one is wanted by no scene, and
    # one is of a library that Plex reads already.
    scans = tower.store.scans
    tower.wait_for("/data/a/pier.mp4", "1", "/media/a", 3)
    tower.wait_for("/data/b/quay.mp4", "2", "/clips/b", 4)
    scans.request("9", "/gone", START - 50.0)
    scans.request("1", "/attic/x", START - 40.0)
    tower.plex.libraries = [evolve(FILMS, refreshing=True), CLIPS]
    tower.look(30.0)
    assert tower.plex.scanned == [("2", "/clips/b")]
    assert state(tower) == (("2", "/clips/b", 0), [("1", "/media/a", 0)])
    assert heard == ["Plex is asked to scan “/clips/b”."]


def test_a_scan_that_is_not_due_yet_puts_off_no_drop(tower):
    tower.look(30.0)
    tower.store.scans.request("9", "/gone", tower.clock() - 50.0)
    tower.wait_for()
    tower.wait_for("/data/b/quay.mp4", "2", "/clips/b", 4)
    tower.look(10.0)
    assert (tower.plex.scanned, state(tower)[1]) == (
        [],
        [("1", "/media/a", 0), ("2", "/clips/b", 0)],
    )
    tower.look(5.0)
    assert tower.plex.scanned == [("1", "/media/a")]


def test_a_whole_library_is_named_by_its_title(tower, heard):
    tower.wait_for(folder="")
    tower.look(30.0)
    assert tower.plex.scanned == [("1", "")]
    assert heard == ["Plex is asked to scan “Films”."]


@pytest.mark.parametrize(("shared", "scanned"), [(True, [("1", "/media/a")]), (False, [])])
def test_a_folder_of_two_libraries_is_scanned_though_the_scene_has_its_item(tower, shared, scanned):
    locations = ("/media",) if shared else ("/clips",)
    tower.plex.libraries = [FILMS, evolve(CLIPS, locations=locations)]
    tower.session.index.refresh(SCANNING.plex_library)
    tower.store.scans.request("1", "/media/a", START)
    tower.look(30.0)
    assert tower.plex.scanned == scanned
    # Once it was scanned, only a scene that waits wants more.
    tower.look(20.0)
    assert state(tower) == (None, [])
