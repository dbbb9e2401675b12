"""The shapes of Plex's answers, as far as they are read, and the item that a row becomes."""

from __future__ import annotations

from attrs import Factory, frozen

from stash2plex.model import Field, PlexItem
from stash2plex.servers.plexedit import PLEX_NAMES


@frozen
class WireTag:
    """A name of a list."""

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


@frozen
class WireRow:
    """An item, in a list or with all details."""

    ratingKey: str  # noqa: N815 - Plex's names, here and below
    librarySectionID: str = ""  # noqa: N815
    title: str = ""
    summary: str = ""
    studio: str = ""
    tagline: str = ""
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
    """What every other answer holds."""

    size: int = 0
    totalSize: int | None = None  # noqa: N815
    machineIdentifier: str = ""  # noqa: N815
    version: str = ""
    librarySectionID: str = ""  # noqa: N815
    Metadata: list[WireRow] = Factory(list)
    Directory: list[WireDirectory] = Factory(list)


@frozen
class WireAnswer:
    """An answer."""

    MediaContainer: WireContainer


def read_item(row: WireRow, section_id: str) -> PlexItem:
    """Turn a row with all details into an item."""

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
        paths=tuple(part.file for media in row.Media for part in media.Part if part.file),
        trashed=row.deletedAt is not None,
        sizes=tuple(part.size for media in row.Media for part in media.Part if part.file),
    )
