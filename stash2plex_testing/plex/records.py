"""What the stand-in Plex holds: libraries, items and their files (plex.md §2, §6)."""

from __future__ import annotations

from dataclasses import dataclass, field

TEXTS = ("title", "titleSort", "originalTitle", "summary", "tagline", "studio", "contentRating",
         "editionTitle")  # fmt: skip
FLOATS = ("rating", "audienceRating", "userRating")
TAGS = {
    "genre": "Genre", "actor": "Role", "director": "Director", "writer": "Writer",
    "producer": "Producer", "country": "Country", "collection": "Collection", "label": "Label",
}  # fmt: skip
LOCKABLE = {*TEXTS, *FLOATS, *TAGS, "originallyAvailableAt", "addedAt", "thumb", "art", "clearLogo",
            "squareArt", "theme"}  # fmt: skip


@dataclass
class Part:
    """One file of an item. `optimized` marks a version that Plex made (plex-2.md §1, 12).

    A path of `os.fsdecode` goes out with its raw bytes, also where they are not UTF-8.
    """

    path: str
    size: int | None
    optimized: bool = False


@dataclass
class Item:
    """A movie or other video. Its tags are by the names that edits use.

    `images` are the hashes of uploads, `offers` the keys of pictures that Plex itself found or
    made; `selected` names one of either.
    """

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
    offers: dict[str, list[str]] = field(default_factory=dict)
    selected: dict[str, str] = field(default_factory=dict)
    number_of_uploads: int = 0
    deleted_at: int | None = None
    last_rated_at: int = 0

    @property
    def guid(self) -> str:
        """Return what a library without an agent gives its items (plex.md §2.1)."""
        return f"tv.plex.agents.none://{self.rating_key}"


@dataclass
class Collection:
    """A collection of a library; it stays when its last item leaves it (plex.md §5)."""

    rating_key: int
    section: Section
    title: str
    smart: bool = False


@dataclass
class Scanning:
    """How scans go (plex.md §6.1, §6.2).

    A scan takes `seconds`, while its library reports a refresh; items appear `lag` seconds
    after its end. With `misses_new_folders` a scan finds nothing in a folder that holds no item
    yet, unless it is a location. With `own_spelling` a folder must begin with a location letter by
    letter, or the scan finds nothing (plex-2.md §1, 18). Scans that are asked for while one runs
    are `lost`, and counted. `asked` lists the library and the folder of every scan, None for all.
    """

    seconds: float = 0.0
    lag: float = 0.0
    misses_new_folders: bool = False
    own_spelling: bool = False
    lost: int = 0
    asked: list[tuple[int, str | None]] = field(default_factory=list)


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

    def holds(self, folder: str, *, own_spelling: bool) -> bool:
        """Return whether a folder is a location or lies below one."""
        if own_spelling:
            return any(
                folder == location or folder.startswith(_ended(location))
                for location in self.locations
            )
        return slashed(folder).startswith(tuple(slashed(location) for location in self.locations))


def slashed(path: str) -> str:
    """Spell a folder with slashes and one at its end, so that prefixes are whole names."""
    return path.replace("\\", "/").rstrip("/") + "/"


def _ended(location: str) -> str:
    separator = "\\" if "\\" in location else "/"
    return location if location.endswith(separator) else location + separator
