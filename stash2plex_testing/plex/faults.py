"""Faults on order: what goes wrong, for which requests, how often."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One thing that goes wrong.

    Kinds: status, reset, hang, half, malformed, empty, html, drip, endless, redirect, wrong_items.
    `times` is how often, None for always. `after_apply` lets a write happen before it goes wrong.
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

    @classmethod
    def maintenance(cls, **options: object) -> Fault:
        """Answer as a server that migrates its database does (plex.md §1.5)."""
        text = (
            b'<Response code="503" title="Maintenance" status="Plex Media Server is currently '
            b'running database migrations."/>'
        )
        return cls("status", status=503, body=text, **options)  # type: ignore[arg-type]


class Faults:
    """The faults that are on order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.released = threading.Event()

    def add(self, fault: Fault) -> Fault:
        """Order a fault."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Cancel all faults and let hanging requests go."""
        with self._lock:
            self._faults.clear()
        self.released.set()
        self.released = threading.Event()

    def take(self, method: str, path: str, query: Mapping[str, list[str]]) -> Fault | None:
        """Use up one fault that fits a request."""
        with self._lock:
            for fault in self._faults:
                fits = (
                    fault.method in (None, method)
                    and re.search(fault.path, path)
                    and all(query.get(name) == [value] for name, value in fault.query.items())
                )
                if not fits:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None
