"""What a probe puts back: a list, in as few edits as the server needs."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.operations.probe.snapshot import Held, _restore_list
from stash2plex.servers.plexraw import PlexRaw


class Raw(PlexRaw):
    """One item's list of genres; a server that adds what is sent, or replaces its list by it."""

    def __init__(self, *held: str, replaces: bool) -> None:
        self.held = list(held)
        self.replaces = replaces
        self.edits: list[list[str]] = []

    def row(self, key: str) -> Any:
        return {"Genre": [{"tag": name} for name in self.held]}

    def edit(self, section_id: str, keys: Any, parameters: Any) -> None:
        sent = [value for name, value in parameters if name.endswith(".tag.tag")]
        gone = [value for name, value in parameters if name.endswith(".tag.tag-")]
        self.edits.append([*sent, *(f"-{name}" for name in gone)])
        kept = [] if self.replaces and sent else self.held
        self.held = [*(name for name in kept if name not in ",".join(gone).split(",")), *sent]


@pytest.mark.parametrize(
    ("replaces", "edits"), [(False, [["Ebb"]]), (True, [["Ebb"], ["Fog", "Ebb"]])]
)
def test_a_list_is_restored_in_as_few_edits_as_the_server_needs(replaces, edits):
    client = Raw("Fog", replaces=replaces)
    held = Held("7", "1", {}, None, {"genre": [{"tag": "Fog"}, {"tag": "Ebb"}]}, [])
    _restore_list(client, held, client.row("7"), "genre")
    assert (client.held, client.edits) == (["Fog", "Ebb"], edits)
    client = Raw("Fog", "Ebb", "Tide", replaces=replaces)
    _restore_list(client, held, client.row("7"), "genre")
    assert (client.held, client.edits) == (["Fog", "Ebb"], [["-Tide"]])
