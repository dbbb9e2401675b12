"""FakePlex: a Plex Media Server on loopback, for tests, the demo and the benchmarks."""

from stash2plex_testing.plex import scopes
from stash2plex_testing.plex.access import Access
from stash2plex_testing.plex.faults import Fault
from stash2plex_testing.plex.limits import Limits
from stash2plex_testing.plex.pace import Latency, Overload
from stash2plex_testing.plex.records import Item, Scanning, Section
from stash2plex_testing.plex.server import FakePlex
from stash2plex_testing.plex.traits import SWITCHES, Traits, combined, pairs

__all__ = [
    "SWITCHES", "Access", "FakePlex", "Fault", "Item", "Latency", "Limits", "Overload",
    "Scanning", "Section", "Traits", "combined", "pairs", "scopes",
]  # fmt: skip
