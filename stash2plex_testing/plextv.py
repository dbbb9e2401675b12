"""FakePlexTv: the part of plex.tv that a sign-in uses, on loopback.

Its answers have the shape of the recordings in tests/recordings (`myplex_*`); a test compares them.
"""

from __future__ import annotations

import json
import secrets
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import urlsplit

Mode = Literal["works", "refuses", "limits", "fails"]

STATUS = {"refuses": 401, "limits": 429, "fails": 502}


class FakePlexTv:
    """plex.tv for one user. Use it as a context manager.

    `agree` is what the user does in the browser; `forget` drops every PIN, as time does. `mode` is
    how it answers everything. `servers` are the user's; `add_server` makes one.
    """

    def __init__(self) -> None:
        self.mode: Mode = "works"
        self.token = "user-token-of-the-harbour"
        self.servers: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self._pins: dict[int, dict[str, Any]] = {}
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Connection, self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Return the address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def agree(self) -> None:
        """Agree to every PIN, as the user does in the browser."""
        for pin in self._pins.values():
            pin["authToken"] = self.token

    def forget(self) -> None:
        """Drop every PIN: plex.tv answers 404 for one that has expired."""
        self._pins.clear()

    def add_server(
        self,
        name: str,
        machine_id: str,
        urls: list[str],
        *,
        token: str,
        owner: str | None = None,
        provides: str = "server",
    ) -> None:
        """Add a server of the user with its addresses."""
        self.servers.append(
            {
                "name": name,
                "product": "Plex Media Server",
                "productVersion": "1.43.0.10467-test",
                "platform": "Linux",
                "platformVersion": "6.1",
                "device": "Docker Container",
                "clientIdentifier": machine_id,
                "createdAt": "2021-01-01T12:12:24Z",
                "lastSeenAt": "2022-01-01T13:43:34Z",
                "provides": provides,
                "ownerId": None,
                "sourceTitle": owner,
                "publicAddress": "192.0.2.2",
                "accessToken": token,
                "owned": owner is None,
                "home": False,
                "synced": False,
                "relay": True,
                "presence": True,
                "httpsRequired": False,
                "publicAddressMatches": False,
                "dnsRebindingProtection": False,
                "natLoopbackSupported": False,
                "connections": [_connection(url) for url in urls],
            }
        )

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, Any]:
        """Return status and body of an answer."""
        self.requests.append((method, path))
        if self.mode != "works":
            return STATUS[self.mode], {"errors": [{"code": 1000, "message": self.mode}]}
        client = headers.get("X-Plex-Client-Identifier", "")
        if (method, path) == ("POST", "/api/v2/pins"):
            return 201, self._make_pin(client)
        if path.startswith("/api/v2/pins/"):
            pin = self._pins.get(int(path.rpartition("/")[2]))
            if pin is None or pin["clientIdentifier"] != client:
                return 404, {"errors": [{"code": 1020, "message": "Code not found or expired"}]}
            return 200, pin
        if path == "/api/v2/resources":
            if headers.get("X-Plex-Token") != self.token:
                return 401, {
                    "errors": [{"code": 1001, "message": "User could not be authenticated"}]
                }
            return 200, self.servers
        return 404, {"errors": []}

    def _make_pin(self, client: str) -> dict[str, Any]:
        id_ = secrets.randbelow(10**9) + 1
        self._pins[id_] = {
            "id": id_,
            "code": secrets.token_hex(12),
            "product": "0",
            "trusted": False,
            "clientIdentifier": client,
            "location": {},
            "expiresIn": 900,
            "createdAt": "2026-01-01T00:00:00Z",
            "expiresAt": "2099-01-01T00:15:00Z",
            "authToken": None,
            "newRegistration": None,
        }
        return self._pins[id_]


def _connection(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "protocol": parts.scheme,
        "address": parts.hostname,
        "port": parts.port or 443,
        "uri": url,
        "local": True,
        "relay": False,
        "IPv6": False,
    }


class _Connection(BaseHTTPRequestHandler):
    """One connection; `plex_tv` answers what it asks."""

    protocol_version = "HTTP/1.1"

    def __init__(self, plex_tv: FakePlexTv, *arguments: Any) -> None:
        self.plex_tv = plex_tv
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a wish."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def _answer(self) -> None:
        status, value = self.plex_tv.answer(self.command, urlsplit(self.path).path, self.headers)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing."""
