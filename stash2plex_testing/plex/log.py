"""What was asked of the stand-in, without the token."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestRecord:
    """One request and how it ended. `items` are the rating keys that it names."""

    time: float
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    client: str
    body_bytes: int
    endpoint: str = ""
    items: tuple[int, ...] = ()
    url_bytes: int = 0


class RequestLog:
    """All requests, in order of their end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RequestRecord] = []
        self.clients: set[str] = set()
        self.tokens_in_urls = 0

    def add(self, record: RequestRecord) -> None:
        """Record a request."""
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
        """Clear the requests; the known clients stay."""
        with self._lock:
            self._records.clear()

    def count(self, method: str | None, path: str) -> int:
        """Count requests by method and a pattern of the path."""
        return sum(
            1
            for record in self.records
            if method in (None, record.method) and re.search(path, record.path)
        )

    def by_endpoint(self) -> Counter[str]:
        """Count requests by method and path without its numbers."""
        return Counter(record.endpoint for record in self.records)

    def by_item(self) -> dict[int, Counter[str]]:
        """Count the requests that name an item, by its rating key and their endpoint.

        A request that names several items counts for each of them.
        """
        counts: dict[int, Counter[str]] = {}
        for record in self.records:
            for key in set(record.items):
                counts.setdefault(key, Counter())[record.endpoint] += 1
        return counts

    def longest_url(self) -> int:
        """Return the length in bytes of the longest requested address; 0 without a request."""
        return max((record.url_bytes for record in self.records), default=0)
