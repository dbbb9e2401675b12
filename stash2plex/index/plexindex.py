"""The path index: every file that Plex lists, kept in the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest

from attrs import frozen

from stash2plex.compare.keyset import KeySet
from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.errors import Refused
from stash2plex.match.matching import Rule, folded_ends, map_path
from stash2plex.model import Clock, PlexFile, PlexItem, Section
from stash2plex.servers.plex import ListPage, Plex, choose_sections

FULL_LIST_SECONDS = 86_400.0
"""A full list is at most this old: deltas show no deletions."""

RELIST_SECONDS = 600.0
"""A miss lists a library afresh at most this often, and only when the library has changed."""

ROWS_PER_COMMIT = 50_000
"""Rows of one transaction. Names come in no order, so each commit rewrites much of their tree: the
larger it is, the less is written for a row in a large library. A hook waits about 0.2 s."""

MOST_CANDIDATES = 500
"""Files of one name that are compared; with more, only those that the folder or size speaks for."""

SERVER = "plex_machine_id"
CLEARED_SERVER = "plex_machine_id_cleared"
"""Names of the server that the index is of, and of the one that was forgotten last."""

LISTING = "plex_listing"
"""Name of the number of readings so far."""

ADDED_OVERLAP = 3600
"""Seconds that a delta looks back before the newest item known."""


FileRow = tuple[str, str, str, str, str, int | None, int]


@frozen
class KnownSection:
    """What is remembered of a library."""

    section_id: str
    change_mark: str
    newest_added_at: int
    listed_at: float
    listed_mark: str
    locations: str


@frozen
class News:
    """What a refresh did: how many files it read, and the libraries as Plex has them.

    `whole` says that a library was listed from end to end, so that what is gone was seen.
    """

    files: int
    whole: bool
    sections: tuple[Section, ...]


class PlexIndex:
    """Looks files up by name, and keeps the index as fresh as Plex's change marks ask for."""

    def __init__(self, connection: sqlite3.Connection, plex: Plex, clock: Clock) -> None:
        self._db = connection
        self._plex = plex
        self._clock = clock

    def check_server(self, machine_id: str) -> None:
        """Refuse a Plex server that is not the one that the index and the records came from."""
        known = get_meta(self._db, SERVER)
        if known is None:
            with transaction(self._db):
                if get_meta(self._db, CLEARED_SERVER) not in (None, machine_id):
                    # What was written to that one is not here, whatever the ids say.
                    self._db.execute("UPDATE scene_record SET rating_key = '', fingerprint = ''")
                set_meta(self._db, SERVER, machine_id)
        elif known != machine_id:
            raise Refused(
                "Plex",
                "Another Plex server answers at this address than before. Nothing is written. "
                "If that is right, run the task “Rebuild Plex Index”.",
            )

    def refresh(
        self, library_names: tuple[str, ...], *, missed: bool = False, complete: bool = False
    ) -> News:
        """Bring the index up to date; returns what it read and the libraries.

        An unchanged Plex costs one request. A changed one costs the pages of what was added; all
        pages once a day, or, when a file was `missed`, at most every ten minutes: a move shows in
        no delta. `complete` reads all pages of each library that changed since they were read
        last. Raises ConfigError when a named library does not exist.
        """
        read = 0
        whole = False
        sections = choose_sections(self._plex.sections(), library_names)
        known = self._known()
        self._drop_sections(set(known) - {section.id for section in sections})
        for section in sections:
            old = known.get(section.id)
            behind = complete and old is not None and old.listed_mark != section.change_mark
            if old is None or behind or self._wants_full_list(section, old, missed=missed):
                read += self._list_all(section)
                whole = True
            elif old.change_mark != section.change_mark:
                read += self._list_added(section, old)
            elif old.locations != _as_text(section.locations):
                with transaction(self._db):
                    self._store_section(
                        section, old.newest_added_at, old.listed_at, old.listed_mark
                    )
        return News(read, whole, tuple(sections))

    def _wants_full_list(self, section: Section, old: KnownSection, *, missed: bool) -> bool:
        age = self._clock() - old.listed_at
        if not 0 <= age < FULL_LIST_SECONDS:
            return True
        return missed and age >= RELIST_SECONDS and old.listed_mark != section.change_mark

    def clear(self) -> None:
        """Forget everything, and which server it came from; every scene is compared again."""
        with transaction(self._db):
            self._lose("1", ())
            self._db.execute("DELETE FROM plex_section")
            self._db.execute("DELETE FROM plex_comparison")
            if known := get_meta(self._db, SERVER):
                set_meta(self._db, CLEARED_SERVER, known)
            self._db.execute("DELETE FROM meta WHERE name = ?", (SERVER,))

    def candidates(
        self, paths: Iterable[str], *, sizes: Collection[int] = (), rules: Sequence[Rule] = ()
    ) -> list[PlexFile]:
        """List the Plex files that have the name of one of these paths of Stash.

        Of a name that very many have, those in a folder of the same name, as it is or by the
        rules; where there is none, those of one of the sizes. A path that an item held before and
        another one holds now counts for the newer one only.
        """
        found: dict[tuple[str, str], PlexFile] = {}
        for path in dict.fromkeys(paths):
            for row in self._rows_named(path, sizes, rules):
                file = PlexFile(*row)
                found[file.section_id, file.path] = file
        return list(found.values())

    def _rows_named(
        self, path: str, sizes: Collection[int], rules: Sequence[Rule]
    ) -> list[tuple[str, str, str, int | None]]:
        name, own = folded_ends(path)
        rows = self._rows("name = ?", (name,))
        if len(rows) < MOST_CANDIDATES:
            return rows
        for folder in dict.fromkeys((folded_ends(map_path(path, rules))[1], own)):
            if rows := self._rows("name = ? AND folder = ?", (name, folder)):
                return rows
        marks = ", ".join("?" * len(sizes))
        return self._rows(f"name = ? AND size IN ({marks})", (name, *sizes))

    def _rows(
        self, where: str, values: tuple[object, ...]
    ) -> list[tuple[str, str, str, int | None]]:
        """Read rows in the order of their readings, no more than `MOST_CANDIDATES`."""
        rows = self._db.execute(
            "SELECT section_id, rating_key, path, size, listing FROM plex_file"  # noqa: S608 - marks
            f" WHERE {where} LIMIT ?",
            (*values, MOST_CANDIDATES),
        ).fetchall()
        return [row[:4] for row in sorted(rows, key=lambda row: (row[4], len(row[1]), row[1]))]

    def forget_item(self, rating_key: str) -> None:
        """Drop the files of an item that Plex no longer has; its scene is not in sync any more.

        Its library is then due for a full list at the next miss, changed or not: the answer may
        have been a slip of the server, and nothing else would bring the item back within a day.
        """
        with transaction(self._db):
            self._db.execute(
                "UPDATE plex_section SET listed_mark = '' WHERE section_id IN"
                " (SELECT section_id FROM plex_file WHERE rating_key = ?)",
                (rating_key,),
            )
            self._lose("rating_key = ?", (rating_key,))

    def learn(self, item: PlexItem) -> None:
        """Store the files that an item really holds: a move inside Plex shows in no delta.

        An item of a library that is not chosen holds none for us: its id may come from a record of
        before, and nothing may be written there.
        """
        files = [
            PlexFile(item.section_id, item.rating_key, path, size)
            for path, size in zip_longest(item.paths, item.sizes[: len(item.paths)])
            if item.section_id in self.section_ids()
        ]
        with transaction(self._db):
            known = self._db.execute(
                "SELECT section_id, rating_key, path, size FROM plex_file WHERE rating_key = ?",
                (item.rating_key,),
            )
            if {PlexFile(*row) for row in known} != set(files):
                self._db.execute("DELETE FROM plex_file WHERE rating_key = ?", (item.rating_key,))
                listing = self._next_listing()
                self._store_rows([_row(file, listing) for file in files])

    def size(self) -> int:
        """Count the items."""
        row = self._db.execute("SELECT count(DISTINCT rating_key) FROM plex_file").fetchone()
        return int(row[0])

    def section_ids(self) -> list[str]:
        """List the libraries by their ids."""
        return [str(row[0]) for row in self._db.execute("SELECT section_id FROM plex_section")]

    def outside(self, keys: KeySet, limit: int) -> tuple[int, list[tuple[str, str]]]:
        """Count the items that are not in a set; of the first few by path, key and path."""
        among = f"(SELECT key FROM {keys.table})"  # noqa: S608 - a checked name
        rest = f"FROM plex_file WHERE rating_key NOT IN {among}"
        number = self._db.execute(f"SELECT count(DISTINCT rating_key) {rest}").fetchone()[0]
        rows = self._db.execute(
            f"SELECT rating_key, min(path) {rest} GROUP BY rating_key ORDER BY 2 LIMIT ?", (limit,)
        )
        return int(number), [(str(key), str(path)) for key, path in rows]

    def some_path(self) -> str | None:
        """Return the path of one file, as an example."""
        row = self._db.execute("SELECT path FROM plex_file LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    def titles(self) -> list[str]:
        """Name the libraries."""
        return [str(row[0]) for row in self._db.execute("SELECT title FROM plex_section")]

    def locations(self) -> dict[str, list[str]]:
        """Name the folders of each library, by its id."""
        rows = self._db.execute("SELECT section_id, locations FROM plex_section")
        return {section_id: json.loads(text) for section_id, text in rows}

    # -- inside ---------------------------------------------------------------------------

    def _known(self) -> dict[str, KnownSection]:
        rows = self._db.execute(
            "SELECT section_id, change_mark, newest_added_at, listed_at, listed_mark, locations"
            " FROM plex_section"
        )
        return {row[0]: KnownSection(*row) for row in rows}

    def _list_all(self, section: Section) -> int:
        """Read a whole library, a page and a short transaction at a time.

        Rows of the last listing stay usable meanwhile; those that were not seen again go at the
        end.
        """
        listing = self._next_listing()
        read, newest = self._store_pages(self._plex.list_files(section.id), listing, 0)
        with transaction(self._db):
            self._lose("section_id = ? AND listing < ?", (section.id, listing))
            self._store_section(section, newest, self._clock(), section.change_mark)
        return read

    def _list_added(self, section: Section, old: KnownSection) -> int:
        """Read what was added since the newest item that is known.

        A file that was deleted and added again has a new item; the old one goes at once.
        """
        since = max(0, old.newest_added_at - ADDED_OVERLAP)
        pages = self._plex.list_files(section.id, added_after=since)
        listing = self._next_listing()
        read, newest = self._store_pages(pages, listing, old.newest_added_at)
        with transaction(self._db):
            self._lose(
                "rowid IN (SELECT old.rowid FROM plex_file new CROSS JOIN plex_file old"
                " ON old.name = new.name AND old.path = new.path"
                " AND old.section_id = new.section_id AND old.rating_key <> new.rating_key"
                " WHERE new.listing = ? AND old.listing < new.listing)",
                (listing,),
            )
            self._store_section(section, newest, old.listed_at, old.listed_mark)
        return read

    def listing(self) -> int:
        """Return the number of the last reading; rows that are read next get a higher one."""
        return int(get_meta(self._db, LISTING) or 0)

    def _next_listing(self) -> int:
        with transaction(self._db):
            listing = self.listing() + 1
            set_meta(self._db, LISTING, str(listing))
        return listing

    def _lose(self, where: str, values: tuple[object, ...]) -> None:
        """Drop rows; a record that rests on one of them no longer says that all is in sync."""
        self._db.execute(
            "UPDATE scene_record SET fingerprint = ''"  # noqa: S608 - one of few constants
            " WHERE (rating_key, plex_path) IN"
            f" (SELECT rating_key, path FROM plex_file WHERE {where})",
            values,
        )
        self._db.execute(f"DELETE FROM plex_file WHERE {where}", values)  # noqa: S608 - constants

    def _store_pages(self, pages: Iterable[ListPage], listing: int, newest: int) -> tuple[int, int]:
        read = 0
        rows: list[FileRow] = []
        for page in pages:
            newest = max(newest, page.newest_added_at)
            read += len(page.files)
            rows += [_row(file, listing) for file in page.files]
            if len(rows) >= ROWS_PER_COMMIT:
                self._store_rows(rows)
                rows = []
        self._store_rows(rows)
        return read, newest

    def _store_rows(self, rows: list[FileRow]) -> None:
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO plex_file (rating_key, path, section_id, name, folder, size, listing)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (rating_key, path) DO UPDATE SET"
                " section_id = excluded.section_id, size = excluded.size,"
                " listing = max(listing, excluded.listing)",
                rows,
            )

    def _store_section(
        self, section: Section, newest: int, listed_at: float, listed_mark: str
    ) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO plex_section (section_id, uuid, title, change_mark,"
            " newest_added_at, listed_at, listed_mark, locations)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                section.id,
                section.uuid,
                section.title,
                section.change_mark,
                newest,
                listed_at,
                listed_mark,
                _as_text(section.locations),
            ),
        )

    def _drop_sections(self, gone: set[str]) -> None:
        if gone:
            with transaction(self._db):
                for one in gone:
                    self._lose("section_id = ?", (one,))
                self._db.executemany(
                    "DELETE FROM plex_section WHERE section_id = ?", [(one,) for one in gone]
                )


def _row(file: PlexFile, listing: int) -> FileRow:
    name, folder = folded_ends(file.path)
    return (file.rating_key, file.path, file.section_id, name, folder, file.size, listing)


def _as_text(locations: tuple[str, ...]) -> str:
    return json.dumps(locations, ensure_ascii=False)
