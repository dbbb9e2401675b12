"""Keeps the list of Plex's files as fresh as Plex's change marks ask for."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from stash2plex.errors import Refused
from stash2plex.model import Clock, PlexFile, Section
from stash2plex.namelist import NameList
from stash2plex.rules.libraries import choose_sections, lost_libraries
from stash2plex.servers.plex import ListPage, Plex
from stash2plex.store.plex_files import KnownSection, PlexFiles

FULL_LIST_SECONDS = 86_400.0
"""A full list is at most this old: deltas show no deletions."""

RELIST_SECONDS = 600.0
"""A miss lists a library afresh at most this often, and only when the library has changed."""

ROWS_PER_COMMIT = 50_000
"""Rows of one transaction. Names come in no order, so each commit rewrites much of their tree: the
larger it is, the less is written for a row in a large library. A hook waits about 0.2 s."""

ADDED_OVERLAP = 3600
"""Seconds that a delta looks back before the newest item known."""


@frozen
class IndexChanges:
    """What a refresh did: how many files it read, and the libraries as Plex has them.

    `whole` says that a library was listed from end to end, so that what is gone was seen. `lost`
    is a sentence about libraries that the setting names and Plex does not have.
    """

    files: int
    whole: bool
    sections: tuple[Section, ...]
    lost: str = ""


@frozen
class PlexIndex:
    """Reads the libraries of one Plex into the stored files.

    `clock` gives seconds since the epoch.
    """

    files: PlexFiles
    plex: Plex
    clock: Clock

    def adopt_server(self, machine_id: str) -> None:
        """Remember the server, where it is the first one ever or the first after a rebuild.

        Raises Refused for another one than was remembered.
        """
        self.check_server(machine_id)
        if self.files.server() is None:
            self.files.adopt_server(machine_id)

    def check_server(self, machine_id: str) -> None:
        """Raise Refused for a server that is not the one that files and records came from."""
        if self.files.server() not in (None, machine_id):
            raise Refused(
                "Plex",
                "Another Plex server answers at this address than before. Nothing is written.",
                "If that is right, run the task “Rebuild Plex Index”.",
            )

    def refresh(
        self, library_names: NameList, *, missed: bool = False, complete: bool = False
    ) -> IndexChanges:
        """Bring the index up to date; returns what it read and the libraries.

        An unchanged Plex costs one request. A changed one costs the pages of what was added; all
        pages once a day, or, when a file was `missed`, at most every ten minutes: a move shows in
        no delta. `complete` reads all pages of each library that changed since they were read
        last. Raises ConfigError where none of the named libraries exists.
        """
        read = 0
        whole = False
        listed = self.plex.sections()
        sections = choose_sections(listed, library_names)
        known = self.files.known()
        self.files.drop_sections(set(known) - {section.id for section in sections})
        for section in sections:
            old = known.get(section.id)
            behind = complete and old is not None and old.listed_mark != section.change_mark
            if old is None or behind or self._wants_full_list(section, old, missed=missed):
                read += self._list_all(section)
                whole = True
            elif old.change_mark != section.change_mark:
                read += self._list_added(section, old)
            elif not old.has_folders(section):
                self.files.put_section(section, old.newest_added_at, old.listed_at, old.listed_mark)
        return IndexChanges(read, whole, tuple(sections), lost_libraries(listed, library_names))

    def _wants_full_list(self, section: Section, old: KnownSection, *, missed: bool) -> bool:
        age = self.clock() - old.listed_at
        if not 0 <= age < FULL_LIST_SECONDS:
            return True
        return missed and age >= RELIST_SECONDS and old.listed_mark != section.change_mark

    def _list_all(self, section: Section) -> int:
        """Read a whole library, a page and a short transaction at a time.

        Rows of the last listing stay usable meanwhile; those that were not seen again go at the
        end.
        """
        listing = self.files.next_listing()
        read, newest = self._store_pages(self.plex.list_files(section.id), listing, 0)
        self.files.end_full_listing(section, listing, newest, self.clock())
        return read

    def _list_added(self, section: Section, old: KnownSection) -> int:
        """Read what was added since the newest item that is known."""
        since = max(0, old.newest_added_at - ADDED_OVERLAP)
        pages = self.plex.list_files(section.id, added_after=since)
        listing = self.files.next_listing()
        read, newest = self._store_pages(pages, listing, old.newest_added_at)
        self.files.end_added_listing(section, listing, newest, old)
        return read

    def _store_pages(self, pages: Iterable[ListPage], listing: int, newest: int) -> tuple[int, int]:
        read = 0
        waiting: list[PlexFile] = []
        for page in pages:
            newest = max(newest, page.newest_added_at)
            read += len(page.files)
            waiting += page.files
            if len(waiting) >= ROWS_PER_COMMIT:
                self.files.add(waiting, listing)
                waiting = []
        self.files.add(waiting, listing)
        return read, newest
