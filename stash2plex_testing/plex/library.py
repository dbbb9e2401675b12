"""What the stand-in Plex holds, and what an edit does to it (plex.md §2, §3, §4)."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import unquote

TEXTS = ("title", "titleSort", "originalTitle", "summary", "tagline", "studio", "contentRating",
         "editionTitle")  # fmt: skip
FLOATS = ("rating", "audienceRating", "userRating")
TAGS = {
    "genre": "Genre", "actor": "Role", "director": "Director", "writer": "Writer",
    "producer": "Producer", "country": "Country", "collection": "Collection", "label": "Label",
}  # fmt: skip
LOCKABLE = {*TEXTS, *FLOATS, *TAGS, "originallyAvailableAt", "addedAt", "thumb", "art", "clearLogo",
            "squareArt", "theme"}  # fmt: skip
MOST_IMAGE_BYTES = 10_480_000
"""Larger uploads are answered with 500 (plex.md §4.4)."""


class BadEdit(ValueError):
    """An edit that Plex answers with 400."""


@dataclass
class Part:
    """One file of an item."""

    path: str
    size: int | None


@dataclass
class Item:
    """A movie or other video. Its tags are by the names that edits use."""

    rating_key: int
    section: Section
    parts: list[Part]
    title: str
    added_at: int
    updated_at: int
    texts: dict[str, str] = field(default_factory=dict)
    floats: dict[str, float] = field(default_factory=dict)
    originally_available_at: str = ""
    tags: dict[str, list[str]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    images: dict[str, list[str]] = field(default_factory=dict)
    selected: dict[str, str] = field(default_factory=dict)
    number_of_uploads: int = 0
    deleted_at: int | None = None
    last_rated_at: int = 0

    @property
    def guid(self) -> str:
        """Return what a library without an agent gives its items (plex.md §2.1)."""
        return f"tv.plex.agents.none://{self.rating_key}"


@dataclass
class Scanning:
    """How scans go (plex.md §6.1, §6.2).

    A scan takes `seconds`, while its library says that it refreshes; items appear `lag` seconds
    after its end. With `misses_new_folders` a scan finds nothing in a folder that holds no item
    yet, unless it is a location. Scans that are asked for while one runs are `lost`, and counted.
    """

    seconds: float = 0.0
    lag: float = 0.0
    misses_new_folders: bool = False
    lost: int = 0


@dataclass
class Section:
    """A library. `found` are files that appear as items at a time."""

    id: int
    title: str
    type: str
    locations: list[str]
    uuid: str
    created_at: int
    updated_at: int
    scanned_at: int
    content_changed_at: int = 1
    refreshing: bool = False
    items: dict[int, Item] = field(default_factory=dict)
    staged: list[Part] = field(default_factory=list)
    found: list[tuple[float, Part]] = field(default_factory=list)
    scan_ends: float = 0.0
    scanned_folder: str | None = None

    def stage_file(self, path: str, size: int | None = None) -> None:
        """Put a file on disk: the next scan of its folder finds it."""
        self.staged.append(Part(path, size))


class PlexLibrary:
    """All sections. Every method takes the lock; `tag_semantics` is the open question of §3.6."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.scanning = Scanning()
        self.tag_semantics = "replace"
        self.sections: dict[int, Section] = {}
        self.items: dict[int, Item] = {}
        self.blobs: dict[str, bytes] = {}
        self.whole_library_edits = 0
        self._next_key = 1

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
        """Take an item away."""
        with self.lock:
            del self.items[item.rating_key]
            del item.section.items[item.rating_key]
            self.touch(item.section)

    def touch(self, section: Section) -> None:
        """Move the marks that tell a change of the library's content (plex.md §2.4)."""
        section.content_changed_at += 1
        section.updated_at = section.scanned_at = self.now()

    def scan(self, section: Section, folder: str | None) -> None:
        """Start to look for the staged files below a folder, or in the whole library."""
        with self.lock:
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
        folder = _folder(section.scanned_folder)
        places = [_folder(location) for location in section.locations]
        if not folder.startswith(tuple(places)):
            return []
        held = [_folder(part.path) for item in section.items.values() for part in item.parts]
        known = folder in places or any(path.startswith(folder) for path in held)
        if self.scanning.misses_new_folders and not known:
            return []
        return [part for part in section.staged if _folder(part.path).startswith(folder)]

    # -- edits ----------------------------------------------------------------------------

    def edit(self, items: list[Item], parameters: Mapping[str, list[str]], *, whole: bool) -> None:
        """Apply an edit to a set of items; raises BadEdit before anything is changed."""
        actions = [self._action(name, values, len(items)) for name, values in parameters.items()]
        with self.lock:
            if whole:
                self.whole_library_edits += 1
            replaced: set[str] = set()
            for item in items:
                replaced.clear()
                for action in actions:
                    action(item, replaced)
                item.updated_at = self.now()

    def _action(
        self, name: str, values: list[str], number: int
    ) -> Callable[[Item, set[str]], None]:
        value = values[-1]
        if match := re.fullmatch(r"(\w+)\.(value|locked)", name):
            return self._field_action(match[1], match[2], value)
        if match := re.fullmatch(r"(\w+)\[\d+\]\.tag\.tag", name):
            everywhere = self.tag_semantics == "replace_sets"
            return self._tag_action(match[1], value, replaces=number == 1 or everywhere)
        if match := re.fullmatch(r"(\w+)\[\]\.tag\.tag-", name):
            self._check_tag(match[1])
            gone = [unquote(part) for part in value.split(",")]

            def remove(item: Item, _: set[str]) -> None:
                held = item.tags.get(match[1], [])
                item.tags[match[1]] = [tag for tag in held if tag not in gone]

            return remove
        if re.fullmatch(r"(\w+)\[\d+\]\.(tag|tagging)\.\w+", name):
            return lambda _item, _replaced: None
        raise BadEdit(name)

    def _field_action(self, name: str, part: str, value: str) -> Callable[[Item, set[str]], None]:
        if name not in LOCKABLE:
            raise BadEdit(name)
        if part == "locked":
            if value not in ("0", "1"):
                raise BadEdit(name)

            def lock(item: Item, _: set[str]) -> None:
                (item.locked.add if value == "1" else item.locked.discard)(name)

            return lock
        if name == "originallyAvailableAt":
            if value:
                try:
                    if date.fromisoformat(value).isoformat() != value:
                        raise BadEdit(value)
                except ValueError as error:
                    raise BadEdit(value) from error

            def set_date(item: Item, _: set[str]) -> None:
                item.originally_available_at = value

            return set_date
        if name in FLOATS:
            try:
                number = float(value) if value else None
            except ValueError as error:
                raise BadEdit(value) from error

            def set_number(item: Item, _: set[str]) -> None:
                if number is None:
                    item.floats.pop(name, None)
                else:
                    item.floats[name] = number

            return set_number
        if name not in TEXTS:
            raise BadEdit(name)

        def set_text(item: Item, _: set[str]) -> None:
            if name == "title":
                item.title = value
            else:
                item.texts[name] = value

        return set_text

    def _tag_action(
        self, kind: str, value: str, *, replaces: bool
    ) -> Callable[[Item, set[str]], None]:
        self._check_tag(kind)
        semantics = self.tag_semantics

        def add(item: Item, replaced: set[str]) -> None:
            if replaces and semantics != "append" and kind not in replaced:
                replaced.add(kind)
                item.tags[kind] = []
            held = item.tags.setdefault(kind, [])
            if value and value not in held:
                held.append(value)

        return add

    def _check_tag(self, kind: str) -> None:
        if kind not in TAGS:
            raise BadEdit(kind)

    def rate(self, item: Item, rating: float) -> None:
        """Set the stars; -1 takes them away (plex.md §3.5)."""
        with self.lock:
            # The stars are the person's, not the item's: `updatedAt` stays.
            item.last_rated_at = self.now()
            if rating < 0:
                item.floats.pop("userRating", None)
            else:
                item.floats["userRating"] = rating

    def upload(self, item: Item, kind: str, data: bytes) -> None:
        """File picture bytes under their hash (plex.md §4.2).

        New bytes become the selected picture and lock it; the same bytes again change nothing.
        """
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        with self.lock:
            item.number_of_uploads += 1
            held = item.images.setdefault(kind, [])
            if name not in held:
                held.append(name)
                self.blobs[name] = data
                item.selected[kind] = name
                item.locked.add("thumb" if kind == "posters" else "art")
                item.updated_at = self.now()


def _folder(path: str) -> str:
    return path.replace("\\", "/").rstrip("/") + "/"
