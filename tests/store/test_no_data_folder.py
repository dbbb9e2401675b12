"""A data folder that cannot be created: each door names the same cause, and the cure that fits."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from stash2plex import plugin
from tests.unit.test_doors_here import SAVE, Door

EDIT = {"mode": "record", "hook": "Scene.Update.Post", "ids": [12], "fields": ["title"]}
DOORS = [SAVE, EDIT, {"mode": "status"}, {"mode": "all"}, {"mode": "health"}, {"mode": "page"}]


def said(answer):
    """Return the sentence of an answer, wherever it stands in it."""
    if "error" in answer:
        return answer["error"]
    output = answer["output"]
    if "problem" in output:
        return f"{output['problem']['what']} {output['problem']['do']}"
    if "checks" in output:
        (check,) = [one for one in output["checks"] if one["state"] == "failed"]
        assert check["name"] == "database"
        return f"{check['detail']} {check['fix']}"
    assert output["recorded"] == 0
    return output["error"]


class Stash(Door):
    """Sends what a Stash on this machine sends."""

    def ask(self, arguments):
        connection = {"Dir": str(self.config), "Host": "127.0.0.1", "Port": 9}
        request = json.dumps({"server_connection": connection, "args": arguments})
        self.replace(sys, "stdin", io.TextIOWrapper(io.BytesIO(request.encode())))
        plugin.main([], self.plugin)
        return said(self.answers[0])


@pytest.fixture
def door(tmp_path, monkeypatch):
    return Stash(tmp_path, monkeypatch)


@pytest.mark.parametrize("asked", DOORS, ids=lambda one: one.get("mode", "save"))
def test_a_link_that_leads_nowhere(door, asked):
    door.config.mkdir()
    door.data.symlink_to("harbour")
    told = door.ask(asked)
    nowhere = door.config / "harbour"
    assert f"“{door.data}” is a link to “{nowhere}”, which does not exist." in told
    assert told.endswith(f"Create “{nowhere}”, or remove the link.")


@pytest.mark.parametrize("asked", DOORS, ids=lambda one: one.get("mode", "save"))
def test_a_folder_of_five_hundred_bytes(door, asked):
    """Such a folder can be made, but SQLite opens no file in it."""
    while len(os.fsencode(door.config)) < 500:
        door.config /= "l" * min(99, 499 - len(os.fsencode(door.config)))
    door.config.mkdir(parents=True)
    told = door.ask(asked)
    assert told.endswith("set STASH2PLEX_DATA_DIR to a shorter one.")
    assert "writable" not in told
    assert os.listdir(door.config) == []
