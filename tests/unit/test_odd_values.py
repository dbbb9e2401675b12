"""Values that are seldom met: each is refused, cut or left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest

from stash2plex.config import parse_settings
from stash2plex.datadir import locate
from stash2plex.db import connect, store_error
from stash2plex.errors import (
    ConfigError,
    Refused,
    StoreUnavailable,
    Transient,
    Unavailable,
    UsageError,
)
from stash2plex.model import Change, Field
from stash2plex.operations.dead_letters import Purged
from stash2plex.rules.desired import ENCODED_LIMIT, desired_state, what_was_cut
from stash2plex.rules.spelling import same_rating
from stash2plex.servers.plexedit import by_field
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.servers.wire import make_converter, structure
from stash2plex.store.progress import Progress
from stash2plex.sync.gate import Closed
from stash2plex.sync.goals import Service
from stash2plex.sync.worker import Summary
from stash2plex.tasks.registry import find_task
from stash2plex.ui.lines.dead_letters import purged_sentence
from stash2plex.workqueue import WorkQueue
from tests.support import make_scene, named


@pytest.mark.parametrize(
    "address",
    ["http://quay.example:0", "http://quay.example/a b", "http://quay.example/\tb", "http:///a"],
)
def test_an_address_that_cannot_be_one_is_refused(address):
    settings, problems = parse_settings({"plex_url": address})
    assert settings.plex_url == ""
    assert "plex_url" in problems[0]


def test_an_empty_rule_of_a_path_map_is_no_rule():
    settings, problems = parse_settings({"path_map": "/data=>/media; ;"})
    assert settings.path_map == (("/data", "/media"),)
    assert problems == []


def test_a_switch_of_1x_that_is_neither_on_nor_off_takes_nothing_away():
    settings, _ = parse_settings({"sync_master": "perhaps"})
    assert settings.skip_fields == frozenset()
    settings, _ = parse_settings({"sync_master": "false"})
    assert settings.skip_fields == frozenset(Field)


def test_without_a_folder_to_put_it_in_there_is_no_data_folder(monkeypatch):
    with pytest.raises(StoreUnavailable) as caught:
        locate(None, None)
    assert "STASH2PLEX_DATA_DIR" in (caught.value.fix or "")


@pytest.mark.parametrize("letter", ["a", "é", "灯", "🏮"])
def test_a_text_is_cut_to_what_fits_into_an_address_and_no_further(letter):
    settings, _ = parse_settings({})
    sent = desired_state(make_scene(details=letter * 9_999), settings).texts[Field.SUMMARY]
    width = len(quote(letter))
    assert sent == letter * min(9_999, ENCODED_LIMIT // width)


def test_more_names_than_fit_into_an_address_are_cut_and_counted():
    names = [f"Performer {number:03} {'of the long pier' * 10}" for number in range(150)]
    scene = make_scene(performers=named(*names))
    settings, _ = parse_settings({})
    desired = desired_state(scene, settings)
    sent = desired.lists[Field.PERFORMERS]
    assert list(sent) == names[: len(sent)]
    assert 50 < len(sent) < 150
    (line,) = what_was_cut(scene, desired, settings)
    words = f"the first {len(sent):,} of 150 are sent."
    assert list(line)[2:] == [Field.PERFORMERS, words]


def test_a_rating_that_is_no_number_is_another_one():
    assert same_rating(None, 0)
    assert same_rating(7.5, 7.52)
    assert not same_rating("7.5", 7.5)
    assert not same_rating(7.5, "7.5")


def test_a_change_of_a_rating_alone_is_one_part():
    change = Change({}, {}, rating=7.0)
    assert by_field(change) == [change]


@pytest.mark.parametrize("host", ["quay/lantern", "a b", "x" * 256])
def test_a_host_that_cannot_be_one_is_refused(host):
    with pytest.raises(ConfigError, match="no usable host"):
        read_server_connection({"Host": host, "Port": 9999})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:9999"),
        ("[::1]", "http://[::1]:9999"),
        ("::", "http://127.0.0.1:9999"),
        ("", "http://127.0.0.1:9999"),
        ("quay.example", "http://quay.example:9999"),
    ],
)
def test_the_address_of_stash_from_what_it_binds_to(host, url):
    assert read_server_connection({"Host": host, "Port": 9999}).url == url


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (True, str),
        ([], str),
        ("deep", float),
        (True, float),
        ({}, float),
        (2, bool),
        ("", bool),
        (2**63, int),
        (10**400, float),
        ("1e999", float),
        ("nan", float),
        ("deep", Progress),
        ([1], Progress),
    ],
)
def test_a_value_of_another_kind_is_no_answer(value, shape):
    with pytest.raises(Transient):
        structure(make_converter(), value, shape, "Plex", "a lantern")


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (7, str, "7"),
        ("1.5", float, 1.5),
        (1, bool, True),
        ("false", bool, False),
        (2**63 - 1, int, 2**63 - 1),
    ],
)
def test_the_ways_to_spell_a_value(value, shape, expected):
    assert structure(make_converter(), value, shape, "Plex", "a lantern") == expected


def test_a_service_waits_without_end_but_for_a_stash_that_refuses_it():
    refused = Closed(Refused("Stash", "Stash refuses the key."), 0.0, "stash")
    assert Service().reason_to_give_up(refused, 0.0) == str(refused.error)
    for error, server in (
        (Refused("Plex", "Plex refuses the token."), "plex"),
        (Unavailable("Stash", "Stash cannot be reached."), "stash"),
    ):
        assert Service().reason_to_give_up(Closed(error, 0.0, server), 1e9) is None


def test_what_the_user_took_out_of_the_queue_is_counted():
    words = Summary(Progress(done=2), 3.0, (), removed=1_200).sentence()
    assert "1,200 removed from the queue meanwhile." in words
    assert "removed" not in Summary(Progress(done=2), 3.0, ()).sentence()


@pytest.mark.parametrize(
    ("purged", "expected"),
    [
        (Purged(0, 0), "There were no dead letters older than 3 days."),
        (Purged(2, 0), "Removed 2 dead letters older than 3 days."),
        (Purged(1, 1), "Removed 1 dead letter older than 3 days. 1 newer stays."),
        (Purged(0, 4), "There were no dead letters older than 3 days. 4 newer stay."),
    ],
)
def test_what_a_purge_reports(purged, expected):
    assert purged_sentence(purged, 3) == expected


def test_a_claim_shows_no_title(tmp_path):

    with closing(connect(str(tmp_path / "a.db"))) as database:
        assert isinstance(database, sqlite3.Connection)
        queue = WorkQueue(database, lambda: 1_000.0)
        queue.add_many([("scene", 7)], priority=0)
        (claim,) = queue.claim(1, 60.0)
    assert repr(claim) == f"<Claim scene:7 lease {claim.lease_id} attempts {claim.attempts}>"


def test_a_mode_that_there_is_none_of_is_named_with_those_that_there_are():
    with pytest.raises(UsageError, match="no mode 'lantern'. Known modes: .*queue_status"):
        find_task("lantern")
    assert find_task("queue_status").mode == "queue_status"


def test_an_error_of_the_system_without_a_number_has_the_common_cure():
    assert store_error(OSError("The lamp is out."), "a.db").fix == (
        store_error(OSError(9_999, "The lamp is out."), "a.db").fix
    )
