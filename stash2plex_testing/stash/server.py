"""The HTTP side: connections, the request log, authentication, faults, latency."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from stash2plex_testing.stash.auth import Session
from stash2plex_testing.stash.core import Core
from stash2plex_testing.stash.criteria import StashError
from stash2plex_testing.stash.faults import Fault, Faults
from stash2plex_testing.stash.images import Reply
from stash2plex_testing.stash.log import RequestEntry
from stash2plex_testing.stash.plugins import Caller
from stash2plex_testing.stash.requestbody import BodyError, read_request
from stash2plex_testing.stash.routes import HTML, Request, Routes, cookie_header, found
from stash2plex_testing.stash.shown import without

SHORT = 300
"""Characters of an operation's text that the request log keeps."""

COMPRESSED = ("application/json", "text/html", "text/css", "text/plain", "text/javascript",
              "application/javascript", "image/svg+xml")  # fmt: skip
LEVEL = 4
"""Stash's own."""

POLL = 0.02
"""Seconds that the accepting thread takes to notice the end."""


@dataclass
class Latency:
    """Seconds added before each answer: `read` for GraphQL requests and for pictures."""

    read: float = 0.0


@dataclass
class Site:
    """What every connection of a server shares."""

    core: Core
    routes: Routes
    faults: Faults
    latency: Latency
    closing: threading.Event


class Listener(ThreadingHTTPServer):
    """A listening socket with the threads of its connections, all of which end with it."""

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, port: int, site: Site, host: str, tls_context: ssl.SSLContext | None
    ) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)
        if tls_context is not None:
            self.socket = tls_context.wrap_socket(self.socket, server_side=True)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(POLL,), name="fake-stash-listener"
        )
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without asking DNS for our name, which the base class does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keep the connection, so that it can be cut."""
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Drop the connection."""
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that went away; anything else is a fault of this program."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening, cut every connection and wait for the threads."""
        self.shutdown()
        self._thread.join()
        self.socket.close()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def _document(request: Request) -> str:
    """Find the GraphQL document of a request, for the log and for faults."""
    if request.path != "/graphql":
        return ""
    try:
        return read_request(request.body).query
    except (BodyError, StashError):
        return request.query.get("query", "")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: the request log is in the journal."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 - the base class's names

    def _serve(self) -> None:
        site, started = self.server.site, time.monotonic()
        request = self._read()
        text = _document(request)
        fault = site.faults.take(self.path, text)
        if fault is not None and self._spoil(fault, request, text, started):
            return
        is_image = request.method == "GET" and "/" in request.path[1:]
        if site.latency.read > 0 and (request.path == "/graphql" or is_image):
            site.closing.wait(site.latency.read)
        reply = self._let_in(request)
        while fault is None and (shown := site.faults.take_shown(self.path, text, reply)):
            fault, place = shown
            if fault.kind == "graphql_error":
                reply, fault = without(reply, place, fault.message), None
            elif self._spoil(fault, request, text, started):
                return
        self._pack(reply)
        self._log(request, text, reply.status, started)
        if fault is None:
            self._send(reply)
        elif fault.kind == "half":
            self._send(reply, sent=len(reply.body) // 2)
        else:
            self._drip(reply, fault.seconds)

    def _read(self) -> Request:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Request(self.command, parts.path, query, self.headers, body)

    # -- letting in -------------------------------------------------------------------------

    def _let_in(self, request: Request) -> Reply:
        core, headers = self.server.site.core, self.headers
        verdict = core.sessions.judge(
            request.path,
            api_key=headers.get("ApiKey") or request.query.get("apikey") or "",
            cookie=headers.get("Cookie", ""),
            client=str(self.client_address[0]),
            forwarded=headers.get("X-Forwarded-For", ""),
        )
        if verdict.status == 200:
            reply = self._answer(request, verdict.session)
        elif verdict.status == 302:
            reply = found(f"/login?returnURL={quote_plus(self.path)}")
        elif verdict.status == 401:
            reply = Reply(401, kind="", headers={"WWW-Authenticate": "FormBased"})
        else:
            reply = Reply(403, verdict.reason.encode())
        if verdict.refreshed:
            value = cookie_header(verdict.refreshed, core.sessions.max_age)
            reply.headers.setdefault("Set-Cookie", value)
        return reply

    def _answer(self, request: Request, session: Session) -> Reply:
        site = self.server.site
        host = self.headers.get("Host") or f"127.0.0.1:{self.server.server_port}"
        base = f"http://{host}{self.headers.get('X-Forwarded-Prefix', '').rstrip('/')}"
        try:
            return site.routes.answer(request, Caller(session, self.connection, base))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost edge of a request
            site.core.journal.log("error", f"FakeStash failed at {self.path}: {error!r}")
            return Reply(500, f"FakeStash failed: {error!r}\n".encode())

    # -- sending ----------------------------------------------------------------------------

    def _log(self, request: Request, text: str, status: int, started: float) -> None:
        self.server.site.core.journal.request(
            RequestEntry(
                request.method,
                self.path,
                " ".join(text[: SHORT * 2].split())[:SHORT],
                status,
                time.monotonic() - started,
                dict(request.headers.items()),
            )
        )

    def _head(self, reply: Reply, length: int | None) -> bytes:
        reason = HTTPStatus(reply.status).phrase
        lines = [f"HTTP/1.1 {reply.status} {reason}", f"Date: {self.date_time_string()}"]
        if reply.kind:
            lines.append(f"Content-Type: {reply.kind}")
        if length is None:
            self.close_connection = True
            lines.append("Connection: close")
        elif reply.status != 304:
            lines.append(f"Content-Length: {length}")
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _pack(self, reply: Reply) -> None:
        """Compress what a client takes compressed and Stash compresses."""
        kind = reply.kind.partition(";")[0]
        if kind not in COMPRESSED or "gzip" not in self.headers.get("Accept-Encoding", ""):
            return
        if reply.body:
            reply.body = gzip.compress(reply.body, LEVEL, mtime=0)
        reply.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}

    def _send(self, reply: Reply, *, sent: int | None = None) -> None:
        """Send an answer in one piece; `sent` bytes of the body only, then cut."""
        head = self._head(reply, len(reply.body))
        body = reply.body if self.command != "HEAD" else b""
        self.wfile.write(head + (body if sent is None else body[:sent]))
        if sent is not None:
            self.close_connection = True

    def _drip(self, reply: Reply, seconds: float) -> None:
        """Send the body byte by byte, spread over `seconds`, as far as the server lives."""
        self.wfile.write(self._head(reply, len(reply.body)))
        pieces = min(len(reply.body), 500) or 1
        step = -(-len(reply.body) // pieces)
        for start in range(0, len(reply.body), step):
            if self.server.site.closing.wait(seconds / pieces):
                self.close_connection = True
                return
            self.wfile.write(reply.body[start : start + step])

    def _hang(self, seconds: float) -> None:
        """Wait for the end of the time, of the server or of the order."""
        site = self.server.site
        released, end = site.faults.released, time.monotonic() + seconds
        while time.monotonic() < end and not site.closing.wait(POLL) and not released.is_set():
            pass

    def _spoil(self, fault: Fault, request: Request, text: str, started: float) -> bool:
        """Answer with a fault; returns False if the right answer is needed first."""
        replies = {
            "status": Reply(fault.status, b"Ordered by a test.\n", headers=dict(fault.headers)),
            "malformed": Reply(200, b'{"data": {"findScenes": ', "application/json"),
            "empty": Reply(200, b"", "application/json"),
            "html": Reply(200, b"<!doctype html><title>Log in</title><p>Please log in.", HTML),
            "wrong_shape": Reply(200, b'[{"surprise": [1, 2, null]}]', "application/json"),
            "graphql_error": Reply(
                200,
                json.dumps({"errors": [{"message": fault.message}], "data": None}).encode(),
                "application/json",
            ),
            "redirect": Reply(302, headers={"Location": fault.location}),
        }
        if fault.kind in replies:
            reply = replies[fault.kind]
            self._log(request, text, reply.status, started)
            self._send(reply)
            return True
        if fault.kind in ("half", "drip"):
            return False
        self._log(request, text, 200 if fault.kind == "endless" else 0, started)
        self.close_connection = True
        if fault.kind == "reset":
            # Lingering for no time turns the close into RST.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault.kind == "hang":
            self._hang(fault.seconds)
        else:
            self.wfile.write(self._head(Reply(200, kind="application/json"), None))
            while not self.server.site.closing.is_set():
                self.wfile.write(b" " * 65536)
        return True
