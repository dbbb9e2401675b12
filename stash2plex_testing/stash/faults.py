"""Ordered faults: the next requests that fit go wrong in a chosen way.

`faults.add("status", status=503)` and `faults.add(Fault("status", status=503))` are the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stash2plex_testing.stash.images import Reply
from stash2plex_testing.stash.records import Scene
from stash2plex_testing.stash.shown import Place, place_of

KINDS = (
    "status",  # the given status with a short text
    "reset",  # the connection is cut with RST before any answer
    "hang",  # no answer for `seconds` or until `clear`, then the connection closes
    "half",  # the right headers, then half of the right body
    "malformed",  # a body that starts as JSON and is none
    "empty",  # 200 and no body at all
    "html",  # 200 and a page, as a proxy sends it
    "wrong_shape",  # valid JSON without anything that was asked for
    "graphql_error",  # a proper answer with an error, "database is locked" by default
    "drip",  # the right answer, byte by byte, over `seconds`
    "redirect",  # 302 to `location`
    "endless",  # a body that does not end
)


@dataclass
class Fault:
    """One order.

    `path` and `operation` are regular expressions, searched in the path with its query and in the
    GraphQL document. `times` is how many requests it still spoils, None for all; `after` lets that
    many fitting requests pass first; `seconds` is for "hang" and "drip". `hits` counts. With a
    `scene` only answers that show it are spoilt; a "graphql_error" then has its path.
    """

    kind: str
    path: str = ""
    operation: str = ""
    times: int | None = 1
    after: int = 0
    status: int = 500
    seconds: float = 30.0
    message: str = "database is locked"
    location: str = "/login"
    scene: Scene | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hits: int = 0

    def __post_init__(self) -> None:
        """Refuse a kind that is not in `KINDS` with ValueError."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is none of {', '.join(KINDS)}.")


class Faults:
    """The orders of a server, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.released = threading.Event()
        """Set when the present orders are cancelled, for requests that hang."""

    def add(self, fault: Fault | str, **options: Any) -> Fault:
        """Order a fault: one made already, or a kind with the fields of `Fault`."""
        order = fault if isinstance(fault, Fault) else Fault(fault, **options)
        with self._lock:
            self._faults.append(order)
        return order

    def clear(self) -> None:
        """Cancel every order and let hanging requests go."""
        with self._lock:
            self._faults.clear()
            released, self.released = self.released, threading.Event()
        released.set()

    def take(self, path: str, operation: str) -> Fault | None:
        """Use up the first order that fits a request, whatever its answer shows."""
        with self._lock:
            for fault in self._faults:
                if fault.scene is None and self._uses_up(fault, path, operation):
                    return fault
        return None

    def take_shown(self, path: str, operation: str, reply: Reply) -> tuple[Fault, Place] | None:
        """Use up the first order that fits an answer by a scene, and return where that is."""
        with self._lock:
            orders = [fault for fault in self._faults if fault.scene is not None]
            for fault in orders:
                assert fault.scene is not None
                place = place_of(reply, fault.scene)
                if place is not None and self._uses_up(fault, path, operation):
                    return fault, place
        return None

    def _uses_up(self, fault: Fault, path: str, operation: str) -> bool:
        """Use up an order if it fits a request; returns whether it does."""
        if not re.search(fault.path, path) or not re.search(fault.operation, operation):
            return False
        if fault.after > 0:
            fault.after -= 1
            return False
        fault.hits += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        return True
