"""The whole conversation of the probe with a Plex, its answers by kind of server, and its file."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stash2plex.app import make_probe_client
from stash2plex.config import Settings
from stash2plex.errors import Unavailable, UsageError
from stash2plex.operations.probe import questions
from stash2plex.operations.probe.questions import Answer, Prober, all_questions, how_spelt
from stash2plex.operations.probe.run import Probed, compare, probe
from stash2plex.operations.probe.snapshot import (
    Held,
    Snapshot,
    load,
    put_back,
    restore,
    save,
    take,
    try_to_put_back,
)
from stash2plex.servers.plexraw import PlexRaw
from stash2plex.ui.lines.probe import left_lines, probe_lines
from stash2plex.version import VERSION
from stash2plex_testing.plex import FakePlex, Fault
from stash2plex_testing.plex.traits import Traits
from tests.support import ManualClock

SHOWN = 70
"""How many characters of a sent value are compared; of a longer one its length too."""


class Bench:
    """A Plex of three items with what a user has put there, and a client of it."""

    def __init__(self, plex: FakePlex, clock: ManualClock, folder: Path) -> None:
        self.plex = plex
        self.clock = clock
        self.path = str(folder / "probe.json")
        self.films = plex.add_section("Harbour Films", locations=["/media"])
        self.client: PlexRaw = make_probe_client(Settings(plex_url=plex.url, plex_token=plex.token))
        for number in range(3):
            item = plex.add_item(self.films, f"/media/{number}.mp4")
            item.title = f"Quay {number}"
            item.tags = {"genre": ["Fog", "Tide, low"], "label": ["Mine"]}
            item.locked = {"title", "genre"}

    def probe(self, number: int, *, uploads: bool = False) -> tuple[Probed, list[str]]:
        asked: list[str] = []
        keys = [str(item.rating_key) for item in self.plex.all_items()[:number]]
        found = probe(
            self.client, keys, self.path, uploads=uploads, monotonic=self.ticking,
            sleep=self.clock.sleep, note=asked.append,
        )  # fmt: skip
        return found, asked

    def ticking(self) -> float:
        """Return a time that is 0.4 seconds later each time."""
        self.clock.step(0.4)
        return self.clock.now

    def sent(self) -> list[str]:
        """Return every request with its parameters, but for the reads of items."""
        return [
            " ".join((one.method, one.path, *(f"{k}={short(v[0])}" for k, v in one.query.items())))
            for one in self.plex.requests
            if one.method != "GET" or "skipRefresh" not in one.query
        ]


def short(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}… {len(value)} {value[-1]}"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from benches(tmp_path, Traits())


def benches(folder: Path, traits: Traits) -> Iterator[Bench]:
    clock = ManualClock()
    with FakePlex(traits=traits, clock=clock) as plex:
        bench = Bench(plex, clock, folder)
        yield bench
        bench.client.close()


def test_the_whole_conversation_with_an_ordinary_plex(bench, approved):
    found, asked = bench.probe(3, uploads=True)
    assert asked == list(all_questions(several=True, uploads=True)) == list(found.answers)
    assert found.left == ()
    assert not os.path.exists(bench.path)
    value = found.as_json()
    assert value.pop("probe") == VERSION
    approved({"found": value, "sent": bench.sent()})


def test_fewer_items_are_asked_fewer_questions(bench):
    found, asked = bench.probe(2)
    assert found.items == 2
    assert asked == list(all_questions(several=False, uploads=False))
    several = set(all_questions(several=True, uploads=True)) - set(asked)
    lists = ("genre", "actor", "director", "collection", "label")
    assert several == {
        "identical upload twice",
        *(f"{kind} list, three items" for kind in lists),
        *(f"{kind} spelling, first item rules" for kind in lists),
    }


def test_what_a_plex_refuses_is_an_answer_and_the_rest_is_asked(bench):
    refused = Fault("status", method="PUT", parameter="^(studio|userRating)", times=2, status=400)
    bench.plex.faults.add(refused)
    found, _ = bench.probe(1)
    assert {name: answer for name, answer in found.answers.items() if "ref" in str(answer)} == {
        "studio spelling": "refused (rejected)",
        "rating by an edit": "refused (rejected)",
    }
    assert (found.answers["date"], found.left) == ("as sent", ())


def test_a_request_that_is_cut_off_is_an_answer_but_not_a_plex_that_is_gone(bench):
    bench.plex.faults.add(Fault("status", method="PUT", parameter="^studio", times=1))
    assert bench.probe(1)[0].answers["studio spelling"] == "refused (unavailable)"


def test_a_plex_that_goes_on_the_way_ends_the_probe_and_the_file_stays(bench):
    def note(name: str) -> None:
        if name == "date":
            bench.plex.down()

    with pytest.raises(Unavailable):
        probe(
            bench.client, ["1"], bench.path, uploads=False, monotonic=bench.ticking,
            sleep=bench.clock.sleep, note=note,
        )  # fmt: skip
    assert load(bench.path).items[0].texts["title"] == "Quay 0"


@pytest.mark.parametrize(("url_bytes", "longest"), [(None, 300), (400, 200), (100, 0)])
def test_the_longest_text_that_a_plex_takes(bench, monkeypatch, url_bytes, longest):
    monkeypatch.setattr(questions, "LENGTHS", (100, 200, 300))
    bench.plex.limits.url_bytes = url_bytes
    ask = all_questions(several=False, uploads=False)["longest text in bytes"]
    assert ask(Prober(bench.client, "1", ["1"], bench.ticking, bench.clock.sleep)) == longest


class DayAfter(Traits):
    """A server that keeps a date a day late, writes names its own way and no other text."""

    def spell(self, name: str, text: str) -> str:
        known = {"genre": text.swapcase(), "title": text.upper()}
        return known.get(name, "" if name in ("summary", "tagline") else text)


def test_answers_that_a_single_difference_does_not_show(tmp_path):
    for bench in benches(tmp_path, DayAfter(date_shift=1)):
        found, _ = bench.probe(1)
        answers = found.answers
    wanted = {
        "genre spelling": "other letters",
        "title spelling": "other letters",
        "summary spelling": "not kept",
        "two blanks": "not kept",
        "longest text in bytes": 0,
        "date": "a day after",
    }
    assert {name: answers[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("sent", "held", "answer"),
    [
        ("low tide", [], "not kept"),
        ("low tide", [""], "not kept"),
        ("low tide", ["low tide", "Low tide"], "as sent"),
        ("low tide", ["Low tide"], "first letter a capital"),
        ("low tide", ["Low Tide"], "each word a capital"),
        ("low  tide", ["low tide"], "single blanks"),
        ("low tide", ["LOW TIDE"], "other letters"),
        ("low tide", ["low ebb"], "not kept"),
    ],
)
def test_how_a_server_spells_in_words(sent, held, answer):
    assert how_spelt(sent, held) == answer


# -- the answers in words -----------------------------------------------------------------


def test_the_table_with_and_without_the_stand_in():
    answers: dict[str, Answer] = {
        "date": "as sent",
        "two blanks": "single blanks",
        "edits per second": 8.0,
    }
    found = Probed("1.41.0", "Linux", 1, answers)
    other: dict[str, Answer] = {
        "date": "a day before",
        "two blanks": "single blanks",
        "edits per second": 9.0,
        "identical upload twice": "one picture",
    }
    rows = ["two blanks        single blanks", "edits per second  8.0"]
    assert compare(found.answers, other) == {"date": ["as sent", "a day before"]}
    assert compare({"title": 1, **found.answers}, {"two blanks": 2}) == {
        "two blanks": ["single blanks", 2]
    }
    assert probe_lines(found, None) == ["Plex 1.41.0, 1 item:", "date              as sent", *rows]
    assert probe_lines(found, other) == [
        "Plex 1.41.0, 1 item:",
        "date              as sent  (the stand-in: a day before)",
        *rows,
        "The stand-in answers 1 question differently.",
    ]


def test_what_could_not_be_restored_in_words():
    assert left_lines([], "/probe.json") == []
    assert left_lines(["item 7: genre", "item 8: title"], "/probe.json") == [
        "Not restored: item 7: genre, item 8: title.",
        "“/probe.json” still has the old values. Run “stash2plex probe-plex --restore” again.",
    ]


# -- the file, and restoring from it ------------------------------------------------------


def held(key: str = "1", **values: Any) -> Held:
    base: dict[str, Any] = {
        "texts": {"title": "Quay 0", "studio": "", "summary": "", "tagline": "",
                  "originallyAvailableAt": ""},
        "rating": None,
        "lists": {"genre": [{"tag": "Fog"}, {"tag": "Tide, low"}], "actor": [], "director": [],
                  "collection": [], "label": [{"tag": "Mine"}]},
        "locked": ["genre", "title"],
    }  # fmt: skip
    return Held(key, "1", **{**base, **values})


def test_the_file_is_for_its_user_alone_and_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snapshot = Snapshot("harbour", [held(), held("2", rating=8.0, poster="upload://posters/a")])
    save(snapshot, "probe.json")
    assert os.listdir() == ["probe.json"]
    assert stat.S_IMODE(os.stat("probe.json").st_mode) & 0o077 == 0
    assert load("probe.json") == snapshot
    with pytest.raises(UsageError) as failure:
        save(Snapshot("other", []), "probe.json")
    assert (failure.value.what, failure.value.fix) == (
        "An earlier probe did not restore everything; “probe.json” has the old values.",
        "Run “stash2plex probe-plex --restore” first.",
    )
    assert load("probe.json") == snapshot
    save(snapshot, "pier/quay/probe.json")
    assert load("pier/quay/probe.json") == snapshot
    with pytest.raises(UsageError) as failure:
        load("nowhere.json")
    assert failure.value.what == "There is nothing to restore: “nowhere.json” does not exist."


def test_an_item_as_it_is_held(bench):
    item = bench.plex.all_items()[0]
    item.texts.update(studio="Quay Works")
    item.originally_available_at = "2020-02-29"
    item.floats["userRating"] = 7.5
    item.locked |= {"addedAt", "thumb"}
    picture = bench.plex._library.upload(item, "posters", b"mine")
    found = take(bench.client, "harbour", [str(item.rating_key)])
    texts = {**held().texts, "studio": "Quay Works", "originallyAvailableAt": "2020-02-29"}
    (one,) = found.items
    assert one == held(
        texts=texts, rating=7.5, locked=["genre", "thumb", "title"], poster=one.poster
    )
    assert one.poster.startswith("upload://posters/"), picture
    with pytest.raises(UsageError, match=r"^Plex has no item 99\.$"):
        take(bench.client, "harbour", ["99"])


def test_every_kind_of_value_is_restored_and_an_item_that_is_gone_needs_nothing(bench):
    first, _, last = bench.plex.all_items()
    wanted = {
        "texts": {"title": "Quay 0", "studio": "Quay Works", "summary": "Fog.", "tagline": "Low",
                  "originallyAvailableAt": "2020-02-29"},
        "rating": 7.5,
        "lists": {"genre": [{"tag": "Fog"}], "director": [], "collection": [{"tag": "Piers"}],
                  "actor": [{"tag": "Performer 17", "role": "Keeper", "thumb": "http://a/b.jpg"},
                            {"tag": "Performer 18"}], "label": []},
        "locked": ["genre", "summary"],
    }  # fmt: skip
    snapshot = Snapshot("", [held("99"), held("1", **wanted), held("3", **wanted)])
    bench.plex.clear_log()
    assert restore(bench.client, snapshot) == []
    for item in (first, last):
        assert (item.title, item.texts["studio"], item.texts["summary"]) == (
            "Quay 0", "Quay Works", "Fog.",
        )  # fmt: skip
        assert item.originally_available_at == "2020-02-29"
        assert item.floats["userRating"] == 7.5
        assert item.tags["actor"] == ["Performer 17", "Performer 18"]
        assert (item.tags["genre"], item.tags["collection"]) == (["Fog"], ["Piers"])
        assert not item.tags.get("label")
        assert item.locked == {"genre", "summary"}
    roles = [one.query for one in bench.plex.requests if "actor[0].tag.tag" in one.query]
    assert {name: value for name, value in roles[0].items() if name.startswith("actor")} == {
        "actor[0].tag.tag": ["Performer 17"],
        "actor[0].tagging.text": ["Keeper"],
        "actor[0].tag.thumb": ["http://a/b.jpg"],
        "actor[1].tag.tag": ["Performer 18"],
    }
    bench.plex.clear_log()
    assert restore(bench.client, snapshot) == []
    assert [one.query["id"] for one in bench.plex.requests if one.method == "PUT"] == [["1"], ["3"]]


def test_what_a_plex_does_not_take_back_is_named_by_item(tmp_path):
    for bench in benches(tmp_path, Traits(ignores_field=frozenset({"studio", "genre"}))):
        wanted = held(texts={**held().texts, "studio": "Quay"}, rating=8.0)
        snapshot = Snapshot(
            bench.plex.machine_identifier,
            [wanted, held("2", texts={**held().texts, "title": "Quay 1"}, lists={
                **held().lists, "genre": [{"tag": "Ebb"}]})],
        )  # fmt: skip
        save(snapshot, bench.path)
        assert put_back(bench.client, bench.path) == ["item 1: studio", "item 2: genre"]
        assert os.path.exists(bench.path)
        bench.plex.traits = Traits()
        assert put_back(bench.client, bench.path) == []
        assert not os.path.exists(bench.path)


@pytest.mark.parametrize(("day", "shown"), [("2020-02-29", "2020-02-29"), ("", "")])
def test_a_plex_that_moves_dates_shows_the_old_one_again(tmp_path, day, shown):
    for bench in benches(tmp_path, Traits(date_shift=-1)):
        item = bench.plex.all_items()[0]
        item.originally_available_at = "2024-06-24"
        wanted = held(texts={**held().texts, "originallyAvailableAt": day})
        assert restore(bench.client, Snapshot("", [wanted])) == []
        assert (item.originally_available_at or "") == shown


def test_a_plex_that_keeps_no_date_is_asked_four_times_for_the_same(tmp_path):
    ignoring = Traits(ignores_field=frozenset({"originallyAvailableAt"}))
    for bench in benches(tmp_path, ignoring):
        bench.plex.all_items()[0].originally_available_at = "2024-06-24"
        left = restore(bench.client, Snapshot("", [held()]))
        assert left == ["item 1: originallyAvailableAt"]
        name = "originallyAvailableAt.value"
        dates = [one.query[name] for one in bench.plex.requests if name in one.query]
        assert dates == [[""]] * 4


def test_a_plex_that_replaces_lists_gets_the_whole_list(tmp_path):
    for bench in benches(tmp_path, Traits(tags="replace_sets")):
        item = bench.plex.all_items()[0]
        item.tags["genre"] = ["Fog"]
        assert restore(bench.client, Snapshot("", [held()])) == []
        assert item.tags["genre"] == ["Fog", "Tide, low"]


def test_a_server_that_is_away_keeps_the_file_and_another_one_gets_nothing(bench):
    save(Snapshot("another", [held(texts={**held().texts, "title": "Pier"})]), bench.path)
    with pytest.raises(UsageError) as failure:
        try_to_put_back(bench.client, bench.path)
    assert (failure.value.what, failure.value.fix) == (
        f"“{bench.path}” belongs to a different Plex server from the one at this address.",
        "Give that server's address with --plex-url.",
    )
    bench.plex.down()
    (left,) = try_to_put_back(bench.client, bench.path)
    assert "refuses the connection" in left
    assert json.loads(Path(bench.path).read_text(encoding="utf-8"))["machine_id"] == "another"
    assert bench.plex.all_items()[0].title == "Quay 0"
