"""FakePlex: a Plex Media Server on loopback, for tests, the demo and the benchmarks."""

from stash2plex_testing.plex.faults import Fault
from stash2plex_testing.plex.library import Item, Scanning, Section
from stash2plex_testing.plex.server import FakePlex, Latency, Overload

__all__ = ["FakePlex", "Fault", "Item", "Latency", "Overload", "Scanning", "Section"]
