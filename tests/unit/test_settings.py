"""Settings: every layer, every wrong value, and what the older plugin stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.cli.config import CliOptions, resolve
from stash2plex.config import SPECS, Settings, parse_settings
from stash2plex.datadir import file_stamp
from stash2plex.errors import (
    ConfigError,
)
from stash2plex.hook import settings_changed
from stash2plex.model import Field
from tests.harness.strategies import JSON


def test_unset_values_are_the_defaults():
    empty = {spec.key: "" for spec in SPECS} | {"max_retries": 0, "read_timeout": 0}
    assert parse_settings(empty) == (Settings(), [])
    assert parse_settings({}) == (Settings(), [])


def test_settings_as_people_write_them():
    settings, problems = parse_settings(
        {
            "plex_url": "http://plex:32400/",
            "plex_token": " abc ",
            "plex_library": "Harbour Films, Lanterns",
            "path_map": "/data=>/media; C:\\films => D:\\f",
            "skip_fields": "Poster, background",
            "max_retries": 7.0,
            "tls_insecure": "true",
        }
    )
    assert problems == []
    assert settings.plex_url == "http://plex:32400"
    assert settings.plex_library.keys == {"harbour films", "lanterns", "harbour films,lanterns"}
    assert settings.path_map == (("/data", "/media"), ("C:\\films", "D:\\f"))
    assert settings.skip_fields == {Field.POSTER, Field.BACKGROUND}
    assert settings.max_retries == 7
    assert settings.tls_insecure


def test_an_address_loses_its_last_slash_only():
    settings, problems = parse_settings({"plex_url": "http://plex/BOX/"})
    assert (settings.plex_url, problems) == ("http://plex/BOX", [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plex_url", "plex:32400"),
        ("plex_url", "http://user:secret@plex"),
        ("plex_url", "ftp://plex"),
        ("plex_url", "http://plex:99999"),
        ("plex_token", "two words"),
        ("plex_token", "new\nline"),
        ("path_map", "/data"),
        ("skip_fields", "colour"),
        ("max_retries", 21),
        ("max_retries", 2.5),
        ("max_tags", True),
        ("read_timeout", "nan"),
        ("background_worker", "on"),
        ("only_organized", 5),
        ("exclude_tags", ["a"]),
    ],
)
def test_a_bad_value_names_key_and_what_is_allowed(key, value):
    settings, (problem,) = parse_settings({key: value})
    assert settings == Settings(unusable=problem if key in ("plex_url", "plex_token") else "")
    assert problem.startswith(f"Setting {key} is")
    assert "allowed:" in problem
    if key == "plex_token":
        assert str(value) not in problem


def test_of_fields_to_skip_the_known_ones_are_skipped_though_one_is_misspelt():
    settings, (problem,) = parse_settings({"skip_fields": "“Title”, POSTER， colour"})
    assert settings.skip_fields == {Field.TITLE, Field.POSTER}
    assert problem.endswith("The rest is used, without “colour”.")


def test_nothing_is_called_missing_that_is_set_and_cannot_be_used():
    settings, problems = parse_settings({"plex_url": "plex:32400", "plex_token": "two words"})
    with pytest.raises(ConfigError) as raised:
        settings.require_plex()
    assert str(raised.value) == " ".join(problems)
    with pytest.raises(ConfigError, match="Plex URL is not set"):
        parse_settings({"plex_token": "good"})[0].require_plex()


@given(st.dictionaries(st.sampled_from([spec.key for spec in SPECS]), JSON))
def test_no_stored_value_breaks_the_settings(raw):
    settings, _ = parse_settings(raw)
    assert 1 <= settings.max_retries <= 20


def test_settings_of_the_older_plugin_keep_their_meaning():
    settings, problems = parse_settings(
        {"enabled": False, "sync_poster": False, "strict_matching": False, "sync_tags": True,
         "reconcile_missing": False, "poll_interval": 30, "reconcile_scope": "24h"}
    )  # fmt: skip
    assert problems == []
    assert not settings.enabled
    assert settings.skip_fields == {Field.POSTER}
    assert settings.loose_matching
    assert settings.skip_not_found
    assert parse_settings({"sync_master": False})[0].skip_fields == frozenset(Field)


def test_a_token_is_in_no_repr():
    assert "s3cret" not in repr(Settings(plex_url="http://plex", plex_token="s3cret"))


def test_a_changed_setting_is_seen_by_the_file(tmp_path):
    file = tmp_path / "config of Stash.yml"
    assert settings_changed(None) is None
    assert settings_changed(f"1-2 {file}") is None
    file.write_text("plugins: {}")
    seen = f"{file_stamp(str(file))} {file}"
    assert settings_changed(seen) is False
    file.write_text("plugins: {x: 1}")
    assert settings_changed(seen) is True


def test_flags_go_over_environment_over_file(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('stash_url = "http://file:1"\nplex_url = "http://file:2"\nmax_tags = 9\n')
    environment = {
        "STASH2PLEX_CONFIG": str(file),
        "STASH2PLEX_PLEX_URL": "http://environment:2",
        "STASH2PLEX_STASH_API_KEY": "key",
    }
    options = CliOptions(stash_url="http://flag:1", data_dir=str(tmp_path))
    found = resolve(options, environment)
    assert found.address.url == "http://flag:1"
    assert found.address.api_key == "key"
    assert found.settings == {"plex_url": "http://environment:2", "max_tags": 9}
    file.write_text("colour = 1\n")
    with pytest.raises(ConfigError, match="unknown keys: colour"):
        resolve(options, environment)
    file.write_text("not toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve(options, environment)
    with pytest.raises(ConfigError, match="does not exist"):
        resolve(options, {"STASH2PLEX_CONFIG": str(tmp_path / "missing.toml")})
