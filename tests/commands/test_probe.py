"""The probe: what it finds out, and that it leaves nothing behind."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from stash2plex.app import make_probe_client
from stash2plex.config import Settings
from stash2plex.operations.probe.questions import all_questions
from stash2plex.operations.probe.run import compare
from stash2plex.ui.lines.probe import probe_lines
from stash2plex_testing.plex import SWITCHES, FakePlex, Fault, combined
from stash2plex_testing.probing import fake_answers, probe_fake
from tests.support import ManualClock, until

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows, where the tests are skipped but read, has no SIGKILL."""

SEEN = {
    "adds": ("genre list, one item", "adds"),
    "replaces": ("genre list, one item", "replaces"),
    "replaces_sets": ("genre list, three items", "replaces"),
    "append_double": ("genre list, one item", "adds, doubles"),
    "one_removal_per_put": ("removal of three names at once", "one goes"),
    "add_before_remove": ("name added and removed", "adds first"),
    "remove_before_add": ("name added and removed", "removes first"),
    "capitalise_first": ("genre spelling", "first letter a capital"),
    "title_case": ("studio spelling", "each word a capital"),
    "squeezes_blanks": ("two blanks", "single blanks"),
    "composes": ("name in decomposed Unicode", "composed"),
    "decomposes": ("name in composed Unicode", "decomposed"),
    "folds_case": ("genre two spellings of one name", "are one"),
    "one_row_per_folded_name": ("genre spelling, first item rules", "yes"),
    "removal_folds_case": ("removal in other letters", "removes"),
    "date_shift": ("date", "a day before"),
    "rounds_to_whole_stars": ("rating by an edit", "rounded to 5"),
    "rounds_to_half_stars": ("rating by its own request", "rounded to 3.5"),
    "ignores_studio": ("studio spelling", "not kept"),
    "ignores_genre": ("genre list, one item", "not kept"),
    "ignores_user_rating": ("rating by an edit", "not kept"),
    "ignores_any_rating": ("rating by its own request", "not kept"),
}
"""The question that shows a switch, and its answer."""

with open(os.path.join(os.path.dirname(__file__), "probe_differences.json"), "rb") as differences:
    DIFFERENCES = json.load(differences)
"""All answers of a server with one switch that differ from those of the plain stand-in."""


@pytest.fixture
def plex(desk, monkeypatch):
    """Give the stand-in with three items that hold what a user has put there."""
    monkeypatch.setenv("STASH2PLEX_PLEX_URL", desk.plex.url)
    monkeypatch.setenv("STASH2PLEX_PLEX_TOKEN", desk.plex.token)
    monkeypatch.setenv("HOME", desk.folder)
    for item in desk.plex.all_items()[3:]:
        desk.plex.remove_item(item)
    fill(desk.plex)
    return desk.plex


def fill(plex):
    """Have every item hold what a user has put there."""
    for item in plex.all_items():
        item.title = f"Secret harbour {item.rating_key}"
        item.texts.update(studio="Quay Works", summary="At dawn.", tagline="Low tide")
        item.originally_available_at = "2020-02-29"
        item.tags = {
            "genre": ["Fog", "Tide, low"],
            "actor": ["Performer 17"],
            "label": ["Mine"],
            "collection": ["Favourites"],
        }
        item.locked = {"title", "genre", "thumb"}
        item.floats["userRating"] = 8.0


PLANTED = (
    "Secret harbour", "Quay Works", "At dawn", "Low tide", "Tide, low", "2020-02-29",
    "Performer 17", "Favourites", "Mine", "Harbour Films", "Harbour Plex", "/media", ".mp4",
)  # fmt: skip
"""What a user may not want to be seen, in the items that `fill` gives and in their server."""

ANSWER = re.compile(
    r"adds|adds, doubles|replaces|not kept|are (one|two)|yes|no|all go|(one|none|\d) goe?s?"
    r"|ignored|removes|(adds|removes) first|as (they are )?sent|composed|decomposed|mixed"
    r"|first letter a capital|each word a capital|single blanks|other letters|a day (before|after)"
    r"|rounded to [\d.]+|(one|two) pictures?|refused \(\w+\)"
)


def assert_may_be_posted(found, other, planted):
    """Check that neither the table nor the JSON shows anything of a user, nor may ever do."""
    value = {**found.as_json(), "differs_from_stand_in": compare(found.answers, other)}
    assert value.keys() == {
        "probe", "plex", "platform", "items", "answers", "differs_from_stand_in"
    }  # fmt: skip
    texts = [json.dumps(value, ensure_ascii=False), *probe_lines(found, other)]
    texts += probe_lines(found, None)
    shown = "\n".join(texts).casefold()
    assert [one for one in planted if one.casefold() in shown] == []
    assert {*value["answers"]} <= {*all_questions(several=True, uploads=True)}
    assert all(isinstance(one, (int, float)) or ANSWER.fullmatch(one)
               for one in value["answers"].values())  # fmt: skip


def held(plex):
    """Return what the user has in the items."""
    return [
        copy.deepcopy(
            (item.title, {k: v for k, v in item.texts.items() if v}, item.floats,
             item.originally_available_at, {k: sorted(v) for k, v in item.tags.items() if v},
             item.locked)
        )
        for item in plex.all_items()
    ]  # fmt: skip


def items(plex):
    return [word for item in plex.all_items() for word in ("--item", str(item.rating_key))]


def state(desk):
    return os.path.join(desk.folder, ".stash2plex-probe.json")


def test_every_switch_has_its_question():
    assert SEEN.keys() == SWITCHES.keys()


@pytest.fixture(scope="module")
def plain():
    return fake_answers(3)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_server_of_each_kind_is_seen_through_and_left_as_it_was(plain, switch):
    clock = ManualClock()
    with FakePlex(traits=combined(switch), clock=clock) as plex:
        films = plex.add_section("Harbour Films", locations=["/media"])
        for number in range(3):
            plex.add_item(films, f"/media/{number}.mp4")
        fill(plex)
        before = held(plex)
        found = probe_fake(plex, clock.sleep, uploads=True)
        assert held(plex) == before
        planted = [plex.url, f":{plex.port}", "127.0.0.1", plex.token, plex.machine_identifier]
    differs = compare({**found.answers, "performers shown of 210": 0}, plain)
    del differs["performers shown of 210"]
    assert {name: one for name, (one, _) in differs.items()} == DIFFERENCES[switch]
    question, answer = SEEN[switch]
    assert (found.answers[question], found.left) == (answer, ())
    assert_may_be_posted(found, plain, [*planted, *PLANTED])
    assert switch == "adds" or plain[question] != answer
    assert not [name for name, one in found.answers.items() if str(one).startswith("refused")]


def test_what_it_prints_may_be_posted(desk, plex):
    report = os.path.join(desk.folder, "report.json")
    code, out, _ = desk.run(
        "probe-plex", *items(plex), "--no-uploads", "--json", "--report", report
    )
    found = json.loads(out)
    with open(report, encoding="utf-8") as file:
        assert json.load(file) == found
    assert (code, found["items"], found["answers"]["date"]) == (0, 3, "as sent")
    words = ["Secret", "Quay", "Harbour", "/media", "/data", "Performer", "Favourites"]
    secrets = [*words, plex.url, plex.token, plex.machine_identifier]
    assert not [word for word in secrets if word in out]
    code, out, _ = desk.run("probe-plex", *items(plex), "--no-uploads")
    assert not [word for word in secrets if word in out]


def test_one_item_is_enough_and_web_addresses_are_taken(desk, plex):
    address = "https://app.plex.tv/desktop/#!/server/abc/details?key=%2Flibrary%2Fmetadata%2F1"
    code, out, _ = desk.run("probe-plex", "--item", address, "--no-uploads")
    assert (code, "1 item:" in out, "three items" in out) == (0, True, False)


def test_it_compares_with_the_stand_in(desk, plex):
    plex.traits = combined("date_shift", "append_double")
    code, out, _ = desk.run("probe-plex", "--item", "1", "--no-uploads", "--compare", "--json")
    differs = json.loads(out)["differs_from_stand_in"]
    assert code == 0
    assert differs["date"] == ["a day before", "as sent"]
    assert differs["genre list, one item"] == ["adds, doubles", "adds"]
    assert "edits per second" not in differs
    out = desk.run("probe-plex", "--item", "1", "--no-uploads", "--compare")[1]
    assert "(the stand-in: as sent)" in out


def test_pictures_are_uploaded_only_when_that_is_allowed(desk, plex):
    item = plex.all_items()[0]
    desk.run("probe-plex", "--item", "1")
    assert item.number_of_uploads == 0
    plex._library.upload(item, "posters", b"the user's own")
    mine = item.selected["posters"]
    code, out, _ = desk.run("probe-plex", "--item", "1", "--uploads")
    assert (code, "identical upload twice" in out, item.selected["posters"]) == (0, True, mine)


@pytest.mark.parametrize("number", [signal.SIGINT, KILL])
def test_an_end_on_the_way_loses_nothing(desk, plex, number):
    before = held(plex)
    hangs = plex.faults.add(Fault("hang", method="PUT", parameter="^tagline", after=1, times=1))
    words = [sys.executable, "-m", "stash2plex", "probe-plex", *items(plex), "--no-uploads"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: hangs.hits)
        process.send_signal(number)
        plex.faults.clear()
        process.communicate(timeout=60)
    if number == KILL:
        assert held(plex) != before
        code, _, err = desk.run("probe-plex", *items(plex), "--no-uploads")
        assert (code, "--restore" in err) == (2, True)
        code, out, _ = desk.run("probe-plex", "--restore")
        assert (code, "as it was" in out) == (0, True)
    else:
        assert process.returncode == 130
    assert held(plex) == before
    assert not os.path.exists(state(desk))
    assert desk.run("probe-plex", "--restore")[0] == 2


def test_what_could_not_be_put_back_is_named_and_stays_kept(desk, plex):
    plex.faults.add(Fault("status", method="PUT", after=40, times=None))
    code, _, err = desk.run("probe-plex", "--item", "1", "--no-uploads")
    assert code != 0
    assert os.path.exists(state(desk))
    plex.faults.clear()
    assert desk.run("probe-plex", "--restore")[0] == 0
    assert err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--item"),
        (["--item", "not an id"], "takes an id"),
        (["--item", "999"], "no item"),
        (["--restore"], "nothing to restore"),
    ],
)
def test_what_cannot_be_is_said(desk, plex, words, said):
    code, _, err = desk.run("probe-plex", *words)
    assert (code != 0, said in err) == (True, True)


def test_items_of_two_libraries_are_refused(desk, plex):
    other = plex.add_item(plex.add_section("Lanterns", locations=["/media/b"]), "/media/b/a.mp4")
    code, _, err = desk.run("probe-plex", "--item", "1", "--item", str(other.rating_key))
    assert (code, "several libraries" in err) == (2, True)


def test_another_server_gets_nothing_put_back(desk, plex):
    os.makedirs(desk.folder, exist_ok=True)
    with open(state(desk), "w", encoding="utf-8") as file:
        json.dump({"machine_id": "another", "items": []}, file)
    code, _, err = desk.run("probe-plex", "--restore")
    assert (code, "a different Plex server" in err) == (2, True)
    with open(state(desk), "w", encoding="utf-8") as file:
        file.write("{lantern")
    assert desk.run("probe-plex", "--restore")[0] == 2


def test_an_address_from_the_plugins_settings_is_used(desk, plex, monkeypatch):
    monkeypatch.delenv("STASH2PLEX_PLEX_URL")
    monkeypatch.delenv("STASH2PLEX_PLEX_TOKEN")
    assert desk.run("probe-plex", "--item", "1", "--no-uploads")[0] == 0


def test_a_server_that_nobody_has_claimed_needs_no_token(plex):
    plex.access.claim = "unclaimed"
    client = make_probe_client(Settings(plex_url=plex.url))
    assert client.server()["machineIdentifier"] == plex.machine_identifier
    client.close()


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        ("2024-06-24", "as sent"),
        ("2024-06-23 00:00:00", "a day before"),
        ("2024-06-25", "a day after"),
        ("", "not kept"),
        ("2023-01-01", "not kept"),
    ],
)
def test_what_becomes_of_a_date_has_words(shown, answer):
    class Dated:
        def edit(self, *parameters):
            assert parameters == (("originallyAvailableAt.value", "2024-06-24"),)

        def text(self, name):
            assert name == "originallyAvailableAt"
            return shown

    ask = all_questions(several=False, uploads=False)["date"]
    assert ask(Dated()) == answer  # type: ignore[arg-type]  # as much of one as it needs
