"""What each stored value of a setting means, and what is reported of one that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.config import (
    SPECS,
    Settings,
    hide_secrets,
    parse_settings,
    plain,
    read_environment,
)
from stash2plex.errors import ConfigError
from stash2plex.model import Field

NUMBERS = {
    "max_retries": (1, 20),
    "max_tags": (1, 500),
    "connect_timeout": (0.1, 120),
    "read_timeout": (0.1, 600),
}
SWITCHES = [spec.key for spec in SPECS if spec.type == "BOOLEAN"]


def parsed(**stored):
    settings, problems = parse_settings(stored)
    assert problems == []
    return settings


def problem(**stored):
    settings, (sentence,) = parse_settings(stored)
    return settings, sentence


@pytest.mark.parametrize("empty", [None, "", 0])
def test_an_emptied_field_means_the_default(empty):
    assert parsed(**dict.fromkeys(NUMBERS, empty)) == Settings()
    assert [getattr(Settings(), key) for key in NUMBERS] == [5, 100, 5.0, 30.0]


def test_the_default_of_each_setting_is_what_the_user_is_shown():
    words = {spec.key: spec.default for spec in SPECS}
    assert words == {
        "plex_url": "–", "plex_token": "–",
        "plex_library": "every movie-type library", "path_map": "worked out from matching files",
        "skip_fields": "none", "exclude_tags": "none", "ignore_tags": "none",
        "reconcile_interval": "daily", "background_worker": "auto", "max_retries": "5",
        "max_tags": "100", "connect_timeout": "5", "read_timeout": "30",
        **dict.fromkeys(SWITCHES, "off"),
    }  # fmt: skip
    assert (Settings().reconcile_interval, Settings().background_worker) == ("daily", "auto")
    assert not any(getattr(Settings(), key) for key in SWITCHES)


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_from_its_lowest_to_its_highest(key):
    low, high = NUMBERS[key]
    right: list[Any] = [low, high, str(high)]
    for value in right:
        assert getattr(parsed(**{key: value}), key) == float(value)
    unit = " seconds" if "timeout" in key else ""
    allowed = f"{low:g} to {high:g}{unit}"
    if not unit:
        allowed = f"a whole number from {allowed}"
    default = getattr(Settings(), key)
    wrong: list[object] = [low - 0.05, high + 0.5, "many", True, [1], float("nan")]
    for value in wrong:
        settings, sentence = problem(**{key: value})
        assert getattr(settings, key) == default
        assert sentence == (
            f"Setting {key} is {value!r}; allowed: {allowed}. The default is used: {default:g}."
        )


def test_half_a_retry_is_no_number_of_retries():
    assert problem(max_retries=2.5)[0].max_retries == 5
    assert parsed(read_timeout=2.5).read_timeout == 2.5
    assert parsed(max_retries="7.0").max_retries == 7


@pytest.mark.parametrize("key", SWITCHES)
def test_a_switch_is_on_or_off_in_several_ways(key):
    for value in (True, "true", " TRUE ", "1"):
        assert getattr(parsed(**{key: value}), key) is True
    for value in (False, "false", "0"):
        assert getattr(parsed(**{key: value}), key) is False
    settings, sentence = problem(**{key: "on"})
    assert getattr(settings, key) is False
    assert sentence == (f"Setting {key} is 'on'; allowed: true or false. The default is used: off.")


def test_a_word_in_any_case_and_none_that_is_not_offered():
    assert parsed(reconcile_interval=" Weekly").reconcile_interval == "weekly"
    assert parsed(background_worker="OFF").background_worker == "off"
    settings, sentence = problem(reconcile_interval="yearly")
    assert settings.reconcile_interval == "daily"
    assert sentence == (
        "Setting reconcile_interval is 'yearly'; allowed: never, hourly, daily or weekly. "
        "The default is used: daily."
    )
    assert "allowed: auto or off." in problem(background_worker="on")[1]


@pytest.mark.parametrize(
    "text",
    ["poster background", "poster,background", "poster; background", '"poster" “background”'],
)
def test_fields_are_parted_by_spaces_commas_or_semicolons(text):
    assert parsed(skip_fields=text).skip_fields == {Field.POSTER, Field.BACKGROUND}


def test_a_field_that_there_is_none_of_costs_no_other():
    settings, sentence = problem(skip_fields="poster Banner, titel")
    assert settings.skip_fields == {Field.POSTER}
    assert sentence == (
        "Setting skip_fields is 'poster Banner, titel'; allowed: some of: "
        + " ".join(Field)
        + ". The rest is used, without “Banner”, “titel”."
    )


@pytest.mark.parametrize("stored", ["http://plex:32400/", " https://plex ", "http://plex/X"])
def test_an_address_is_used_without_its_last_slash(stored):
    assert parsed(plex_url=stored).plex_url == stored.strip().rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "plex:32400", "ftp://plex", "http://", "http://plex?X-Plex-Token=secret", "http://plex#top",
        "http://ann@plex", "http://:secret@plex", "http://pl ex", "http://plex\t:1", "http://plex:0",
        "http://plex:99999",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_sends_nothing_and_shows_no_secret(address):
    settings, sentence = problem(plex_url=address, plex_token="token")
    assert (settings.plex_url, settings.has_plex) == ("", False)
    assert sentence.startswith("Setting plex_url is '")
    assert sentence.endswith(
        "; allowed: http(s)://host:port. Nothing is sent until it is corrected."
    )
    assert "secret" not in sentence
    assert "ann" not in sentence
    with pytest.raises(ConfigError) as raised:
        settings.require_plex()
    assert sentence in str(raised.value)


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


def test_a_token_that_cannot_be_one_is_never_shown():
    for token in ("two words", "line\nend", "é", "x" * 2_049):
        settings, sentence = problem(plex_url="http://plex", plex_token=token)
        assert settings.plex_token == ""
        assert sentence == (
            "Setting plex_token is (hidden); allowed: an X-Plex-Token. "
            "Nothing is sent until it is corrected."
        )
    assert parsed(plex_token=f" {'x' * 2_048} ").plex_token == "x" * 2_048


def test_two_settings_that_cannot_be_used_are_both_named():
    settings, problems = parse_settings({"plex_url": "plex", "plex_token": "a b"})
    assert settings.unusable == " ".join(problems)
    assert len(problems) == 2


def test_without_an_address_or_a_token_there_is_no_plex():
    full = {"plex_url": "http://plex", "plex_token": "token"}
    parsed(**full).require_plex()
    assert parsed(**full).has_plex
    for missing, label in (("plex_url", "Plex URL"), ("plex_token", "Plex token")):
        settings = parsed(**{**full, missing: ""})
        assert not settings.has_plex
        with pytest.raises(ConfigError) as raised:
            settings.require_plex()
        assert (raised.value.what, str(raised.value.fix).rpartition(" > ")[2]) == (
            f"{label} is not set.", f"{label}.",
        )  # fmt: skip
    assert repr(parsed(**full)) == "<Settings for http://plex, token set>"
    assert repr(Settings()) == "<Settings for no Plex, token missing>"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://ann:secret@plex/a?token=secret#b", "http://…@plex/a?…"),
        ("http://plex#secret", "http://plex?…"),
        ("http://plex:32400/web", "http://plex:32400/web"),
    ],
)
def test_an_address_is_shown_without_a_log_in_or_token(address, shown):
    assert hide_secrets(address) == shown


def test_a_long_value_is_shown_in_part():
    assert f"is {repr('x' * 200)[:80]}; allowed" in problem(background_worker="x" * 200)[1]


# -- what version 1 stored ----------------------------------------------------------------


def test_what_was_unticked_in_version_1_stays_off():
    old = {f"sync_{name}": False for name in ("studio", "tags", "poster")}
    assert parsed(**old).skip_fields == {Field.STUDIO, Field.TAGS, Field.POSTER}
    assert parsed(sync_tags="false", skip_fields="title").skip_fields == {Field.TITLE, Field.TAGS}
    assert parsed(sync_tags=True, sync_studio=None).skip_fields == frozenset()
    assert parsed(sync_master=False).skip_fields == frozenset(Field)
    plex = {"plex_url": "http://plex", "plex_token": "token"}
    assert (parsed(**plex, enabled=False).has_plex, parsed(**plex, enabled=True).has_plex) == (
        False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [("strict_matching", "loose_matching"), ("reconcile_missing", "skip_not_found")],
)
def test_a_switch_that_was_turned_round_counts_unless_the_new_one_is_stored(old, new):
    assert getattr(parsed(**{old: False}), new) is True
    assert getattr(parsed(**{old: True}), new) is False
    assert getattr(parsed(**{old: False, new: False}), new) is False


def test_settings_of_the_environment():
    given = {"STASH2PLEX_MAX_TAGS": "7", "STASH2PLEX_PLEX_URL": "", "STASH2PLEX_DATA_DIR": "/d"}
    assert read_environment(given) == {"max_tags": "7"}


def test_settings_as_json():
    settings = parsed(skip_fields="title poster", exclude_tags="Fog, Ebb")
    assert plain(settings.skip_fields) == ["poster", "title"]
    assert plain(settings.exclude_tags) == settings.exclude_tags.as_json()
    assert plain(5) == 5
