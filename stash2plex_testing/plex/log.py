"""What was asked of the stand-in, without the token."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestRecord:
    """One request and how it ended."""

    time: float
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    client: str
    body_bytes: int


class RequestLog:
    """All requests, in order of their end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RequestRecord] = []
        self.clients: set[str] = set()
        self.tokens_in_urls = 0

    def add(self, record: RequestRecord) -> None:
        """Note a request."""
        with self._lock:
            self._records.append(record)
            if record.client:
                self.clients.add(record.client)

    @property
    def records(self) -> list[RequestRecord]:
        """Return the requests so far."""
        with self._lock:
            return list(self._records)

    def clear(self) -> None:
        """Forget the requests; who asked stays known."""
        with self._lock:
            self._records.clear()

    def count(self, method: str | None, path: str) -> int:
        """Count requests by method and a pattern of the path."""
        return sum(
            1
            for record in self.records
            if method in (None, record.method) and re.search(path, record.path)
        )
