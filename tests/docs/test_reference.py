"""What is written about the code is what the code does."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml

from stash2plex.config import SPECS
from stash2plex.tasks.registry import TASKS
from stash2plex.version import VERSION
from tools.build_docs import ROOT, pages

CONTRACT_TRIGGERS = {
    "Scene.Create.Post", "Scene.Update.Post", "Scene.Destroy.Post", "Performer.Update.Post",
    "Performer.Destroy.Post", "Studio.Update.Post", "Studio.Destroy.Post", "Tag.Update.Post",
    "Tag.Merge.Post", "Tag.Destroy.Post", "Group.Update.Post", "Group.Destroy.Post",
}  # fmt: skip


def plugin_yml(name="Stash2Plex"):
    with open(os.path.join(ROOT, "plugin", f"{name}.yml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("name", sorted(pages()))
def test_reference_pages_are_what_the_code_says(name):
    assert read("docs", "reference", name) == pages()[name], "run make docs"


def test_the_yml_shows_every_task_in_order_with_what_it_does_and_when_to_press_it():
    shown = [
        (task["name"], task["defaultArgs"]["mode"], task["description"])
        for task in plugin_yml()["tasks"]
    ]
    assert shown == [(task.button, task.mode, task.description) for task in TASKS if task.button]
    for task in TASKS:
        assert bool(task.button) == bool(task.when)
        assert not task.when or re.fullmatch(r"Press it [^.]+\.", task.when), task.mode


def test_the_settings_of_the_yml_are_those_of_the_class_in_its_order():
    assert plugin_yml()["settings"] == {
        spec.key: {"displayName": spec.label, "description": spec.description(), "type": spec.type}
        for spec in SPECS
    }
    assert list(plugin_yml()["settings"]) == [spec.key for spec in SPECS]


def test_the_hooks_listen_to_each_trigger_once():
    hooks = plugin_yml("Stash2PlexHooks")["hooks"]
    triggers = [one for hook in hooks for one in hook["triggeredBy"]]
    assert sorted(triggers) == sorted(CONTRACT_TRIGGERS)
    assert "hooks" not in plugin_yml()


def test_one_version_everywhere():
    assert str(plugin_yml()["version"]) == VERSION
    assert str(plugin_yml("Stash2PlexHooks")["version"]) == VERSION
    assert f"## {VERSION}" in read("CHANGELOG.md")


def test_every_link_of_the_docs_leads_somewhere():
    texts = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in texts:
        folder = os.path.dirname(os.path.join(ROOT, name))
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(name)):
            if "://" not in target:
                assert os.path.exists(os.path.join(folder, target)), f"{name}: {target}"


def test_every_module_and_folder_that_contributing_names_is_there():
    text = read("CONTRIBUTING.md").partition("## Find your way")[2]
    paths = set(re.findall(r"`([a-z_0-9]+(?:/[A-Za-z_0-9]+)*(?:/|\.py|\.yml))`", text))
    assert {"rules/policy.py", "tasks/registry.py"} <= paths
    places = (ROOT, os.path.join(ROOT, "stash2plex"), os.path.join(ROOT, "stash2plex", "ui"))
    missing = {
        path for path in paths if not any(os.path.exists(os.path.join(at, path)) for at in places)
    }
    assert missing == set()


def test_every_make_verb_is_in_contributing():
    verbs = re.findall(r"^([a-z-]+):.*## ", read("Makefile"), re.MULTILINE)
    text = read("CONTRIBUTING.md") + read("README.md")
    assert [
        verb for verb in verbs if f"make {verb}" not in text and verb not in ("help", "clean")
    ] == []
