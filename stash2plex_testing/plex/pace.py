"""How long the stand-in takes to answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Latency:
    """Seconds. Writes and uploads go through one writer, as in Plex (plex.md §7)."""

    read: float = 0.0
    list_per_1000: float = 0.0
    write: float = 0.0
    upload: float = 0.0


@dataclass
class Overload:
    """A server that slows down: above `capacity` in flight each one more multiplies the time."""

    capacity: int = 4
    factor: float = 1.5
    base: float = 0.02
    hang_above: int = 32

    def seconds(self, flying: int) -> float:
        """Return the seconds that a request takes while `flying` are under way."""
        return self.base * self.factor ** max(0, flying - self.capacity)
