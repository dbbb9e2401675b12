"""Faults on order: the next requests that fit go wrong in a chosen way.

The same style as the Plex stand-in: `faults.add("status", path="/graphql", status=503)`.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

KINDS = (
    "status",  # the given status with a short text
    "reset",  # the connection is cut with RST before any answer
    "hang",  # no answer for `seconds`, then the connection closes
    "half_body",  # the right headers, then half of the right body
    "malformed",  # a body that starts as JSON and is none
    "empty",  # 200 and no body at all
    "html",  # 200 and a page, as a proxy sends it
    "wrong_shape",  # valid JSON that is nothing of what was asked for
    "graphql_error",  # a proper answer with an error, "database is locked" by default
    "slow",  # the right answer, byte by byte, over `seconds`
    "redirect",  # 302 to `location`
    "endless",  # a body that does not end
)


@dataclass
class Fault:
    """One order. `times` is how many requests it still spoils; None means all."""

    kind: str
    path: re.Pattern[str]
    operation: re.Pattern[str]
    times: int | None = 1
    after: int = 0
    status: int = 500
    seconds: float = 30.0
    message: str = "database is locked"
    location: str = "/login"
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0


class Faults:
    """The orders of a server, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        path: str = "",
        operation: str = "",
        times: int | None = 1,
        after: int = 0,
        status: int = 500,
        seconds: float = 30.0,
        message: str = "database is locked",
        location: str = "/login",
        headers: dict[str, str] | None = None,
    ) -> Fault:
        """Order a fault for the requests that fit.

        `path` and `operation` are regular expressions, searched in the path with its query and
        in the GraphQL document; `after` lets that many fitting requests pass first; `times` is
        how many are spoilt, None for all; `seconds` is for "hang" and "slow". Raises ValueError
        for a kind that is not in `KINDS`.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}.")
        fault = Fault(
            kind,
            re.compile(path),
            re.compile(operation),
            times,
            after,
            status,
            seconds,
            message,
            location,
            headers or {},
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Take every order back."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str, operation: str) -> Fault | None:
        """Use up the first order that fits a request."""
        with self._lock:
            for fault in self._faults:
                if not fault.path.search(path) or not fault.operation.search(operation):
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
