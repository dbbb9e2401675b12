"""Value types that other modules share. Imports nothing else of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from attrs import Factory, frozen
from attrs import field as attrs_field

Clock = Callable[[], float]
"""Seconds since the Unix epoch."""

Sleep = Callable[[float], None]
"""Waits for a number of seconds."""

LABEL_LIMIT = 200
"""How many characters of a title a message shows."""

OPAQUE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A rating key or section id that may go into a URL (plex.md §6.4)."""


class Field(StrEnum):
    """The fields that Stash2Plex keeps equal, named as in `skip_fields`."""

    TITLE = "title"
    SUMMARY = "summary"
    STUDIO = "studio"
    TAGLINE = "tagline"
    DATE = "date"
    RATING = "rating"
    PERFORMERS = "performers"
    TAGS = "tags"
    DIRECTOR = "director"
    COLLECTION = "collection"
    POSTER = "poster"
    BACKGROUND = "background"


TEXT_FIELDS = (Field.TITLE, Field.SUMMARY, Field.STUDIO, Field.TAGLINE, Field.DATE)
LIST_FIELDS = (Field.PERFORMERS, Field.TAGS, Field.DIRECTOR, Field.COLLECTION)
IMAGE_FIELDS = (Field.POSTER, Field.BACKGROUND)


@frozen
class Entity:
    """A performer, studio, tag or group as a scene shows it. Aliases are read of tags only."""

    id: int
    name: str
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()


@frozen
class Tag:
    """A tag of Stash. `created_at`, as Stash writes it, distinguishes tags that reuse an id."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()
    created_at: str = ""


@frozen
class StashFile:
    """A file of a scene. `size` is in bytes; `path` is as Stash sees it."""

    path: str
    size: int | None = None


@frozen
class Scene:
    """A scene as Stash holds it. `date` may be partial; `rating100` is 1 to 100 or None."""

    id: int
    title: str
    details: str
    director: str
    code: str
    date: str
    rating100: int | None
    organized: bool
    updated_at: str
    screenshot: str
    files: tuple[StashFile, ...]
    studio: Entity | None
    performers: tuple[Entity, ...]
    tags: tuple[Entity, ...]
    groups: tuple[Entity, ...]

    @property
    def label(self) -> str:
        """What the user recognises the scene by."""
        name = self.title
        if not name:
            name = re.split(r"[\\/]", self.files[0].path)[-1] if self.files else ""
        return name[:LABEL_LIMIT] or f"scene {self.id}"

    @property
    def cover_tag(self) -> str:
        """The part of the cover's address that changes with each edit of the scene.

        The rest may hold an API key (stash.md §5.1), which must not be stored.
        """
        tag = re.search(r"[?&](t=[0-9A-Za-z.:-]{1,64})(?:&|$)", self.screenshot)
        return tag[1] if tag else self.updated_at[:64]


@frozen
class PlexFile:
    """One file of a Plex item, as listed. `size` is in bytes."""

    section_id: str
    rating_key: str
    path: str
    size: int | None


@frozen
class PlexItem:
    """An item as Plex holds it: current values by field, and which of them are locked.

    `sizes` are those of the files in `paths`, in bytes; None for an unknown one. `pictures` are the
    addresses of poster and background: Plex changes one with its picture.
    """

    rating_key: str
    section_id: str
    texts: Mapping[Field, str]
    rating: float | None
    lists: Mapping[Field, tuple[str, ...]]
    locked: frozenset[Field]
    paths: tuple[str, ...]
    trashed: bool = False
    sizes: tuple[int | None, ...] = ()
    pictures: Mapping[Field, str] = Factory(dict)


@frozen
class Section:
    """A Plex library. `change_mark` stays equal until something in it changes (plex.md §2.4)."""

    id: str
    uuid: str
    title: str
    type: str
    change_mark: str
    locations: tuple[str, ...]
    refreshing: bool


@frozen
class Desired:
    """What Plex should hold for a scene. A missing field is left alone.

    An empty value means that Stash holds nothing there; `empty` means that it holds nothing at all.
    `rating` is 0 to 10, or None for unrated. `fallback_title` is what a title becomes when Stash's
    is emptied. `fingerprint` is equal for equal states. `preserves` means that the user's edits in
    Plex stay.
    """

    texts: Mapping[Field, str]
    lists: Mapping[Field, tuple[str, ...]]
    images: frozenset[Field]
    rates: bool
    rating: float | None
    fallback_title: str
    empty: bool
    fingerprint: str
    preserves: bool = False


@frozen
class Record:
    """What was last written for a scene, kept in the database.

    `written` is what is ours in Plex, by field. `removed` is what the user removed there, which
    stays away while edits are preserved; for the rating it means that the user decides. `announced`
    is what edits with an unknown end would have left as `written`; such a record has no
    fingerprint. `files` is the digest of the scene's files at that time.

    `shown` is what Plex made of a field where that is not what was written. `unread` has the fields
    whose last write was not read back yet, with what Plex showed before it: a text, a rating, or a
    `list_before`. `verified` means that all other fields were seen in Plex as written.
    `tries` counts the writes in a row that Plex took and did not keep.
    """

    scene_id: int
    rating_key: str
    section_id: str
    plex_path: str
    matched_by: str
    fingerprint: str
    written: Mapping[str, object]
    cover_tag: str = ""
    cover_etag: str = ""
    poster_hash: str = ""
    background_hash: str = ""
    synced_at: float = 0.0
    removed: Mapping[str, object] = attrs_field(factory=dict)
    announced: tuple[Mapping[str, object], ...] = ()
    files: str = ""
    shown: Mapping[str, object] = attrs_field(factory=dict)
    unread: Mapping[str, object] = attrs_field(factory=dict)
    verified: bool = False
    tries: int = 0


@frozen
class Image:
    """Picture bytes with their content type and Stash's ETag. `data` is None if unchanged."""

    data: bytes | None
    content_type: str
    etag: str


@frozen
class Picture:
    """A poster or background that Plex has for an item. The key of an upload ends in its hash."""

    key: str
    selected: bool


@frozen
class Match:
    """The Plex file that a scene was matched to, and how.

    `also` is the same file in other libraries: those items follow.
    """

    file: PlexFile
    matched_by: str
    also: tuple[PlexFile, ...] = ()

    def led_by(self, rating_key: str) -> Match:
        """Return the match with another of its items as the first."""
        files = (self.file, *self.also)
        first = next((file for file in files if file.rating_key == rating_key), self.file)
        others = tuple(file for file in files if file is not first)
        return Match(first, self.matched_by, others)


@frozen
class ListChange:
    """The whole wanted list, and the held values that must go, each as Plex spells it.

    A name in both, compared without case, is taken away first and added afterwards: it is there
    twice, or Stash spells it differently now.
    """

    wanted: tuple[str, ...]
    stale: tuple[str, ...]


@frozen
class Change:
    """The difference between wanted and held, to be sent as one edit.

    `locks` are fields to lock beside the changed ones. `clear_rating` needs a separate request.
    `kept` are fields that stay, wholly or partly, as the user edited them in Plex. `unlocks` are
    fields that are not locked afterwards, whether they change or not.
    """

    texts: Mapping[Field, str]
    lists: Mapping[Field, ListChange]
    rating: float | None = None
    clear_rating: bool = False
    locks: frozenset[Field] = frozenset()
    kept: frozenset[Field] = frozenset()
    unlocks: frozenset[Field] = frozenset()

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields whose values change."""
        rating = (Field.RATING,) if self.rating is not None or self.clear_rating else ()
        return (*self.texts, *self.lists, *rating)

    @property
    def edits(self) -> bool:
        """Whether there is anything to send in an edit."""
        locks = self.locks or self.unlocks
        return bool(self.texts or self.lists or locks or self.rating is not None)


ENDED = ("FINISHED", "CANCELLED", "FAILED")


@frozen
class Mark:
    """The newest `updated_at` of a kind, as Stash writes it, and how many entities it has."""

    newest: str
    count: int


@frozen
class StashJob:
    """A job of Stash's queue: waiting, running, or one of the last that ended."""

    id: int
    status: str
    description: str

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self.status in ENDED


@frozen
class Glance:
    """The answer to one glance at Stash.

    `jobs` are those that wait or run, and those that were asked for by number. `configured` changes
    with the plugin's stored settings; it is never stored, because it contains the token.
    """

    marks: Mapping[str, Mark]
    jobs: tuple[StashJob, ...]
    configured: str


@frozen
class TaskJob:
    """A job of Stash's queue. `added` is the time as Stash writes it.

    Stash numbers its jobs from 1 after each start, so the id alone does not identify a job.
    """

    id: int
    status: str
    description: str
    added: str

    @property
    def stopped(self) -> bool:
        """Whether the user stopped the job. One whose process fails or is killed is FINISHED."""
        return self.status in ("STOPPING", "CANCELLED")

    @property
    def runs(self) -> bool:
        """Whether the job waits or runs."""
        return self.status in ("READY", "RUNNING")

    def is_same(self, other: TaskJob) -> bool:
        """Return whether both are the same job at two times."""
        return (self.id, self.description, self.added) == (
            other.id,
            other.description,
            other.added,
        )
