"""Where the command line finds its settings, its data folder and Stash."""

from __future__ import annotations

import os

import pytest

from stash2plex.cli.config import DEFAULT_STASH_URL, CliOptions, read_file, resolve
from stash2plex.errors import ConfigError
from stash2plex_testing.stash import FakeStash


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_the_file_is_looked_for_where_the_system_keeps_such_files(tmp_path):
    write(tmp_path / ".config/stash2plex/config.toml", "max_tags = 1")
    write(tmp_path / "xdg/stash2plex/config.toml", "max_tags = 2")
    named = write(tmp_path / "named.toml", "max_tags = 3")
    flag = write(tmp_path / "flag.toml", "max_tags = 4")
    home = {"HOME": str(tmp_path)}
    assert read_file(None, home) == {"max_tags": 1}
    home["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    assert read_file(None, home) == {"max_tags": 2}
    assert read_file(None, home | {"STASH2PLEX_CONFIG": named}) == {"max_tags": 3}
    assert read_file(flag, home | {"STASH2PLEX_CONFIG": named}) == {"max_tags": 4}
    assert read_file(None, {"HOME": str(tmp_path / "nobody")}) == {}


def test_a_file_that_cannot_be_used_is_named_and_none_of_its_text_is_shown(tmp_path):
    missing = str(tmp_path / "missing.toml")
    with pytest.raises(ConfigError) as raised:
        read_file(missing, {})
    assert str(raised.value) == f"The configuration file “{missing}” does not exist."
    (tmp_path / "bytes.toml").write_bytes(b'plex_token = "\xff secret"')
    for name, why in (("bytes.toml", "not TOML"), ("", "Is a directory")):
        with pytest.raises(ConfigError) as raised:
            read_file(str(tmp_path / name), {})
        assert "cannot be read: " in str(raised.value)
        assert why in str(raised.value)
        assert "secret" not in str(raised.value)


def resolved(environment=None, **flags):
    return resolve(CliOptions(data_dir="/nowhere", **flags), environment or {"HOME": "/nowhere"})


def test_what_nothing_sets_has_its_default():
    found = resolved()
    assert (found.address.url, found.address.api_key) == (DEFAULT_STASH_URL, "")
    assert (found.data_dir, found.settings) == ("/nowhere", {})
    assert resolved(stash_url="http://stash:1/").address.url == "http://stash:1"
    assert resolved(settings={"max_tags": 1}).settings == {"max_tags": 1}
    everywhere = {"HOME": "/nowhere", "STASH2PLEX_MAX_TAGS": "2"}
    assert resolved(everywhere).settings == {"max_tags": "2"}
    assert resolved(everywhere, settings={"max_tags": 1}).settings == {"max_tags": 1}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("stash:9999", "is “stash:9999”; it must begin with http:// or https://."),
        ("http://ann:secret@stash", "is “http://…@stash”; it must be a plain http(s)://host:port."),
        ("http://stash?apikey=secret", "is “http://stash?…”; it must be a plain"),
        ("http://stash#secret", "is “http://stash?…”; it must be a plain"),
        ("http://st ash", "it must be a plain http(s)://host:port. The key goes into "),
    ],
)
def test_an_address_of_stash_is_plain_and_shown_without_its_secrets(address, words):
    with pytest.raises(ConfigError) as raised:
        resolved(stash_url=address)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_key_that_there_is_none_of_is_named(tmp_path):
    file = write(tmp_path / "a.toml", 'stash_urls = "x"\ncolour = 1\nmax_tags = 1\ndata_dir = "d"')
    with pytest.raises(ConfigError) as raised:
        resolved(config_file=file)
    assert str(raised.value) == "The configuration file has unknown keys: colour, stash_urls."


def test_the_data_folder_is_the_plugins_own_if_this_machine_has_it(tmp_path, monkeypatch):
    stash = FakeStash(root=str(tmp_path / "stash"))
    stash.start()
    try:
        home = {"HOME": str(tmp_path)}
        options = CliOptions(stash_url=stash.url)
        found = resolve(options, home)
        assert os.path.basename(found.data_dir) == "stash2plex"
        assert found.data_dir.startswith(str(tmp_path / "stash"))
        monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path / "named"))
        stash.clear_log()
        assert resolve(options, home).data_dir == str(tmp_path / "named")
        assert stash.requests == []
        monkeypatch.delenv("STASH_PLUGIN_DATA")
        monkeypatch.setattr(os.path, "isdir", lambda _: False)
        with pytest.raises(ConfigError) as raised:
            resolve(options, home)
        folder = os.path.dirname(found.data_dir)
        assert raised.value.what == (
            f"Stash keeps its data in “{folder}”, which is not on this machine (a container?)."
        )
        assert raised.value.fix == (
            "Run this inside the container, or name the folder with --data-dir."
        )
    finally:
        stash.stop()
