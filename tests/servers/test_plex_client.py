"""What each request to Plex shows of us, and how long a question about its owner may take."""

from __future__ import annotations

from collections.abc import Mapping

from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.plexwire import WireContainer
from stash2plex.version import VERSION


def test_plex_shows_its_user_who_asks():
    headers = plex_headers("secret", "client 1")
    assert headers == {
        "Accept": "application/json",
        "X-Plex-Token": "secret",
        "X-Plex-Client-Identifier": "client 1",
        "X-Plex-Product": "Stash2Plex",
        "X-Plex-Version": VERSION,
        "X-Plex-Platform": "Python",
        "X-Plex-Device": "Stash",
        "X-Plex-Device-Name": "Stash2Plex",
        "X-Plex-Model": "plugin",
    }


class Asked(Plex):
    """Keeps what it is asked for, and for how long it would wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def _get(
        self,
        path: str,
        doing: str,
        headers: Mapping[str, str] | None = None,
        *,
        most_seconds: float = 0.0,
    ) -> WireContainer:
        self.asked.append((path, most_seconds))
        return WireContainer(claimed=False, machineIdentifier="m")


def test_whether_a_plex_has_no_owner_is_asked_within_the_callers_time():
    plex = Asked()
    assert plex._has_no_owner(3.0)
    assert plex.asked == [("/identity", 3.0)]
