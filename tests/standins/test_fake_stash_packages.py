"""Packages of plugins in the stand-in: installed, updated, uninstalled, with their pages."""

import os
import zipfile
from pathlib import Path

import pytest

from stash2plex_testing.stash import FakeStash
from tests.standins.plugins import YML, plugin


def archive(path: Path, files: dict[str, str]) -> str:
    with zipfile.ZipFile(path, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return str(path)


def test_install_and_update(stash: FakeStash, tmp_path: Path) -> None:
    one = archive(tmp_path / "1.zip", {"example.yml": YML, "run.py": "", "lib/old.py": ""})
    two = archive(tmp_path / "2.zip", {"example.yml": YML, "run.py": "", "lib/new.py": ""})
    assert stash.install(one) == "example"
    folder = os.path.join(stash.plugins_dir, "example")
    assert [manifest.folder for manifest in stash.plugins.manifests] == [folder]
    with open(os.path.join(folder, "data.db"), "w", encoding="ascii") as file:
        file.write("mine")
    stash.install(two)
    found = {
        os.path.relpath(os.path.join(base, name), folder)
        for base, _, names in os.walk(folder)
        for name in names
    }
    assert found == {"example.yml", "run.py", "lib/new.py", "manifest", "data.db"}
    assert stash.install(one, "community") == "example"
    assert os.path.isfile(os.path.join(stash.plugins_dir, "community", "example", "run.py"))


def test_a_package_of_several_configs_is_named_after_its_archive(
    stash: FakeStash, tmp_path: Path
) -> None:
    hooks = "name: Hooks\n"
    both = archive(tmp_path / "example.zip", {"example.yml": YML, "hooks.yml": hooks, "run.py": ""})
    assert stash.install(both) == "example"
    assert [manifest.id for manifest in stash.plugins.manifests] == ["example", "hooks"]
    unclear = archive(tmp_path / "1.zip", {"example.yml": YML, "hooks.yml": hooks})
    with pytest.raises(ValueError, match="2 yml files"):
        stash.install(unclear)


def test_uninstalling_leaves_what_the_package_did_not_bring(
    stash: FakeStash, tmp_path: Path
) -> None:
    package = archive(tmp_path / "1.zip", {"example.yml": YML, "run.py": "", "lib/a.py": ""})
    folder = os.path.join(stash.plugins_dir, "example")
    stash.install(package)
    stash.configure_plugin("example", {"b_url": "http://harbour.example"})
    stash.uninstall("example")
    assert os.listdir(folder) == ["lib"], "an empty folder of a package stays"
    assert stash.plugins.manifests == []
    assert stash.plugins.settings["example"] == {"b_url": "http://harbour.example"}


def test_ui_files(stash: FakeStash) -> None:
    folder = plugin(stash)
    os.mkdir(os.path.join(folder, "shown"))
    for name, text in (("ui.js", "let x;"), ("shown/a.json", "{}"), ("secret", "s")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    client = stash.client()
    script = client.get("/plugin/example/javascript")
    assert (script.body, script.headers["content-type"]) == (b"let x;", "text/javascript")
    assert client.get("/plugin/example/assets/files/a.json").body == b"{}"
    assert client.get("/plugin/example/assets/files/../../secret").status == 404
    assert client.get("/plugin/none/javascript").status == 404
