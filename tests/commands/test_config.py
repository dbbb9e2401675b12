"""Where a command finds its settings, Stash, and the data folder."""

from __future__ import annotations

import os
import shutil

import pytest

from stash2plex.cli.config import CliOptions, resolve
from stash2plex.errors import ConfigError, Unavailable


def test_an_address_of_stash_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match="“ftp://quay”; it must begin with http"):
        resolve(CliOptions(stash_url="ftp://quay", data_dir=str(tmp_path)), {})


@pytest.mark.parametrize(("name", "place"), [("HOME", ".config/"), ("XDG_CONFIG_HOME", "")])
def test_the_configuration_is_found_where_the_system_keeps_such_files(tmp_path, name, place):
    folder = tmp_path / place / "stash2plex"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("max_tags = 9\n")
    options = CliOptions(data_dir=str(tmp_path))
    assert resolve(options, {name: str(tmp_path)}).settings == {"max_tags": 9}
    assert resolve(options, {name: str(tmp_path / "elsewhere")}).settings == {}


def test_the_data_folder_is_beside_stash_or_where_the_environment_says(desk, monkeypatch, tmp_path):
    found = resolve(CliOptions(stash_url=desk.stash.url, data_dir=str(tmp_path)), {})
    assert found.data_dir == str(tmp_path)
    monkeypatch.delenv("STASH2PLEX_DATA_DIR")
    options = CliOptions(stash_url=desk.stash.url)
    beside = resolve(options, {}).data_dir
    assert os.path.basename(beside) == "stash2plex"
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path / "given"))
    assert resolve(options, {}).data_dir == str(tmp_path / "given")
    monkeypatch.delenv("STASH_PLUGIN_DATA")
    shutil.rmtree(os.path.dirname(beside))
    with pytest.raises(ConfigError, match="not on this machine") as caught:
        resolve(options, {})
    assert "--data-dir" in (caught.value.fix or "")
    desk.stash.stop()
    with pytest.raises(Unavailable):
        resolve(options, {})
