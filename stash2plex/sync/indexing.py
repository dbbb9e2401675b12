"""Keeps the list of Plex's files up to date, guided by Plex's change marks."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from attrs import field, frozen

from stash2plex.errors import Refused, ServerError
from stash2plex.model import Clock, PlexFile, Section
from stash2plex.namelist import NameList
from stash2plex.rules.libraries import choose_sections, lost_libraries, other_libraries
from stash2plex.servers.apart import may_be_part
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.store.library_troubles import RETRY_CAP, LibraryTrouble, LibraryTroubles
from stash2plex.store.other_libraries import OtherLibraries
from stash2plex.store.plex_files import KnownSection, PlexFiles
from stash2plex.text import DAY, Private, span

FULL_LIST_SECONDS = DAY
"""Seconds after which a full list is read again: deltas show no deletions."""

RELIST_SECONDS = 600.0
"""Seconds: a miss lists a library again at most this often, and only if it has changed."""

ROWS_PER_COMMIT = 50_000
"""Rows in one transaction. Names come in random order, so each commit rewrites much of their tree:
larger transactions write less per row in a large library. A hook waits about 0.2 s."""

ADDED_OVERLAP = 3600
"""Seconds that a delta looks back before the newest item known."""


MAX_NAMED = 1_000
"""How many odd items one process names in the log."""

BLIND = "The Plex token belongs to a user who is not shown file names, so no scene can be found."
OWNER_FIX = "Put an X-Plex-Token of the server's owner into Plex token."

PROBE_SECONDS = 5.0
"""Seconds that a library may take when its failed list is tried again."""


@frozen
class IndexChanges:
    """What a refresh did: how many files it read, and the libraries as Plex has them.

    `whole` means that a library was listed from end to end, so that deletions were seen.
    `unlisted` are the chosen libraries that Plex does not list.
    `lost` is a sentence about libraries that the setting names and Plex does not have.
    """

    files: int
    whole: bool
    sections: tuple[Section, ...]
    unlisted: tuple[LibraryTrouble, ...] = ()
    lost: str = ""


@frozen
class _Pages:
    """What the pages of a list held: files, the newest `addedAt`, keys of unreadable rows."""

    files: int
    newest: int
    unread: tuple[str, ...]


@frozen
class PlexIndex:
    """Reads the libraries of one Plex into the stored files.

    `clock` returns seconds since the epoch.
    """

    files: PlexFiles
    plex: Plex
    clock: Clock
    _troubles: LibraryTroubles = field(init=False)
    _named: set[str] = field(init=False, factory=set)
    """The odd items that the log has named."""

    @_troubles.default
    def _of_the_same_database(self) -> LibraryTroubles:
        return LibraryTroubles(self.files.connection)

    def adopt_server(self, machine_id: str) -> None:
        """Store the server's id if it is the very first server, or the first after a rebuild.

        Raises Refused for a server other than the stored one.
        """
        self.check_server(machine_id)
        if self.files.server() is None:
            self.files.adopt_server(machine_id)

    def check_server(self, machine_id: str) -> None:
        """Raise Refused if files and records come from another server."""
        if self.files.server() not in (None, machine_id):
            raise Refused(
                "Plex",
                "A different Plex server answers at this address. Nothing is written.",
                "If that is intended, run the task “Rebuild Plex Index”.",
            )

    def refresh(
        self,
        library_names: NameList,
        *,
        missed: bool = False,
        complete: bool = False,
        retry: bool = False,
    ) -> IndexChanges:
        """Bring the index up to date; returns what it read and the libraries.

        An unchanged Plex costs one request. A changed one costs the pages of what was added. All
        pages are read once a day or, if a file was `missed`, at most every ten minutes, because no
        delta shows a move. `complete` reads all pages of each library that changed since its last
        full list. A library whose list fails does not stop the others; it is tried again later, or
        now with `retry` or `complete`. Raises ConfigError if none of the named libraries exists,
        and the list's failure if no library was ever listed.
        """
        listed = self.plex.sections()
        sections = choose_sections(listed, library_names)
        known = self.files.known()
        troubles = self._troubles.all()
        here = {section.id for section in sections}
        self.files.drop_sections(known.keys() - here)
        self._troubles.forget(troubles.keys() - here)
        OtherLibraries(self.files.connection).keep(other_libraries(listed, sections))
        read, whole = 0, False
        failures: list[tuple[Section, ServerError]] = []
        for section in sorted(sections, key=lambda library: library.id in troubles):
            trouble = troubles.get(section.id)
            if trouble and not (retry or complete or self._is_due(trouble)):
                continue
            try:
                if trouble:
                    self.plex.list_page(section.id, 0, size=1, most_seconds=PROBE_SECONDS)
                old = known.get(section.id)
                if old is None or self._wants_all(section, old, missed=missed, complete=complete):
                    read += self._list_all(section)
                    whole = True
                else:
                    read += self._list_news(section, old)
            except ServerError as error:
                if not may_be_part(error):
                    raise
                failures.append((section, error))
            else:
                self._end_trouble(trouble)
        if failures and not self.files.section_ids():
            # Nothing shows that these libraries are the cause rather than the server.
            section, failure = failures[0]
            words = f"Plex does not list “{section.title}”: {failure.what}"
            raise failure.with_words(words, failure.fix)
        for section, failure in failures:
            self._note_trouble(section, failure, is_new=section.id not in troubles)
        unlisted = tuple(self._troubles.all().values())
        lost = lost_libraries(listed, library_names)
        return IndexChanges(read, whole, tuple(sections), unlisted, lost)

    def _wants_all(
        self, section: Section, old: KnownSection, *, missed: bool, complete: bool
    ) -> bool:
        changed = old.listed_mark != section.change_mark
        age = self.clock() - old.listed_at
        if not 0 <= age < FULL_LIST_SECONDS:
            return True
        return changed and (complete or (missed and age >= RELIST_SECONDS))

    def _list_all(self, section: Section) -> int:
        """Read a whole library, a page and a short transaction at a time.

        Rows of the last listing stay usable meanwhile; those that were not seen again are dropped
        at the end.
        """
        listing = self.files.next_listing()
        pages = self._store_pages(section, self.plex.list_files(section.id), listing, 0)
        self.files.end_full_listing(section, listing, pages.newest, self.clock(), pages.unread)
        return pages.files

    def _list_news(self, section: Section, old: KnownSection) -> int:
        """Read what was added since the newest known item, if anything changed."""
        if old.change_mark == section.change_mark:
            if not old.has_folders(section):
                self.files.put_section(section, old.newest_added_at, old.listed_at, old.listed_mark)
            return 0
        since = max(0, old.newest_added_at - ADDED_OVERLAP)
        listed = self.plex.list_files(section.id, added_after=since)
        listing = self.files.next_listing()
        pages = self._store_pages(section, listed, listing, old.newest_added_at)
        self.files.end_added_listing(section, listing, pages.newest, old)
        return pages.files

    def _store_pages(
        self, section: Section, pages: Iterable[ListPage], listing: int, newest: int
    ) -> _Pages:
        """Store the files of pages, including those before a page that fails."""
        read = 0
        blind = 0
        unread: list[str] = []
        waiting: list[PlexFile] = []
        try:
            for page in pages:
                newest = max(newest, page.newest_added_at)
                read += len(page.files)
                blind += page.blind
                waiting += page.files
                for row in page.odd:
                    unread.append(row.rating_key)
                    self._name_odd(section, row.words())
                if len(waiting) >= ROWS_PER_COMMIT:
                    self.files.add(waiting, listing)
                    waiting = []
        finally:
            self.files.add(waiting, listing)
        if blind and not read:
            raise Refused("Plex", BLIND, OWNER_FIX)
        return _Pages(read, newest, tuple(unread))

    def _name_odd(self, section: Section, words: str) -> None:
        if words not in self._named and len(self._named) < MAX_NAMED:
            self._named.add(words)
            logging.getLogger(__name__).warning(
                "Plex's list of %s holds %s, which cannot be read. All others go on.",
                Private(section.title),
                words,
            )

    # -- libraries whose list fails -------------------------------------------------------

    def _is_due(self, trouble: LibraryTrouble) -> bool:
        """Return whether a library is tried again; a time too far ahead means a clock set back."""
        return not 0.0 < trouble.retry_at - self.clock() <= RETRY_CAP

    def note_trouble(self, section_id: str, error: ServerError) -> LibraryTrouble | None:
        """Record that the list of a library failed; None where Plex has no such library."""
        for section in self.plex.sections():
            if section.id == section_id:
                return self._note_trouble(section, error, is_new=True)
        return None

    def _note_trouble(
        self, section: Section, error: ServerError, *, is_new: bool
    ) -> LibraryTrouble:
        if is_new:
            logging.getLogger(__name__).warning(
                "Plex does not list %s: %s The other libraries go on; it is tried again.",
                Private(section.title),
                error.what,
            )
        return self._troubles.failed(section, error, self.clock())

    def _end_trouble(self, trouble: LibraryTrouble | None) -> None:
        if trouble is not None:
            self._troubles.forget([trouble.section_id])
            logging.getLogger(__name__).info(
                "Plex lists %s again, after %s.",
                Private(trouble.title),
                span(self.clock() - trouble.since),
            )
