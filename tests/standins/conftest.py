"""Both stand-ins: Plex with one library, its reader python-plexapi, and its bare wire."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from plexapi.server import PlexServer

from stash2plex_testing.plex import FakePlex
from stash2plex_testing.stash import FakeStash


class Wire:
    """Sends requests letter by letter, each on a connection of its own."""

    def __init__(self, plex):
        self.plex = plex

    def ask(self, method, path, body=None, *, token=None, accept="application/json"):
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plex.port, timeout=30)
        try:
            headers = {"X-Plex-Token": token or self.plex.token, "Accept": accept}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def rows(self, path, **options):
        """Return the rows of a container."""
        return json.loads(self.ask("GET", path, **options)[2])["MediaContainer"]["Metadata"]

    def edit(self, item, *parameters):
        """Edit an item; the parameters keep their order."""
        query = urlencode([("type", 1), ("id", item.rating_key), *parameters])
        return self.ask("PUT", f"/library/sections/{item.section.id}/all?{query}")[0]

    def add(self, item, kind, *names):
        """Send an indexed list."""
        return self.edit(item, *((f"{kind}[{n}].tag.tag", name) for n, name in enumerate(names)))

    def remove(self, item, kind, *names):
        """Remove names, joined by commas; none of them has one."""
        return self.edit(item, (f"{kind}[].tag.tag-", ",".join(names)))


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[FakeStash]:
    with FakeStash(root=str(tmp_path)) as server:
        yield server


@pytest.fixture
def plex():
    with FakePlex() as server:
        server.add_section("Harbour Films", locations=["/media"])
        yield server


@pytest.fixture
def films(plex):
    return plex._library.sections[1]


@pytest.fixture
def reader(plex):
    server = PlexServer(plex.url, plex.token)
    yield server
    server._session.close()


@pytest.fixture
def wire(plex):
    return Wire(plex)
