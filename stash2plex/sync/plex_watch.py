"""Looks at Plex while scenes wait for it, and makes it scan their folders."""

from __future__ import annotations

import logging

from attrs import define, field

from stash2plex.errors import ConfigError, ServerError
from stash2plex.model import Clock, Section
from stash2plex.rules.scanning import is_shared
from stash2plex.store.scans import MAX_SECONDS, SETTLE_SECONDS, Scan
from stash2plex.sync.index_changes import read_index_changes
from stash2plex.sync.session import Session, Store
from stash2plex.text import Private

LOOK_SECONDS = 30.0
"""Seconds between two looks at Plex's change marks while a scene waits; one request each."""

SCAN_LOOK_SECONDS = 5.0
"""The same during a scan."""

TROUBLE_SECONDS = 300.0
"""Seconds after a look that failed: meanwhile due keys find out what is wrong."""


@define
class PlexWatch:
    """Makes waiting keys due when Plex has changed, and runs the scans. A look is one request.

    `clock` returns seconds since the epoch, `monotonic` seconds since an arbitrary time.
    """

    store: Store
    clock: Clock
    monotonic: Clock
    _next: float = field(init=False)
    _looked_at: float = field(init=False, default=0.0)
    _troubled: bool = field(init=False, default=False)

    @_next.default
    def _first(self) -> float:
        return self.monotonic() + LOOK_SECONDS

    def scanning(self) -> bool:
        """Return whether a scan is running or due soon."""
        return self.store.scans.running() is not None or bool(self.store.scans.waiting())

    def look(self, session: Session) -> None:
        """Look at Plex if that is due and something waits for it. A server cannot make it fail."""
        now = self.monotonic()
        if self.scanning() and not self._troubled:
            self._next = min(self._next, self._looked_at + SCAN_LOOK_SECONDS)
        if now < self._next:
            return
        self._looked_at, self._next, self._troubled = now, now + LOOK_SECONDS, False
        if not session.settings.trigger_plex_scan:
            self.store.scans.clear()
        troubles = self.store.library_troubles.all()
        if not self.store.awaited_files.any() and not self.scanning() and not troubles:
            return
        try:
            changes = read_index_changes(self.store, session)
            self._advance(session, {section.id: section for section in changes.sections})
        except (ServerError, ConfigError) as error:
            logging.getLogger(__name__).debug("A look at Plex failed: %s", error)
            self._next, self._troubled = now + TROUBLE_SECONDS, True
        else:
            # A library whose list failed is tried again as soon as that is allowed.
            waits = [library.retry_at - self.clock() for library in changes.unlisted]
            soonest = now + max(SCAN_LOOK_SECONDS, min(waits, default=LOOK_SECONDS))
            self._next = min(self._next, soonest)

    def _advance(self, session: Session, sections: dict[str, Section]) -> None:
        """Check the running scan, then start the next: one at a time (plex.md §6.1)."""
        scans = self.store.scans
        running = scans.running()
        if running is not None and not self._is_over(running, sections.get(running.section_id)):
            return
        for scan in scans.waiting():
            section = sections.get(scan.section_id)
            if section is None or not self._is_wanted(scan):
                scans.drop(scan)
            elif scan.due_at > self.clock():
                return
            elif not section.refreshing:
                session.plex.scan(scan.section_id, scan.folder)
                scans.start(scan, self.clock())
                place = Private(scan.folder or section.title)
                logging.getLogger(__name__).info("Plex is asked to scan %s.", place)
                return

    def _is_over(self, scan: Scan, section: Section | None) -> bool:
        scans = self.store.scans
        age = self.clock() - (scan.asked_at or 0.0)
        if section is None or not self._is_wanted(scan) or not 0.0 <= age < MAX_SECONDS:
            scans.drop(scan)
            return True
        if section.refreshing or age < SETTLE_SECONDS:
            return False
        scans.climb(scan, section.locations, self.clock())
        return True

    def _is_wanted(self, scan: Scan) -> bool:
        """Whether a scan may find what is waited for, or the item of a second library."""
        libraries = self.store.plex_files.locations()
        if scan.step == 0 and scan.asked_at is None and is_shared(scan.folder, libraries):
            return True
        locations = libraries.get(scan.section_id, ())
        return self.store.awaited_files.any_below(scan.section_id, scan.folder, locations)
