"""The shapes of Plex's answers, as far as we read them, and how a row becomes an item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import Factory, frozen
from cattrs import Converter

from stash2plex.errors import Transient
from stash2plex.model import LABEL_LIMIT, OPAQUE_ID, Field, PlexItem
from stash2plex.servers.plexedit import PLEX_NAMES
from stash2plex.servers.wire import give_shape

ITEM_KEY = re.compile(r"/library/metadata/([^/?]{1,64})")
OPTIMIZED = (42, "42")
"""`proxyType` of a version that Plex made for other devices (plex-2.md §1, 12)."""

OPTIMIZED_FOLDER = "plex versions"
"""The folder of such versions, beside the original or in a library's own folder."""

SECTION_KEY = re.compile(r"/library/sections/([^/?]{1,64})")


@frozen
class WireTag:
    """A name in a list."""

    tag: str = ""


@frozen
class WireLock:
    """A field that may be locked."""

    name: str = ""
    locked: bool = False


@frozen
class WirePart:
    """A file of an item."""

    file: str | None = None
    size: int | None = None


@frozen
class WireMedia:
    """A version of an item."""

    Part: list[WirePart] = Factory(list)
    proxyType: Any = None  # noqa: N815 - Plex's name


@frozen
class WireRow:
    """An item, in a list or with all details."""

    ratingKey: str  # noqa: N815 - Plex's names, here and below
    librarySectionID: str = ""  # noqa: N815
    librarySectionKey: str = ""  # noqa: N815
    title: str = ""
    summary: str = ""
    studio: str = ""
    tagline: str = ""
    thumb: str = ""
    art: str = ""
    originallyAvailableAt: str = ""  # noqa: N815
    userRating: float | None = None  # noqa: N815
    addedAt: int = 0  # noqa: N815
    updatedAt: int = 0  # noqa: N815
    deletedAt: int | None = None  # noqa: N815
    Role: list[WireTag] = Factory(list)
    Genre: list[WireTag] = Factory(list)
    Director: list[WireTag] = Factory(list)
    Collection: list[WireTag] = Factory(list)
    Field: list[WireLock] = Factory(list)
    Media: list[WireMedia] = Factory(list)


@frozen
class WireLocation:
    """A folder of a library."""

    path: str = ""


@frozen
class WireDirectory:
    """A library."""

    key: str
    type: str = ""
    title: str = ""
    uuid: str = ""
    contentChangedAt: str = ""  # noqa: N815
    scannedAt: str = ""  # noqa: N815
    updatedAt: str = ""  # noqa: N815
    refreshing: bool = False
    Location: list[WireLocation] = Factory(list)


@frozen
class WirePhoto:
    """A picture that an item may show."""

    ratingKey: str = ""  # noqa: N815
    selected: bool = False


@frozen
class WirePhotos:
    """The pictures that an item may show."""

    Metadata: list[WirePhoto] = Factory(list)
    Photo: list[WirePhoto] = Factory(list)


@frozen
class WirePhotosAnswer:
    """An answer with pictures."""

    MediaContainer: WirePhotos


@frozen
class WireContainer:
    """The container of every other answer. Its rows are read one by one, because one may be odd."""

    totalSize: int | None = None  # noqa: N815
    machineIdentifier: str = ""  # noqa: N815
    version: str = ""
    friendlyName: str = ""  # noqa: N815
    claimed: bool | None = None
    librarySectionID: str = ""  # noqa: N815
    Metadata: Any = Factory(list)
    Directory: Any = Factory(list)


@frozen
class WireAnswer:
    """An answer."""

    MediaContainer: WireContainer


@frozen
class OddRow:
    """A row that cannot be read. `rating_key` is empty if it has no usable one.

    `place` is its number in the list and `after` the path of the file before it, as far as they
    are known: all that is known about a row without a name.
    """

    rating_key: str
    name: str
    after: str = ""
    place: int = 0

    def words(self) -> str:
        """Return what is known about the row, in words."""
        words = f"item {self.rating_key}" if self.rating_key else "an item"
        if self.name:
            return f"{words} “{self.name}”"
        if self.place and not self.rating_key:
            words = f"item number {self.place} of the list"
        return f"{words}, the one listed after “{self.after}”" if self.after else words


def read_rows(converter: Converter, rows: Sequence[Any]) -> tuple[list[WireRow], list[OddRow]]:
    """Read the rows of an answer; a row with an unexpected shape does not affect the others."""
    good, odd = [], []
    for row in rows:
        key = _rating_key(row)
        if not key:
            odd.append(OddRow("", _name(row)))
            continue
        try:
            good.append(give_shape(converter, {**row, "ratingKey": key}, WireRow))
        except ValueError:
            odd.append(OddRow(key, _name(row)))
    return good, odd


def read_sections(converter: Converter, rows: Sequence[Any]) -> list[WireDirectory]:
    """Read libraries; one whose id, type or shape cannot be read is skipped."""
    sections = []
    for row in rows:
        try:
            section = give_shape(converter, row, WireDirectory)
        except ValueError:
            continue
        if OPAQUE_ID.fullmatch(section.key):
            sections.append(section)
    return sections


def opaque(value: str) -> str:
    """Return an id that is safe in a URL. Raises Transient for anything else."""
    if not OPAQUE_ID.fullmatch(value):
        raise Transient("Plex", f"Plex sent an id that cannot be one: {value[:40]!r}.")
    return value


def section_of(row: WireRow, container: WireContainer) -> str:
    """Return the id of an item's library; empty if the answer names none."""
    match = SECTION_KEY.fullmatch(row.librarySectionKey)
    section_id = row.librarySectionID or (match[1] if match else "") or container.librarySectionID
    return section_id if OPAQUE_ID.fullmatch(section_id) else ""


def _rating_key(row: Any) -> str:
    """Return the key of a row, if necessary from its address; empty if it has none."""
    if not isinstance(row, dict):
        return ""
    key, address = row.get("ratingKey"), row.get("key")
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if key is None and isinstance(address, str) and (match := ITEM_KEY.match(address)):
        key = match[1]
    return key if isinstance(key, str) and OPAQUE_ID.fullmatch(key) else ""


def _name(row: Any) -> str:
    """Return the title of a row that cannot be read, or the path of its first file."""
    if not isinstance(row, dict):
        return ""
    if isinstance(title := row.get("title"), str) and title:
        return title[:LABEL_LIMIT]
    try:
        path = row["Media"][0]["Part"][0]["file"]
    except (KeyError, IndexError, TypeError):
        return ""
    return path[-LABEL_LIMIT:] if isinstance(path, str) else ""


def files_of(row: WireRow) -> list[tuple[str, int | None]]:
    """Return paths and sizes of an item's files, without versions that Plex made of them.

    A server that does not mark such a version still keeps it in a folder of its own.
    """
    files = [
        (part.file, part.size)
        for media in row.Media
        if media.proxyType not in OPTIMIZED
        for part in media.Part
        if part.file
    ]
    return [file for file in files if not _is_in_versions(file[0])] or files


def _is_in_versions(path: str) -> bool:
    return OPTIMIZED_FOLDER in re.split(r"[\\/]", path.casefold())[:-1]


def is_blind(row: WireRow) -> bool:
    """Whether an item has files whose names Plex hides from this user (plex-2.md §1, 16)."""
    parts = [part for media in row.Media for part in media.Part]
    return bool(parts) and not any(part.file for part in parts)


def read_item(row: WireRow, section_id: str) -> PlexItem:
    """Turn a row with all details into an item."""
    files = files_of(row)

    def names(tags: list[WireTag]) -> tuple[str, ...]:
        return tuple(tag.tag for tag in tags if tag.tag)

    return PlexItem(
        rating_key=row.ratingKey,
        section_id=section_id,
        texts={
            Field.TITLE: row.title,
            Field.SUMMARY: row.summary,
            Field.STUDIO: row.studio,
            Field.TAGLINE: row.tagline,
            # The time of day may follow (plex.md §3.4).
            Field.DATE: row.originallyAvailableAt[:10],
        },
        rating=row.userRating,
        lists={
            Field.PERFORMERS: names(row.Role),
            Field.TAGS: names(row.Genre),
            Field.DIRECTOR: names(row.Director),
            Field.COLLECTION: names(row.Collection),
        },
        locked=frozenset(
            name
            for name, plex_name in PLEX_NAMES.items()
            if any(lock.locked and lock.name == plex_name for lock in row.Field)
        ),
        paths=tuple(path for path, _ in files),
        trashed=row.deletedAt is not None,
        sizes=tuple(size for _, size in files),
        pictures={Field.POSTER: row.thumb, Field.BACKGROUND: row.art},
    )
