"""Keeps the files that Plex lists: which item holds which file, in which library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest

from attrs import frozen

from stash2plex.db import drop_meta, get_meta, set_meta, transaction
from stash2plex.model import PlexFile, PlexItem, Section
from stash2plex.rules.matching import Rule, folded_ends, map_path
from stash2plex.store.key_set import KeySet
from stash2plex.store.meta import CLEARED_MACHINE_ID, LISTING, MACHINE_ID, get_number
from stash2plex.store.records import Records
from stash2plex.store.stored_json import load_list

MAX_CANDIDATES = 500
"""How many files of one name are compared; if there are more, the folder or size decides."""

NAMED = "SELECT section_id, rating_key, path, size, listing FROM plex_file WHERE name = ? LIMIT ?"
AT = (
    "SELECT section_id, rating_key, path, size FROM plex_file WHERE name = ? AND path = ?"
    " ORDER BY length(rating_key), rating_key"
)
FILES_OF_ITEM = (
    "SELECT section_id, rating_key, path, size FROM plex_file WHERE rating_key = ? ORDER BY path"
)
NAMED_IN_FOLDER = (
    "SELECT section_id, rating_key, path, size, listing FROM plex_file"
    " WHERE name = ? AND folder = ? LIMIT ?"
)
NAMED_WITH_SIZE = (
    "SELECT section_id, rating_key, path, size, listing FROM plex_file"
    " WHERE name = ? AND size = ? LIMIT ?"
)
ADDED_AGAIN = (
    "SELECT old.rating_key, old.path FROM plex_file new CROSS JOIN plex_file old"
    " ON old.name = new.name AND old.path = new.path"
    " AND old.section_id = new.section_id AND old.rating_key <> new.rating_key"
    " WHERE new.listing = ? AND old.listing < new.listing"
)
OUTSIDE_COUNT = (
    "SELECT count(DISTINCT rating_key) FROM plex_file"
    " WHERE rating_key NOT IN (SELECT key FROM temp.key_set WHERE name = ?)"
)
OUTSIDE = (
    "SELECT rating_key, min(path) FROM plex_file"
    " WHERE rating_key NOT IN (SELECT key FROM temp.key_set WHERE name = ?)"
    " GROUP BY rating_key ORDER BY 2 LIMIT ?"
)

IN_SECTION = "SELECT rating_key, path FROM plex_file WHERE section_id = ?"
OF_ITEM = "SELECT rating_key, path FROM plex_file WHERE rating_key = ?"
UNSEEN = "SELECT rating_key, path FROM plex_file WHERE section_id = ? AND listing < ?"

FileRow = tuple[str, str, str, str, str, int | None, int]
FoundRow = tuple[str, str, str, int | None, int]


@frozen
class KnownSection:
    """What is known about a library. `locations` is JSON: its folders."""

    section_id: str
    change_mark: str
    newest_added_at: int
    listed_at: float
    listed_mark: str
    locations: str

    def has_folders(self, section: Section) -> bool:
        """Return whether the library still has the folders that are stored."""
        return self.locations == _as_text(section.locations)


class PlexFiles:
    """The files and libraries in one database.

    When a file is removed, the records that were matched by it are due to be compared again.
    """

    def __init__(self, connection: sqlite3.Connection, records: Records) -> None:
        self._db = connection
        self._records = records

    @property
    def connection(self) -> sqlite3.Connection:
        """The database that holds them."""
        return self._db

    # -- whose they are -------------------------------------------------------------------

    def server(self) -> str | None:
        """Return the machine id of the files' server; None before the first."""
        return get_meta(self._db, MACHINE_ID)

    def adopt_server(self, machine_id: str) -> None:
        """Store the server that the next files come from."""
        with transaction(self._db):
            if get_meta(self._db, CLEARED_MACHINE_ID) not in (None, machine_id):
                # What was written to the other server is not here, even if the ids are equal.
                self._records.detach_all()
            set_meta(self._db, MACHINE_ID, machine_id)

    def clear(self) -> None:
        """Delete all files and their server's id; every scene is compared again."""
        with transaction(self._db):
            self._records.invalidate_all()
            self._db.execute("DELETE FROM plex_file")
            self._db.execute("DELETE FROM plex_section")
            self._db.execute("DELETE FROM picture_check")
            if known := self.server():
                set_meta(self._db, CLEARED_MACHINE_ID, known)
            drop_meta(self._db, MACHINE_ID)

    # -- looked up ------------------------------------------------------------------------

    def candidates(
        self, paths: Iterable[str], *, sizes: Collection[int] = (), rules: Sequence[Rule] = ()
    ) -> list[PlexFile]:
        """List the Plex files that have the same name as one of these paths in Stash.

        For very common names, narrow by parent folder (raw or mapped), then by size. If a path
        moved from one item to another, only the newer item is listed.
        """
        files: dict[tuple[str, str], PlexFile] = {}
        for path in dict.fromkeys(paths):
            for row in self._rows_named(path, sizes, rules):
                file = PlexFile(*row)
                files[file.section_id, file.path] = file
        return list(files.values())

    def at(self, path: str) -> list[PlexFile]:
        """List the files with a whole path in Plex: one for each library that has it."""
        rows = self._db.execute(AT, (folded_ends(path)[0], path))
        return [PlexFile(*row) for row in rows]

    def of_item(self, rating_key: str) -> list[PlexFile]:
        """List the files of an item."""
        return [PlexFile(*row) for row in self._db.execute(FILES_OF_ITEM, (rating_key,))]

    def _rows_named(
        self, path: str, sizes: Collection[int], rules: Sequence[Rule]
    ) -> list[tuple[str, str, str, int | None]]:
        name, own = folded_ends(path)
        rows = self._rows(NAMED, name)
        if len(rows) < MAX_CANDIDATES:
            return _in_order(rows)
        for folder in dict.fromkeys((folded_ends(map_path(path, rules))[1], own)):
            if rows := self._rows(NAMED_IN_FOLDER, name, folder):
                return _in_order(rows)
        return _in_order(
            [
                row
                for size in dict.fromkeys(sizes)
                for row in self._rows(NAMED_WITH_SIZE, name, size)
            ]
        )

    def _rows(self, statement: str, *values: object) -> list[FoundRow]:
        return self._db.execute(statement, (*values, MAX_CANDIDATES)).fetchall()

    def size(self) -> int:
        """Count the items."""
        row = self._db.execute("SELECT count(DISTINCT rating_key) FROM plex_file").fetchone()
        return int(row[0])

    def section_ids(self) -> list[str]:
        """List the ids of the libraries."""
        return [str(row[0]) for row in self._db.execute("SELECT section_id FROM plex_section")]

    def section_of(self, rating_key: str) -> str:
        """Return the library that an item was listed in, empty for one that is not known."""
        row = self._db.execute(
            "SELECT section_id FROM plex_file WHERE rating_key = ? LIMIT 1", (rating_key,)
        ).fetchone()
        return "" if row is None else str(row[0])

    def other_item(self, keys: Collection[str]) -> str:
        """Return the key of an item that is none of these; empty if there is none."""
        rows = self._db.execute(
            "SELECT DISTINCT rating_key FROM plex_file LIMIT ?", (len(keys) + 1,)
        ).fetchall()
        return next((str(key) for (key,) in rows if key not in keys), "")

    def outside(self, keys: KeySet, limit: int) -> tuple[int, list[tuple[str, str]]]:
        """Count the items that are not in a set; list key and path of the first `limit` by path."""
        number = self._db.execute(OUTSIDE_COUNT, (keys.name,)).fetchone()[0]
        rows = self._db.execute(OUTSIDE, (keys.name, limit))
        return int(number), [(str(key), str(path)) for key, path in rows]

    def some_path(self) -> str | None:
        """Return the path of one file, as an example."""
        row = self._db.execute("SELECT path FROM plex_file LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    def titles(self) -> list[str]:
        """List the titles of the libraries."""
        return [str(row[0]) for row in self._db.execute("SELECT title FROM plex_section")]

    def titles_by_id(self) -> dict[str, str]:
        """Name the libraries, by their ids."""
        return dict(self._db.execute("SELECT section_id, title FROM plex_section"))

    def locations(self) -> dict[str, list[str]]:
        """Return the folders of each library, by its id.

        Unreadable folders count as none. They differ from Plex's, so they are stored again.
        """
        rows = self._db.execute("SELECT section_id, locations FROM plex_section")
        return {
            section_id: [folder for folder in load_list(text) if isinstance(folder, str)]
            for section_id, text in rows
        }

    def known(self) -> dict[str, KnownSection]:
        """Return what is known about each library, by its id."""
        rows = self._db.execute(
            "SELECT section_id, change_mark, newest_added_at, listed_at, listed_mark, locations"
            " FROM plex_section"
        )
        return {row[0]: KnownSection(*row) for row in rows}

    # -- read from Plex -------------------------------------------------------------------

    def listing(self) -> int:
        """Return the number of the last reading; the next rows get a higher one."""
        return int(get_number(self._db, LISTING) or 0)

    def next_listing(self) -> int:
        """Begin a reading; returns its number."""
        with transaction(self._db):
            listing = self.listing() + 1
            set_meta(self._db, LISTING, str(listing))
        return listing

    def add(self, files: Iterable[PlexFile], listing: int) -> None:
        """Store the files of a reading, in one transaction."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO plex_file (rating_key, path, section_id, name, folder, size, listing)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (rating_key, path) DO UPDATE SET"
                " section_id = excluded.section_id, size = excluded.size,"
                " listing = max(listing, excluded.listing)",
                (_row(file, listing) for file in files),
            )

    def end_full_listing(
        self,
        section: Section,
        listing: int,
        newest: int,
        now: float,
        unread: Collection[str] = (),
    ) -> None:
        """Drop the files that a reading of a whole library did not show, and store the library.

        `newest` is when the last item was added (Plex's clock); `now` is by our clock. `unread` are
        the keys of unreadable rows, empty if even the key could not be read. What such rows are is
        unknown, so then nothing is dropped. At the next miss the library is listed again, changed
        or not: a row may be readable by then.
        """
        with transaction(self._db):
            if "" not in unread:
                rows = self._db.execute(UNSEEN, (section.id, listing)).fetchall()
                self._drop_files([row for row in rows if row[0] not in unread])
            self.put_section(section, newest, now, "" if unread else section.change_mark)

    def end_added_listing(
        self, section: Section, listing: int, newest: int, old: KnownSection
    ) -> None:
        """Drop the old item of each file that was deleted and added again under a new item."""
        with transaction(self._db):
            self._drop(ADDED_AGAIN, listing)
            self.put_section(section, newest, old.listed_at, old.listed_mark)

    def put_section(
        self, section: Section, newest: int, listed_at: float, listed_mark: str
    ) -> None:
        """Store a library."""
        with transaction(self._db):
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

    def drop_sections(self, gone: Collection[str]) -> None:
        """Drop libraries that no longer exist or were deselected."""
        if not gone:
            return
        with transaction(self._db):
            for section_id in gone:
                self._drop(
                    "SELECT rating_key, path FROM plex_file WHERE section_id = ?", section_id
                )
                self._db.execute("DELETE FROM plex_section WHERE section_id = ?", (section_id,))

    def forget_item(self, rating_key: str) -> None:
        """Drop the files of an item that Plex no longer has; its scene is no longer in sync.

        At the next miss its library is listed in full, changed or not: the answer may have been a
        mistake of the server, and nothing else would bring the item back within a day.
        """
        with transaction(self._db):
            self._db.execute(
                "UPDATE plex_section SET listed_mark = '' WHERE section_id IN"
                " (SELECT section_id FROM plex_file WHERE rating_key = ?)",
                (rating_key,),
            )
            self._drop(OF_ITEM, rating_key)

    def learn(self, item: PlexItem) -> None:
        """Store the files that an item really holds: no delta shows a move inside Plex.

        An item of a library that is not chosen counts as having no files: its id may come from an
        old record, and nothing may be written there.
        """
        section_id = item.section_id or self.section_of(item.rating_key)
        is_chosen = section_id in self.section_ids()
        files = [
            PlexFile(section_id, item.rating_key, path, size)
            for path, size in zip_longest(item.paths, item.sizes[: len(item.paths)])
            if is_chosen
        ]
        with transaction(self._db):
            known = self._db.execute(
                "SELECT section_id, rating_key, path, size FROM plex_file WHERE rating_key = ?",
                (item.rating_key,),
            )
            if {PlexFile(*row) for row in known} != set(files):
                self._db.execute("DELETE FROM plex_file WHERE rating_key = ?", (item.rating_key,))
                self.add(files, self.next_listing())

    def _drop(self, selection: str, *values: object) -> None:
        """Drop the files whose rating key and path a statement selects."""
        self._drop_files(self._db.execute(selection, values).fetchall())

    def _drop_files(self, files: Sequence[tuple[str, str]]) -> None:
        self._records.invalidate_files(files)
        self._db.executemany("DELETE FROM plex_file WHERE rating_key = ? AND path = ?", files)


def _in_order(rows: Iterable[FoundRow]) -> list[tuple[str, str, str, int | None]]:
    """Sort by reading, so that a newer one wins; returns at most `MAX_CANDIDATES`."""
    ordered = sorted(rows, key=lambda row: (row[4], len(row[1]), row[1]))
    return [row[:4] for row in ordered[:MAX_CANDIDATES]]


def _row(file: PlexFile, listing: int) -> FileRow:
    name, folder = folded_ends(file.path)
    return (file.rating_key, file.path, file.section_id, name, folder, file.size, listing)


def _as_text(locations: tuple[str, ...]) -> str:
    return json.dumps(locations, ensure_ascii=False)
