"""The common part of both clients: a transport, and what it can report."""

from __future__ import annotations

from stash2plex.servers.transport import Transport


class Client:
    """Sends requests to one server over `transport`. Close it when done."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._transport.requests

    @property
    def server_time(self) -> float | None:
        """The time of the last answer by the server's own clock, in epoch seconds."""
        return self._transport.server_time
