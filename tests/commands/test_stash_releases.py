"""Every release of Stash that is promised: each of our questions is one that it can answer."""

from __future__ import annotations

import json
import re

import pytest
from graphql import print_type

from stash2plex.version import OLDEST_STASH
from stash2plex_testing.stash.graphql_api import load_schema
from stash2plex_testing.stash.releases import missing_in, releases
from tests.commands.conftest import Shell
from tests.docs.test_release import read

BULK = "mutation Bulk($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
LAST_OF_EACH = ("v0.27.2", "v0.28.1", "v0.29.3", "v0.30.1")
"""Releases between which the schema changed; within one it did not."""

TRIED = (
    ("sync", "--all"), ("sync", "--recent"), ("sync", "--all", "--dry-run"), ("reconcile",),
    ("health",), ("status",), ("scene", "1"), ("process",), ("report",),
)  # fmt: skip


def test_the_oldest_release_is_the_one_that_is_promised():
    oldest = "v" + ".".join(map(str, OLDEST_STASH))
    assert releases()[0].startswith(f"{oldest}.")
    assert f"Stash {oldest[1:]} or newer" in read("docs", "guides", "install.md")


def test_releases_of_one_minor_have_one_schema():
    by_minor: dict[str, set[tuple[str, ...]]] = {}
    for name in releases():
        by_minor.setdefault(name.rpartition(".")[0], set()).add(missing_in(name))
    assert all(len(kinds) == 1 for kinds in by_minor.values())
    assert [name.rpartition(".")[0] for name in LAST_OF_EACH] == list(by_minor)


@pytest.fixture(params=LAST_OF_EACH)
def desk(request, tmp_path, capfd, monkeypatch):
    missing = missing_in(request.param)
    with Shell(str(tmp_path), capfd, missing=missing) as desk:
        desk.stash.core.version = request.param
        monkeypatch.setenv("STASH2PLEX_STASH_URL", desk.stash.url)
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", desk.folder)
        desk.fill(6)
        desk.set(trigger_plex_scan=True, reconcile_interval="daily")
        yield desk


def in_sync(desk):
    scenes = json.loads(desk.run("status", "--json")[1])["scenes"]
    return scenes["total"] == 6 == scenes["in_sync"]


def test_all_that_asks_stash_is_answered(desk):
    for words in TRIED:
        code, _, err = desk.run(*words)
        assert code in (0, 1), (words, err)
    assert in_sync(desk)
    desk.graphql(BULK, i={"ids": [str(number) for number in range(1, 7)], "title": "Renamed"})
    desk.graphql(
        "mutation S($i: StudioUpdateInput!) { studioUpdate(input: $i) { id } }",
        i={"id": "4", "name": "Another harbour"},
    )
    assert desk.run("sync", "--all")[0] == 0
    assert in_sync(desk)
    refused = [one for one in desk.stash.requests if one.status == 422]
    assert refused == []


def test_an_older_stash_is_named_in_a_sentence(tmp_path, capfd, monkeypatch):
    missing = (*missing_in("v0.27.0"), "Scene.groups")
    with Shell(str(tmp_path), capfd, missing=missing) as desk:
        desk.stash.core.version = "v0.26.2"
        monkeypatch.setenv("STASH2PLEX_STASH_URL", desk.stash.url)
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", desk.folder)
        desk.set()
        code, out, err = desk.run("sync", "--all", "--wait", "0")
        assert code == 3
        assert "Is it really Stash, v0.27 or newer?" in " ".join((out + err).split())


def test_a_definition_can_be_left_out_by_its_place():
    schema = load_schema(("Studio.urls", "Query.findSceneMarkers(ids)"))
    assert "urls:" not in print_type(schema.type_map["Studio"])
    assert "urls:" in print_type(schema.type_map["Scene"])
    (markers,) = re.findall(r"findSceneMarkers\((.*?)\)", print_type(schema.type_map["Query"]))
    assert "ids:" not in markers
    assert "filter:" in markers


def test_the_page_asks_only_what_every_release_has():
    text = read("plugin", "ui", "stash2plex.js") + read("plugin", "Stash2PlexHooks.js")
    newer = {one.split(".")[1].split("(")[0] for one in missing_in(releases()[0])}
    # Words of GraphQL in a script stand in a template or a text.
    asked = set(re.findall(r"\b(find\w+|bulk\w+|runPlugin\w+|configurePlugin|jobQueue)\b", text))
    assert asked & newer == set()
