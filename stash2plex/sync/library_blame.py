"""Distinguishes a library that fails as a whole from a server that is down."""

from __future__ import annotations

from attrs import define, field

from stash2plex.errors import LibraryUnread, ServerError
from stash2plex.model import Clock
from stash2plex.servers.apart import may_be_part
from stash2plex.store.library_troubles import LibraryTrouble
from stash2plex.sync.indexing import PROBE_SECONDS
from stash2plex.sync.session import Session, Store

PROBE_AGAIN = 10.0
"""Seconds for which a probe's answer counts."""


def unread(trouble: LibraryTrouble, label: str) -> LibraryUnread:
    """Describe what a scene waits for if its file is, or may be, in a failing library."""
    return LibraryUnread(
        f"“{label}” waits for “{trouble.title}”, which Plex does not list: {trouble.error}"
    )


@define
class LibraryBlame:
    """Judges failed writes. `session` is set whenever the settings change.

    `monotonic` returns seconds since an arbitrary time.
    """

    store: Store
    monotonic: Clock
    session: Session = field(init=False)
    _probed: dict[str, float] = field(init=False, factory=dict)

    def judge(self, error: Exception, section_id: str, label: str) -> Exception:
        """Return the failure of a write, or what its scene waits for if its library fails.

        If that is not known, it asks for the library's list; the other libraries must be listed.
        """
        if not isinstance(error, ServerError) or error.server != "Plex" or not may_be_part(error):
            return error
        trouble = self._trouble_of(section_id)
        return error if trouble is None else unread(trouble, label)

    def _trouble_of(self, section_id: str) -> LibraryTrouble | None:
        known = self.store.library_troubles.all()
        others = [id_ for id_ in self.store.plex_files.section_ids() if id_ != section_id]
        if section_id in known or not others or not self._may_probe(section_id):
            return known.get(section_id)
        plex = self.session.plex
        try:
            plex.list_page(section_id, 0, size=1, most_seconds=PROBE_SECONDS)
        except ServerError as error:
            if not may_be_part(error):
                return None
            try:
                plex.list_page(others[0], 0, size=1, most_seconds=PROBE_SECONDS)
                return self.session.index.note_trouble(section_id, error)
            except ServerError:
                return None
        return None

    def _may_probe(self, section_id: str) -> bool:
        now = self.monotonic()
        if now - self._probed.get(section_id, now - PROBE_AGAIN) < PROBE_AGAIN:
            return False
        self._probed[section_id] = now
        return True
