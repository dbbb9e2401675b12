"""Keeps the port of a stand-in that is down: nobody answers there, and nobody else gets it."""

from __future__ import annotations

import socket


class KeptPort:
    """A port that is bound, and not listened at: a client is refused.

    A port that is free may become that of any client on the machine, before its stand-in comes
    back.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def keep(self, host: str, port: int) -> None:
        """Bind the port."""
        self.free()
        kept = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        # So that a listener may take it, once this one is gone or even before.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            kept.bind((host, port))
        except OSError:
            # Something else has it already: that decides what clients meet.
            kept.close()
        else:
            self._socket = kept

    def free(self) -> None:
        """Leave the port to whoever wants it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
