"""The stand-in's HTTP: tokens, latency, the one writer, faults, and the log."""

from __future__ import annotations

import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from stash2plex_testing.plex.faults import Fault, Faults
from stash2plex_testing.plex.library import Item, PlexLibrary, Scanning, Section
from stash2plex_testing.plex.log import RequestLog, RequestRecord
from stash2plex_testing.plex.render import to_json, to_xml
from stash2plex_testing.plex.routes import Answer, Request, Routes, error

OPEN_PATHS = ("/identity", "/web")


@dataclass
class Latency:
    """Seconds. Writes and uploads go through one writer, as in Plex (plex.md §7)."""

    read: float = 0.0
    list_per_1000: float = 0.0
    write: float = 0.0
    upload: float = 0.0


@dataclass
class Overload:
    """A server that slows down: above `capacity` in flight each one more multiplies the time."""

    capacity: int = 4
    factor: float = 1.5
    base: float = 0.02
    hang_above: int = 32


class FakePlex:
    """A Plex Media Server on loopback. Use it as a context manager, or start and stop it.

    `viewer_token` may read but not edit, as that of a shared user (plex.md §1.3). `clock` gives the
    times of items and of the Date header. `tag_semantics` is what an indexed tag list means for one
    item, "append" or "replace" (plex.md §3.6 leaves it open); "replace_sets" replaces in edits of
    several items too.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str = "fake-plex-token",
        latency: Latency | None = None,
        overload: Overload | None = None,
        tag_semantics: str = "replace",
        tls_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.port = port
        self.token = token
        self.viewer_token = "viewer-token"
        self.latency = latency or Latency()
        self.overload = overload
        self.version = "1.43.0.10467-test"
        self.machine_identifier = secrets.token_hex(20)
        self.faults = Faults()
        self.writer_seconds = 0.0
        self.most_in_flight = 0
        self._library = PlexLibrary(clock)
        self.tag_semantics = tag_semantics
        self._clock = clock
        self._tls = tls_context
        self._log = RequestLog()
        self._routes = Routes(self._library, self)
        self._writer = threading.Lock()
        self._flight = threading.Lock()
        self._in_flight = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._maintenance = False

    # -- life -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on loopback."""
        handler = type("Handler", (_Handler,), {"plex": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="fake-plex"
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the listener and every connection."""
        self.faults.clear()
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._server = self._thread = None

    down = stop

    def up(self) -> None:
        """Listen again on the same port."""
        self.start()

    @property
    def listening(self) -> bool:
        """Whether it is up."""
        return self._server is not None

    def maintenance(self, on: bool) -> None:
        """Answer 503 to everything but /identity, or no longer (plex.md §1.5)."""
        self._maintenance = on

    @property
    def url(self) -> str:
        """Return the address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    # -- library --------------------------------------------------------------------------

    @property
    def scanning(self) -> Scanning:
        """Return how scans go; change it to have them take long or miss folders."""
        return self._library.scanning

    @property
    def tag_semantics(self) -> str:
        """Return what an indexed tag list means for one item."""
        return self._library.tag_semantics

    @tag_semantics.setter
    def tag_semantics(self, value: str) -> None:
        self._library.tag_semantics = value

    @property
    def whole_library_edits(self) -> int:
        """Count edits that named no item and so changed every one."""
        return self._library.whole_library_edits

    def add_section(
        self,
        title: str,
        type: str = "movie",  # noqa: A002 - Plex's word
        locations: list[str] | None = None,
    ) -> Section:
        """Make a library."""
        return self._library.add_section(title, type, locations or ["/media"])

    def add_item(
        self,
        section: Section,
        file: str | None = None,
        *,
        files: list[str] | None = None,
        size: int | None = None,
        sizes: list[int | None] | None = None,
        title: str | None = None,
        **texts: str,
    ) -> Item:
        """Make an item of one file, or of several versions."""
        paths = files or [file or ""]
        all_sizes = sizes or [size] * len(paths)
        return self._library.add_item(section, zip(paths, all_sizes, strict=True), title, texts)

    def remove_item(self, item: Item) -> None:
        """Take an item away."""
        self._library.remove_item(item)

    def trash_item(self, item: Item) -> None:
        """Mark an item whose file is missing (plex.md §6.4)."""
        item.deleted_at = self._library.now()
        self._library.touch(item.section)

    def move_file(self, item: Item, path: str) -> None:
        """Give an item's first file another path, found by a scan."""
        item.parts[0].path = path
        self._library.touch(item.section)

    def readd_item(self, item: Item) -> Item:
        """Remove an item and add its files afresh: a new rating key."""
        self._library.remove_item(item)
        return self._library.add_item(
            item.section, [(part.path, part.size) for part in item.parts], None, {}
        )

    def item(self, rating_key: int | str) -> Item:
        """Return what is held for an item."""
        return self._library.items[int(rating_key)]

    def all_items(self) -> list[Item]:
        """Return all items."""
        return list(self._library.items.values())

    # -- log ------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """Return the requests so far."""
        return self._log.records

    @property
    def clients(self) -> set[str]:
        """Return every client identifier that was seen."""
        return self._log.clients

    @property
    def tokens_in_urls(self) -> int:
        """Count requests that carried the token in the address."""
        return self._log.tokens_in_urls

    def count(self, method: str | None = None, path: str = "") -> int:
        """Count requests by method and a pattern of the path."""
        return self._log.count(method, path)

    def clear_log(self) -> None:
        """Forget the requests."""
        self._log.clear()

    # -- answering ------------------------------------------------------------------------

    def now(self) -> float:
        """Tell the time of this server's clock, in epoch seconds."""
        return self._clock()

    def handle(self, handler: _Handler) -> None:
        """Answer one request."""
        request = handler.read_request()
        with self._flight:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            flying = self._in_flight
        status = 0
        noted = False
        try:
            self._slow_down(flying)
            fault = self.faults.take(request.method, request.path, request.query)
            if fault is not None and not fault.after_apply and fault.kind != "wrong_items":
                status = handler.misbehave(fault, self.faults)
                return
            if fault is not None and fault.kind == "wrong_items":
                request, fault = self._of_others(request), None
            answer = self._answer(request)
            status = answer.status
            if fault is not None:
                status = handler.misbehave(fault, self.faults)
                return
            # Before it is sent: who has the answer finds its request in the log.
            self._note(request, status)
            noted = True
            handler.send(answer, json_wanted="json" in request.headers.get("accept", ""))
        finally:
            with self._flight:
                self._in_flight -= 1
            if not noted:
                self._note(request, status)

    def _of_others(self, request: Request) -> Request:
        """Ask for every item that a request of details did not ask for."""
        asked = set(request.path.rpartition("/")[2].split(","))
        others = [str(key) for key in self._library.items if str(key) not in asked]
        return replace(request, path=f"/library/metadata/{','.join(others)}")

    def _slow_down(self, flying: int) -> None:
        model = self.overload
        if model is None:
            return
        if flying > model.hang_above:
            self.faults.released.wait(60.0)
        extra = max(0, flying - model.capacity)
        time.sleep(model.base * model.factor**extra)

    def _answer(self, request: Request) -> Answer:
        if self._maintenance and request.path != "/identity":
            fault = Fault.maintenance()
            return Answer(status=503, body=fault.body, content_type="text/xml")
        if request.path not in OPEN_PATHS and not request.path.endswith(("/thumb", "/art")):
            token = request.headers.get("x-plex-token") or request.one("X-Plex-Token")
            if token not in (self.token, self.viewer_token):
                return error(401, "Unauthorized")
            if token == self.viewer_token and request.method != "GET":
                return error(403, "Forbidden")
        writes = request.method in ("PUT", "POST")
        if not writes:
            time.sleep(self.latency.read)
            answer = self._routes.answer(request)
            if answer.rows:
                time.sleep(self.latency.list_per_1000 * answer.rows / 1000)
            return answer
        with self._writer:
            answer = self._routes.answer(request)
            if answer.status == 200:
                seconds = self.latency.upload if answer.cost == "upload" else self.latency.write
                time.sleep(seconds)
                self.writer_seconds += seconds
        return answer

    def _note(self, request: Request, status: int) -> None:
        query = {name: values for name, values in request.query.items() if name != "X-Plex-Token"}
        if len(query) != len(request.query):
            self._log.tokens_in_urls += 1
        self._log.add(
            RequestRecord(
                self._clock(),
                request.method,
                request.path,
                query,
                status,
                request.headers.get("x-plex-client-identifier", ""),
                len(request.body),
            )
        )


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that it can close them; waits for its threads."""

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
        """Say nothing: clients that hang up are part of the tests."""

    def close_connections(self) -> None:
        """End every connection, so that no thread waits for another request."""
        with self._open_lock:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    plex: FakePlex

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing: the log is ours."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self.plex.handle(self)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write the time of this server's clock."""
        return super().date_time_string(self.plex.now() if timestamp is None else timestamp)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def read_request(self) -> Request:
        """Take the request apart."""
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length) if length else b"",
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

    def misbehave(self, fault: Fault, faults: Faults) -> int:
        """Do what the fault says; returns the status for the log."""
        match fault.kind:
            case "status":
                self._send(fault.status, fault.body, {"Content-Type": "text/html", **fault.headers})
                return fault.status
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return 0
            case "hang":
                faults.released.wait(120.0)
                self.close_connection = True
                return 0
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
                return 302
            case "drip":
                self._drip(faults, endless=False)
            case "endless":
                self._drip(faults, endless=True)
            case _:
                raise AssertionError(f"no such fault: {fault.kind}")
        return 200

    def _drip(self, faults: Faults, *, endless: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        part = b" " * 65536 if endless else b" "
        while not faults.released.is_set():
            self.wfile.write(part)
            self.wfile.flush()
            if not endless:
                faults.released.wait(0.05)
