"""The stand-in's sockets: the listener, its connections, and how an answer goes wrong."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from stash2plex_testing.plex.exchange import Answer, Request
from stash2plex_testing.plex.faults import Fault
from stash2plex_testing.plex.render import to_json, to_xml

if TYPE_CHECKING:
    from stash2plex_testing.plex.server import FakePlex


class Listener(ThreadingHTTPServer):
    """Keeps its connections, so that it can close them; waits for its threads."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients that hang up are part of the tests."""

    def close_connections(self) -> None:
        """End every connection, so that no thread waits for another request."""
        with self._open_lock:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class Connection(BaseHTTPRequestHandler):
    """One connection of a client. `plex` answers what it asks."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    plex: FakePlex
    served = 0

    def setup(self) -> None:
        """Close the connection when it is idle for too long."""
        super().setup()
        self.connection.settimeout(self.plex.limits.keep_alive)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Log nothing: the log is ours."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self.plex.handle(self)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write the time of this server's clock."""
        return super().date_time_string(self.plex.now() if timestamp is None else timestamp)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def read_request(self) -> Request:
        """Parse the request."""
        self.served += 1
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length) if length else b"",
            len(self.path),
            self.served > 1,
        )

    def send(self, answer: Answer, *, json_wanted: bool) -> None:
        """Send an answer."""
        body, kind = answer.body, answer.content_type
        if answer.container is not None:
            body = to_json(answer.container) if json_wanted else to_xml(answer.container)
            kind = "application/json" if json_wanted else "text/xml;charset=utf-8"
        self._send(answer.status, body, {"Content-Type": kind})

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def misbehave(self, fault: Fault) -> None:
        """Answer as the fault demands."""
        match fault.kind:
            case "status":
                self._send(fault.status, fault.body, {"Content-Type": "text/html", **fault.headers})
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
            case "close":
                self.close_connection = True
            case "hang":
                fault.released.wait(120.0)
                self.close_connection = True
            case "half":
                self._send(
                    200,
                    b'{"MediaContainer": {"size": 1, "Meta',
                    {"Content-Type": "application/json"},
                    4096,
                )
                self.close_connection = True
            case "malformed":
                self._send(
                    200, b'{"MediaContainer": {"size": 1,,}', {"Content-Type": "application/json"}
                )
            case "empty":
                self._send(200, b"", {"Content-Type": "application/json"})
            case "html":
                self._send(200, b"<html><body>Sign in</body></html>", {"Content-Type": "text/html"})
            case "redirect":
                self._send(302, b"", {"Location": "/login"})
            case "drip":
                self._drip(fault.released, endless=False)
            case "endless":
                self._drip(fault.released, endless=True)
            case _:
                raise AssertionError(f"no such fault: {fault.kind}")

    def _drip(self, released: threading.Event, *, endless: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        part = b" " * 65536 if endless else b" "
        while not released.is_set():
            self.wfile.write(part)
            self.wfile.flush()
            if not endless:
                released.wait(0.05)
