"""What the stand-in Plex holds, and how scans, edits and uploads change it (plex.md §2 to §6)."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping

from stash2plex_testing.plex.edits import Editor, read_edit, set_number
from stash2plex_testing.plex.records import Collection, Item, Part, Scanning, Section, slashed
from stash2plex_testing.plex.traits import Traits, fold

MAX_IMAGE_BYTES = 10_480_000
"""Larger uploads are answered with 500 (plex.md §4.4)."""


class PlexLibrary:
    """All sections. Every method takes the lock; `traits` is what edits come to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.scanning = Scanning()
        self.traits = Traits()
        self.sections: dict[int, Section] = {}
        self.items: dict[int, Item] = {}
        self.blobs: dict[str, bytes] = {}
        self.whole_library_edits = 0
        self._editor = Editor(self.items.values)
        self._next_key = 1
        self.collections: list[Collection] = []
        self._collection_names: set[tuple[int, str]] = set()
        self._next_collection = 900_000

    def now(self) -> int:
        """Return whole seconds since the epoch, as Plex stores times."""
        return int(self.clock())

    def add_section(self, title: str, type_: str, locations: Iterable[str]) -> Section:
        """Make a library."""
        with self.lock:
            id_ = len(self.sections) + 1
            now = self.now()
            uuid = f"00000000-0000-4000-8000-{id_:012d}"
            section = Section(id_, title, type_, list(locations), uuid, now, now, now)
            self.sections[id_] = section
            return section

    def add_item(
        self,
        section: Section,
        paths: Iterable[tuple[str, int | None]],
        title: str | None,
        values: Mapping[str, str],
    ) -> Item:
        """Make an item as a scan does: it knows nothing but its files."""
        with self.lock:
            parts = [Part(path, size) for path, size in paths]
            now = self.now()
            stem = os.path.splitext(re.split(r"[\\/]", parts[0].path)[-1])[0]
            item = Item(self._next_key, section, parts, title or stem, now, now)
            for name, value in values.items():
                item.texts[name] = value
            self._next_key += 1
            section.items[item.rating_key] = item
            self.items[item.rating_key] = item
            self.touch(section)
            return item

    def remove_item(self, item: Item) -> None:
        """Remove an item."""
        with self.lock:
            del self.items[item.rating_key]
            del item.section.items[item.rating_key]
            self.touch(item.section)

    def touch(self, section: Section) -> None:
        """Move the marks that show a change of the library's content (plex.md §2.4)."""
        section.content_changed_at += 1
        section.updated_at = section.scanned_at = self.now()

    def scan(self, section: Section, folder: str | None) -> None:
        """Start to look for the staged files below a folder, or in the whole library."""
        with self.lock:
            self.scanning.asked.append((section.id, folder))
            if section.refreshing:
                self.scanning.lost += 1
                return
            section.refreshing = True
            section.scanned_folder = folder
            section.scan_ends = self.clock() + self.scanning.seconds
            self.settle()

    def settle(self) -> None:
        """End the scans whose time has come, and let what they found appear."""
        with self.lock:
            now = self.clock()
            for section in self.sections.values():
                if section.refreshing and now >= section.scan_ends:
                    section.refreshing = False
                    section.scanned_at = int(section.scan_ends)
                    for part in self._found(section):
                        section.staged.remove(part)
                        section.found.append((section.scan_ends + self.scanning.lag, part))
                for appears, part in list(section.found):
                    if now >= appears:
                        section.found.remove((appears, part))
                        self.add_item(section, [(part.path, part.size)], None, {})

    def _found(self, section: Section) -> list[Part]:
        """List the staged files that the scan sees; a folder outside of the library is ignored."""
        if section.scanned_folder is None:
            return list(section.staged)
        if not section.holds(section.scanned_folder, own_spelling=self.scanning.own_spelling):
            return []
        folder = slashed(section.scanned_folder)
        held = [slashed(part.path) for item in section.items.values() for part in item.parts]
        known = folder in [slashed(location) for location in section.locations] or any(
            path.startswith(folder) for path in held
        )
        if self.scanning.misses_new_folders and not known:
            return []
        return [part for part in section.staged if slashed(part.path).startswith(folder)]

    # -- collections ----------------------------------------------------------------------

    def add_collection(self, section: Section, title: str, *, smart: bool = False) -> Collection:
        """Make a collection without items. Its keys are apart from those of items."""
        with self.lock:
            self._collection_names.add((section.id, fold(title)))
            self._next_collection += 1
            key = self._next_collection
            self.collections.append(Collection(key, section, title, smart))
            return self.collections[-1]

    def collections_of(self, section: Section) -> list[Collection]:
        """List the collections of a library; a new tag has made one."""
        with self.lock:
            for item in section.items.values():
                self._make_collections(item)
            return [one for one in self.collections if one.section is section]

    def _make_collections(self, item: Item) -> None:
        for tag in item.tags.get("collection", ()):
            if (item.section.id, fold(tag)) not in self._collection_names:
                self.add_collection(item.section, tag)

    def children_of(self, section: Section, collection: Collection) -> int:
        """Count the items of a collection."""
        name = fold(collection.title)
        return sum(
            name in {fold(tag) for tag in item.tags.get("collection", ())}
            for item in section.items.values()
        )

    def remove_collection(self, rating_key: int) -> bool:
        """Remove a collection; returns whether there was one."""
        with self.lock:
            for one in self.collections:
                if one.rating_key == rating_key:
                    self.collections.remove(one)
                    self._collection_names.discard((one.section.id, fold(one.title)))
                    return True
            return False

    # -- edits ----------------------------------------------------------------------------

    def edit(self, items: list[Item], parameters: Mapping[str, list[str]], *, whole: bool) -> None:
        """Apply an edit to a set of items; raises BadEdit before anything is changed."""
        steps = read_edit(parameters)
        with self.lock:
            if whole:
                self.whole_library_edits += 1
            self._editor.apply(items, steps, self.traits)
            for item in items:
                item.updated_at = self.now()
                self._make_collections(item)

    def rate(self, item: Item, rating: float) -> None:
        """Set the stars; -1 removes them (plex.md §3.5)."""
        with self.lock:
            if "rate" in self.traits.ignores_field:
                return
            # The stars belong to the user, not to the item: `updatedAt` stays.
            item.last_rated_at = self.now()
            set_number(item, "userRating", None if rating < 0 else rating, self.traits)

    def upload(self, item: Item, kind: str, data: bytes) -> None:
        """Store picture bytes under their hash (plex.md §4.2).

        New bytes become the selected picture and lock it; the same bytes again change nothing.
        """
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        lock = "thumb" if kind == "posters" else "art"
        with self.lock:
            item.number_of_uploads += 1
            if lock in self.traits.ignores_field:
                return
            held = item.images.setdefault(kind, [])
            if name not in held:
                held.append(name)
                self.blobs[name] = data
                item.selected[kind] = name
                item.locked.add(lock)
                item.updated_at = self.now()
