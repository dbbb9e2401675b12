"""A failed write: whether its library is the cause, and how far any failure reaches."""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any

import pytest

from stash2plex.app import open_store
from stash2plex.errors import (
    ITEM,
    LIBRARY,
    SERVER,
    LibraryUnread,
    NotFound,
    Refused,
    ServerError,
    Transient,
    Unavailable,
)
from stash2plex.model import PlexItem, Section
from stash2plex.rules.pacing import Pacer
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.sync.evidence import EDITS, ENTITIES, ITEMS, SCENES, Evidence
from stash2plex.sync.in_flight import InFlight
from stash2plex.sync.indexing import PROBE_SECONDS, PlexIndex
from stash2plex.sync.judge import Judge, edit_another
from stash2plex.sync.library_blame import PROBE_AGAIN, LibraryBlame, unread
from stash2plex.sync.session import Session
from tests.drains.test_write_jobs import TEXT, job_for
from tests.support import ManualClock, make_item, until

BUSY = Unavailable("Plex", "Plex answered with 500.")


class Harbour(Plex):
    """A Plex whose libraries fail as a test wants; it keeps what it is asked."""

    def __init__(self):
        self.failing: dict[str, Exception] = {}
        self.asked: list[Any] = []
        self.odd: dict[str, Exception] = {}
        self.gone: set[str] = set()

    def sections(self):
        return [
            Section(id_, f"u{id_}", title, "movie", "a", (f"/{title}",), refreshing=False)
            for id_, title in (("1", "Films"), ("2", "Quays"))
        ]

    def list_page(self, section_id, start, added_after=None, *, size=0, most_seconds=inf):
        self.asked.append((section_id, start, size, most_seconds))
        if section_id in self.failing:
            raise self.failing[section_id]

    def items(self, keys, witness=""):
        self.asked.append(list(keys))
        return ReadItems({key: make_item(rating_key=key) for key in keys if key not in self.gone})

    def confirm_lock(self, item: PlexItem, most_seconds: float = inf) -> None:
        self.asked.append((item.rating_key, most_seconds))
        if item.rating_key in self.odd:
            raise self.odd[item.rating_key]


class Shore(Stash):
    """A Stash that is asked what shows an entity."""

    def __init__(self):
        self.asked: list[Any] = []
        self.error: Exception | None = None

    def within(self, seconds):
        self.asked.append(seconds)
        return self

    def scene_ids_showing(self, kind, id_):
        self.asked.append((kind, id_))
        if self.error:
            raise self.error
        return []


class World:
    """A database that knows two libraries, and both servers."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.store = open_store(folder, self.clock, Random(1))
        self.plex, self.stash = Harbour(), Shore()
        with self.store.connection as database:
            for id_, key, title in (("1", "7", "Films"), ("2", "8", "Quays")):
                database.execute(
                    "INSERT INTO plex_file VALUES (?, ?, ?, 'a.mp4', ?, 1, 1)",
                    (key, f"/{title}/a.mp4", id_, title),
                )
                database.execute(
                    "INSERT INTO plex_section VALUES (?, ?, ?, 'a', 0, 0, '', '[]')",
                    (id_, f"u{id_}", title),
                )
        self.flight = InFlight(1, 1)
        clocks: dict[str, Any] = {"clock": self.clock, "monotonic": self.clock.monotonic}
        self.evidence = Evidence(self.store, Pacer(), **clocks)
        self.judge = Judge(self.store, self.evidence, self.flight, self.clock.monotonic)
        self.judge.use(self.session())
        self.judged: list[tuple[str, Exception]] = []

    def session(self):
        index = PlexIndex(self.store.plex_files, self.plex, self.clock)
        return Session(TEXT, self.stash, self.plex, index)

    def blame(self):
        made = LibraryBlame(self.store, self.clock.monotonic)
        made.session = self.session()
        return made

    def ask(self, error, deed, mark=0, keys=()):
        self.judge.judge(error, deed, mark, keys, lambda *given: self.judged.append(given))

    def finish(self):
        until(self.is_idle)

    def is_idle(self):
        self.flight.collect(1.0)
        return not self.flight


@pytest.fixture
def world(tmp_path):
    made = World(str(tmp_path))
    yield made
    made.flight.close()
    made.store.connection.close()


PROBE = ("1", 0, 1, PROBE_SECONDS)
OTHER_PROBE = ("2", 0, 1, PROBE_SECONDS)


def test_a_library_that_is_not_listed_is_to_blame_and_probed_once(world):
    world.plex.failing["1"] = BUSY
    blame = world.blame()
    error = blame.judge(BUSY, "1", "The Pier")
    assert isinstance(error, LibraryUnread)
    assert str(error) == (
        "“The Pier” waits for “Films”, which Plex does not list: Plex answered with 500."
    )
    assert world.plex.asked == [PROBE, OTHER_PROBE]
    # It is known now, and costs no request.
    assert isinstance(blame.judge(BUSY, "1", "The Quay"), LibraryUnread)
    assert len(world.plex.asked) == 2


def test_a_library_that_is_listed_is_not_to_blame_and_asked_about_ten_seconds_later(world):
    blame = world.blame()
    assert blame.judge(BUSY, "1", "The Pier") is BUSY
    assert world.plex.asked == [PROBE]
    world.clock.step(PROBE_AGAIN - 0.1)
    assert blame.judge(BUSY, "1", "The Pier") is BUSY
    assert blame.judge(BUSY, "2", "The Quay") is BUSY
    assert world.plex.asked == [PROBE, OTHER_PROBE]
    world.clock.step(0.1)
    blame.judge(BUSY, "1", "The Pier")
    assert world.plex.asked == [PROBE, OTHER_PROBE, PROBE]


@pytest.mark.parametrize(
    ("failing", "asked"),
    [
        # All of Plex is away: that one library is no worse.
        ({"1": BUSY, "2": BUSY}, [PROBE, OTHER_PROBE]),
        # A refusal is about the server.
        ({"1": Refused("Plex", "No.")}, [PROBE]),
        ({"1": Unavailable("Plex", "Away.", scope=SERVER)}, [PROBE]),
    ],
)
def test_where_the_server_fails_no_library_is_to_blame(world, failing, asked):
    world.plex.failing.update(failing)
    assert world.blame().judge(BUSY, "1", "The Pier") is BUSY
    assert world.plex.asked == asked
    assert world.store.library_troubles.all() == {}


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Stash", "Stash answered with 500."),
        Refused("Plex", "No."),
        Unavailable("Plex", "Away.", scope=SERVER),
        ValueError("ours"),
    ],
)
def test_a_failure_that_is_about_no_library_asks_for_none(world, error):
    world.plex.failing["1"] = BUSY
    assert world.blame().judge(error, "1", "The Pier") is error
    assert world.plex.asked == []


def test_the_only_library_is_not_told_from_its_server(world):
    world.plex.failing["1"] = BUSY
    with world.store.connection as database:
        database.execute("DELETE FROM plex_section WHERE section_id = '2'")
    assert world.blame().judge(BUSY, "1", "The Pier") is BUSY
    assert world.plex.asked == []


# -- the judge ------------------------------------------------------------------------------


def test_what_an_error_shows_alone_asks_nobody(world):
    odd, down = Transient("Plex", "Odd."), Unavailable("Plex", "Away.", scope=SERVER)
    for error in (odd, down, ValueError("ours")):
        world.ask(error, EDITS)
    assert [scope for scope, _ in world.judged] == [ITEM, SERVER, ITEM]
    # A client has tried others before it raised.
    world.judged.clear()
    for deed in (ITEMS, SCENES):
        world.ask(BUSY, deed)
    assert world.judged == [(SERVER, BUSY)] * 2
    assert world.plex.asked == []
    assert world.stash.asked == []


def test_what_the_server_did_meanwhile_shows_that_it_works(world):
    mark = world.evidence.mark(EDITS)
    world.evidence.did(EDITS)
    world.ask(BUSY, EDITS, mark)
    assert world.judged == [(ITEM, BUSY)]
    # What it did before does not.
    world.ask(BUSY, EDITS, world.evidence.mark(EDITS))
    assert len(world.judged) == 1
    world.finish()


def test_one_question_answers_for_all_that_wait(world):
    other = Unavailable("Plex", "Plex took too long.")
    world.ask(BUSY, EDITS, keys=["7"])
    world.ask(other, EDITS, keys=["8"])
    assert world.judged == []
    world.finish()
    assert world.judged == [(ITEM, BUSY), (ITEM, other)]
    assert world.plex.asked == [["8"], ("8", 10.0)]
    # It counts as an edit that was done, and the next failure is asked about again.
    assert world.evidence.mark(EDITS) == 1
    world.ask(BUSY, EDITS, world.evidence.mark(EDITS), keys=["7"])
    world.finish()
    assert len(world.plex.asked) == 4


def test_a_witness_that_fails_too_shows_that_it_is_the_server(world):
    world.plex.odd = {"7": BUSY, "8": BUSY}
    world.ask(BUSY, EDITS, keys=["7"])
    world.finish()
    assert world.judged == [(SERVER, BUSY)]
    assert world.plex.asked == [["8"], ("8", 10.0), ["7"], ("7", 10.0)]


def test_stash_is_asked_about_nobody_for_ten_seconds(world):
    error = Unavailable("Stash", "Stash answered with 500.")
    world.ask(error, ENTITIES)
    world.finish()
    assert world.judged == [(ITEM, error)]
    assert world.stash.asked == [10.0, ("tag", 0)]
    world.stash.error = error
    world.ask(error, ENTITIES, world.evidence.mark(ENTITIES))
    world.finish()
    assert world.judged[1:] == [(SERVER, error)]


def test_a_failed_write_is_judged_by_its_library_first(world):
    world.plex.failing["1"] = BUSY
    jobs = [job_for(make_item(rating_key=key), title=f"Pier {key}") for key in ("7", "9")]
    world.judge.judge_write(BUSY, 0, jobs, lambda *given: world.judged.append(given))
    ((scope, error),) = world.judged
    assert (scope, str(error)) == (LIBRARY, str(unread(trouble(world), "Pier 7")))
    world.judged.clear()
    quay = job_for(make_item(rating_key="8", section_id="2"))
    world.judge.judge_write(BUSY, 0, [quay], lambda *given: world.judged.append(given))
    world.finish()
    assert world.judged == [(ITEM, BUSY)]


def trouble(world):
    (known,) = world.store.library_troubles.all().values()
    return known


def test_the_first_of_the_items_that_takes_an_edit_is_enough():
    plex = Harbour()
    edit_another(plex, ["7", "8"])
    assert plex.asked == [["7"], ("7", 10.0)]
    plex.asked.clear()
    plex.odd["7"] = BUSY
    edit_another(plex, ["7", "8"])
    assert plex.asked == [["7"], ("7", 10.0), ["8"], ("8", 10.0)]


def test_where_no_item_takes_an_edit_the_last_answer_is_raised():
    plex = Harbour()
    plex.odd = {"7": BUSY, "8": NotFound("Plex", "Gone.")}
    with pytest.raises(ServerError, match="Gone"):
        edit_another(plex, ["7", "8"])
    # One that is gone shows nothing.
    plex.gone = {"7", "8"}
    for keys in (["7", "8"], []):
        with pytest.raises(Unavailable, match=r"^Plex has no other item to edit\.$"):
            edit_another(plex, keys)
    plex.gone, plex.odd = {"7"}, {}
    edit_another(plex, ["7", "8"])
