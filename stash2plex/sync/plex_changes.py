"""Finds what may have changed in Plex since it was last compared as a whole."""

from __future__ import annotations

from stash2plex.errors import ServerError
from stash2plex.model import Clock
from stash2plex.servers.apart import may_be_part
from stash2plex.servers.plex import Plex
from stash2plex.store.key_set import KeySet
from stash2plex.store.plex_comparisons import ComparisonMark, PlexComparisons
from stash2plex.text import DAY

DETAIL_SECONDS = 7 * DAY
"""Seconds after which every item is read again: an edit through Plex moves its times, a direct
write to Plex's database does not (plex.md §2.4)."""

OVERLAP_SECONDS = 60
"""Seconds that a delta looks back before the newest known change: Plex's clock may be set back."""


class PlexChanges:
    """Distinguishes items that must be read from unchanged ones.

    A library's own change marks do not count: no document says that an edit moves them (plex.md
    §2.4). An item's `updatedAt` moves with every edit, including ours, and `lastRatedAt` with its
    stars (plex.md §3.8). Close it when done.
    """

    def __init__(
        self, comparisons: PlexComparisons, changed: KeySet, plex: Plex, clock: Clock
    ) -> None:
        self._comparisons = comparisons
        self._plex = plex
        self._clock = clock
        self._deltas: set[str] = set()
        self._marks: dict[str, ComparisonMark] = {}
        self._changed = changed

    def find(self, section_ids: list[str], *, preserve: bool) -> None:
        """Read what changed in Plex, before the comparison begins. `preserve` is the setting."""
        for section_id in section_ids:
            try:
                newest = self._plex.newest_update(section_id)
            except ServerError as error:
                if not may_be_part(error):
                    raise
                # Its items are read one by one, and no mark is stored for the next time.
                continue
            old = self._comparisons.get(section_id)
            if (
                old is not None
                and self._is_good(old, newest, preserve=preserve)
                and self._read_changes(section_id, max(0, old.newest_updated_at - OVERLAP_SECONDS))
            ):
                self._deltas.add(section_id)
                self._marks[section_id] = ComparisonMark(newest, old.details_at, preserve)
            else:
                self._marks[section_id] = ComparisonMark(newest, self._clock(), preserve)

    def may_concern(self, section_id: str, rating_key: str) -> bool:
        """Return whether an item may have changed since the last complete comparison."""
        return section_id not in self._deltas or rating_key in self._changed

    def distrust(self, section_id: str) -> None:
        """Store no mark for a library in which an item could not be read."""
        self._marks.pop(section_id, None)

    def keep_marks(self) -> None:
        """Record that everything was compared. Only a run that saw everything may call it."""
        self._comparisons.put(self._marks)

    def close(self) -> None:
        """Drop the sets of keys."""
        self._changed.close()

    def _is_good(self, mark: ComparisonMark, newest: int, *, preserve: bool) -> bool:
        """Return whether a delta can be trusted: a Plex that went back in time was restored."""
        return (
            0 <= self._clock() - mark.details_at < DETAIL_SECONDS
            and newest >= mark.newest_updated_at
            and preserve == mark.preserve
        )

    def _read_changes(self, section_id: str, after: int) -> bool:
        """Store what changed; returns False if Plex does not know the query or a row is odd."""
        try:
            for name in ("updatedAt", "lastRatedAt"):
                for keys in self._plex.changed_since(section_id, name, after):
                    self._changed.update(keys)
        except ServerError as error:
            if not may_be_part(error):
                raise
            return False
        return True
