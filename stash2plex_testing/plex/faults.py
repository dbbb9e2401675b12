"""Ordered faults: what goes wrong, for which requests, how often."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from stash2plex_testing.plex.exchange import Answer, Request


@dataclass
class Fault:
    """One thing that goes wrong.

    Kinds: status, reset, close (not a byte), hang (for two minutes, or until `clear`), half,
    malformed, empty, html, drip, endless, redirect, wrong_items, bytes (a name that is no UTF-8 in
    each row that is shown). `times` is how often, None for always; `after` lets that many fitting
    requests pass first; `hits` counts. `after_apply` lets a write happen before it goes wrong.

    What fits is named by `method`, `path` (a pattern), `query`, `parameter` (a pattern of one of
    its names), `item` (a rating key that is asked for or shown) and `reused` (the connection has
    served before). `scopes` has the ones of a library, an endpoint, an item or a field.
    """

    kind: str
    method: str | None = None
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1
    after_apply: bool = False
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"<html><body><h1>Error</h1></body></html>"
    parameter: str = ""
    item: int | None = None
    reused: bool = False
    after: int = 0
    hits: int = 0
    released: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @classmethod
    def maintenance(cls, **options: object) -> Fault:
        """Answer as a server that migrates its database does (plex.md §1.5)."""
        text = (
            b'<Response code="503" title="Maintenance" status="Plex Media Server is currently '
            b'running database migrations."/>'
        )
        return cls("status", status=503, body=text, **options)  # type: ignore[arg-type]

    @property
    def answers(self) -> int:
        """Return the status that is sent; 0 if the connection ends without one."""
        statuses = {"status": self.status, "redirect": 302, "reset": 0, "close": 0, "hang": 0}
        return statuses.get(self.kind, 200)

    def fits(self, request: Request) -> bool:
        """Return whether the fault fits a request, whatever items are shown."""
        return bool(
            self.method in (None, request.method)
            and re.search(self.path, request.path)
            and all(request.query.get(name) == [value] for name, value in self.query.items())
            and (not self.parameter or any(re.search(self.parameter, one) for one in request.query))
            and (request.reused or not self.reused)
        )


class Faults:
    """The faults that were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.released = threading.Event()

    def add(self, fault: Fault) -> Fault:
        """Order a fault."""
        with self._lock:
            # Its own from now on: who is caught by it may wait only after the next `clear`.
            fault.released = self.released
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Cancel one fault; requests that hang already keep hanging."""
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)

    def clear(self) -> None:
        """Cancel all faults and let hanging requests go."""
        with self._lock:
            self._faults.clear()
            self.released.set()
            self.released = threading.Event()

    def take(self, request: Request, answer: Answer | None = None) -> Fault | None:
        """Use up one fault that fits a request, or what is about to be shown for it."""
        with self._lock:
            for fault in self._faults:
                if answer is None:
                    about = fault.item is None or fault.item in request.items
                else:
                    about = (
                        fault.item is not None
                        and fault.item not in request.items
                        and fault.item in answer.items
                    )
                if not about or not fault.fits(request):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None
