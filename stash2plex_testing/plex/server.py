"""The stand-in's HTTP: tokens, latency, the one writer, faults, and the log."""

from __future__ import annotations

import secrets
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Self

from stash2plex_testing.kept_port import KeptPort
from stash2plex_testing.plex.access import Access, refusal
from stash2plex_testing.plex.connection import Connection, Listener
from stash2plex_testing.plex.exchange import Answer, Request, error, spoil
from stash2plex_testing.plex.faults import Fault, Faults
from stash2plex_testing.plex.library import PlexLibrary
from stash2plex_testing.plex.limits import Limits
from stash2plex_testing.plex.log import RequestLog, RequestRecord
from stash2plex_testing.plex.pace import Latency, Overload
from stash2plex_testing.plex.records import Item, Part, Scanning, Section
from stash2plex_testing.plex.routes import Routes
from stash2plex_testing.plex.traits import Traits


class FakePlex:
    """A Plex Media Server on loopback. Use it as a context manager, or start and stop it.

    `clock` gives the times of items and of the Date header. `tag_semantics` is short for
    `traits.tags`. How it differs from other servers is set here or later, while it answers:
    `traits` is what it makes of edits, `limits` what it takes and shows at most, `access` who may
    see what, `scanning` how scans go, `faults` what goes wrong. `after_write` is called in the
    thread of a request once its write has happened, before it is answered.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str = "fake-plex-token",
        latency: Latency | None = None,
        overload: Overload | None = None,
        tag_semantics: Literal["append", "replace", "replace_sets"] | None = None,
        traits: Traits | None = None,
        limits: Limits | None = None,
        tls_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.port = port
        self.access = Access(token)
        self.limits = limits or Limits()
        self.latency = latency or Latency()
        self.overload = overload
        self.version = "1.43.0.10467-test"
        self.machine_identifier = secrets.token_hex(20)
        self.faults = Faults()
        self.after_write: Callable[[Request], object] = lambda _request: None
        self.writer_seconds = 0.0
        self.most_in_flight = 0
        self._library = PlexLibrary(clock)
        if traits is not None:
            self.traits = traits
        if tag_semantics is not None:
            self.tag_semantics = tag_semantics
        self._clock = clock
        self._tls = tls_context
        self._log = RequestLog()
        self._routes = Routes(self._library, self)
        self._writer = threading.Lock()
        self._flight = threading.Lock()
        self._in_flight = 0
        self._server: Listener | None = None
        self._thread: threading.Thread | None = None
        self._kept_port = KeptPort()
        self._maintenance = False

    # -- life -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on loopback."""
        handler = type("Handler", (Connection,), {"plex": self})
        self._kept_port.free()
        self._server = Listener(("127.0.0.1", self.port), handler)
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
        self._kept_port.free()
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._server = self._thread = None

    def down(self) -> None:
        """Close the listener and every connection, and keep the port."""
        self.stop()
        if self.port:
            self._kept_port.keep("127.0.0.1", self.port)

    def up(self) -> None:
        """Listen again on the same port."""
        self.start()

    @property
    def listening(self) -> bool:
        """Whether the server is listening."""
        return self._server is not None

    def maintenance(self, on: bool) -> None:
        """Answer 503 to everything but /identity, or no longer (plex.md §1.5)."""
        self._maintenance = on

    @property
    def url(self) -> str:
        """Return the address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    # -- switches -------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """Return the owner's token."""
        return self.access.token

    @token.setter
    def token(self, value: str) -> None:
        self.access.token = value

    @property
    def viewer_token(self) -> str:
        """Return the token that may read but not edit."""
        return self.access.viewer_token

    @property
    def traits(self) -> Traits:
        """Return what edits come to; change it, or set another one."""
        return self._library.traits

    @traits.setter
    def traits(self, value: Traits) -> None:
        self._library.traits = value

    @property
    def scanning(self) -> Scanning:
        """Return how scans go; change it to have them take long or miss folders."""
        return self._library.scanning

    @property
    def tag_semantics(self) -> Literal["append", "replace", "replace_sets"]:
        """Return what an indexed tag list means."""
        return self.traits.tags

    @tag_semantics.setter
    def tag_semantics(self, value: Literal["append", "replace", "replace_sets"]) -> None:
        self.traits.tags = value

    # -- library --------------------------------------------------------------------------

    @property
    def whole_library_edits(self) -> int:
        """Count edits that named no item and so changed every one."""
        return self._library.whole_library_edits

    def add_collection(self, section: Section, title: str, *, smart: bool = False) -> None:
        """Make a collection without items."""
        self._library.add_collection(section, title, smart=smart)

    def collection_titles(self, section: Section) -> list[str]:
        """List the collections of a library, sorted."""
        return sorted(one.title for one in self._library.collections_of(section))

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

    def add_optimized(self, item: Item, file: str = "", *, first: bool = False) -> Part:
        """Give an item an optimized version, beside its first file where no path is given.

        `first` lists it before the original (plex-2.md §1, 12).
        """
        original = item.parts[0].path
        separator = "\\" if "\\" in original else "/"
        folder, _, name = original.rpartition(separator)
        made = name.rpartition(".")[0] + ".mp4"
        path = file or separator.join((folder, "Plex Versions", "Optimized for TV", made))
        part = Part(path, None, optimized=True)
        item.parts.insert(0 if first else len(item.parts), part)
        self._library.touch(item.section)
        return part

    def remove_item(self, item: Item) -> None:
        """Remove an item."""
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
        """Remove an item and add its files again under a new rating key."""
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

    def by_endpoint(self) -> Counter[str]:
        """Count requests by method and path, as in `PUT /library/sections/N/all`."""
        return self._log.by_endpoint()

    def by_item(self) -> dict[int, Counter[str]]:
        """Count the requests that name an item, by rating key and endpoint."""
        return self._log.by_item()

    @property
    def longest_url(self) -> int:
        """Return the bytes of the longest address that was asked for."""
        return self._log.longest_url()

    def clear_log(self) -> None:
        """Clear the request log."""
        self._log.clear()

    # -- answering ------------------------------------------------------------------------

    def now(self) -> float:
        """Return the time of this server's clock, in epoch seconds."""
        return self._clock()

    def handle(self, connection: Connection) -> None:
        """Answer one request."""
        request = connection.read_request()
        with self._flight:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            flying = self._in_flight
        noted = False
        try:
            self._slow_down(flying)
            fault = self._too_long(request) or self.faults.take(request)
            answer = None
            if fault is None or fault.after_apply or fault.kind in ("wrong_items", "bytes"):
                if fault is not None and fault.kind == "wrong_items":
                    request, fault = self._of_others(request), None
                answer = self._answer(request)
                fault = fault or self.faults.take(request, answer)
            if fault is not None and fault.kind == "bytes" and answer is not None:
                spoil(answer, fault.item)
                fault = None
            # Before the answer is sent, so that its client finds the request in the log.
            noted = True
            if fault is not None:
                self._note(request, fault.answers)
                connection.misbehave(fault)
            elif answer is not None:
                self._note(request, answer.status)
                connection.send(answer, json_wanted="json" in request.headers.get("accept", ""))
        finally:
            with self._flight:
                self._in_flight -= 1
            if not noted:
                self._note(request, 0)

    def _too_long(self, request: Request) -> Fault | None:
        most, status = self.limits.url_bytes, self.limits.url_status
        if most is None or request.url_bytes <= most:
            return None
        if not status:
            return Fault("close")
        return Fault("status", status=status, body=error(status, "Request-URI Too Long").body)

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
        time.sleep(model.seconds(flying))

    def _answer(self, request: Request) -> Answer:
        if self._maintenance and request.path != "/identity":
            fault = Fault.maintenance()
            return Answer(status=503, body=fault.body, content_type="text/xml")
        refused = refusal(self.access, request)
        if refused is not None:
            return refused
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
                self.after_write(request)
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
                request.endpoint,
                request.items,
                request.url_bytes,
            )
        )
