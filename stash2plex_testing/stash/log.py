"""Keeps what the server did: log lines, requests, hook runs."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

ITEMS_LIMIT = 100_000
"""How many entries of each kind are kept, so that a server can run for days."""

SHOWN = 30
"""How many lines the `logs` query returns (stash.md §2.5)."""

LEVELS = ("trace", "debug", "info", "progress", "warning", "error")


class Kept(Generic[Item]):
    """A bounded list that threads append to."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=ITEMS_LIMIT)
        self._lock = threading.Lock()

    def add(self, item: Item) -> None:
        """Append an item."""
        with self._lock:
            self._items.append(item)

    def clear(self) -> None:
        """Remove all items."""
        with self._lock:
            self._items.clear()

    def list(self) -> list[Item]:
        """Return a copy of the items."""
        with self._lock:
            return list(self._items)


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request. `seconds` is the time until the answer was sent; status 0 means none was."""

    method: str
    path: str
    operation: str
    """The start of the GraphQL document, in one line."""
    status: int
    seconds: float
    headers: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log. `time` in epoch seconds."""

    time: float
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class HookRun:
    """One run of a hook. `result` is its output, `error` what was logged as its error."""

    trigger: str
    seconds: float
    result: Any
    error: str | None
    plugin: str = ""
    object_id: int = 0
    killed: bool = False


class Journal:
    """Every list of things that happened."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.lines: Kept[LogLine] = Kept()
        self.requests: Kept[RequestEntry] = Kept()
        self.plugin_lines: Kept[tuple[str, str]] = Kept()
        self.hook_runs: Kept[HookRun] = Kept()
        self.processes: Kept[tuple[str, str]] = Kept()
        """Every process of a plugin: the plugin's id, and its hook or mode."""
        self.level = "Info"
        self.graphql_count = 0
        """GraphQL requests since the last clearing."""

    def log(self, level: str, message: str) -> None:
        """Write a line to the server's log."""
        self.lines.add(LogLine(self._clock(), level, message))

    def request(self, entry: RequestEntry) -> None:
        """Record a request."""
        self.requests.add(entry)
        if entry.path.partition("?")[0] == "/graphql":
            with self._lock:
                self.graphql_count += 1

    def clear_requests(self) -> None:
        """Clear the requests."""
        self.requests.clear()
        with self._lock:
            self.graphql_count = 0

    def plugin(self, name: str, level: str, text: str) -> None:
        """Write a plugin's line, with the prefix that Stash gives it (stash.md §2.5)."""
        self.plugin_lines.add((level, text))
        self.log(level, f"[Plugin / {name}] {text}")

    def shown(self) -> list[LogLine]:
        """Return the newest lines at or above the log level, newest first."""
        least = LEVELS.index(self.level.lower())
        lines = [line for line in self.lines.list() if LEVELS.index(line.level) >= least]
        return lines[: -SHOWN - 1 : -1]

    def matching(self, method: str, path: str, operation: str) -> list[RequestEntry]:
        """List the requests whose method, path and operation fit the regular expressions."""
        return [
            entry
            for entry in self.requests.list()
            if re.search(method, entry.method)
            and re.search(path, entry.path)
            and re.search(operation, entry.operation)
        ]
