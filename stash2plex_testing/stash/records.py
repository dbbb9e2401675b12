"""What the library holds: scenes, files and the objects that scenes show.

Times are texts as Stash stores them: RFC 3339 of the server's local zone, whole seconds
(stash.md §5.2). The records have slots, because a benchmark holds 100,000 of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stash2plex_testing.stash.pictures import picture

if TYPE_CHECKING:
    from typing import Any

Cover = bytes | int | None
"""The picture itself, or a number that stands for one drawn on demand, or none."""


def cover_bytes(cover: Cover) -> bytes | None:
    """Draw the picture that a number stands for; bytes are given back as they are."""
    return picture(cover) if isinstance(cover, int) else cover


@dataclass(slots=True, eq=False)
class Record:
    """What every row has. `id` grows and is not reused (stash.md §3.4)."""

    id: int
    created_at: str
    updated_at: str


@dataclass(slots=True, eq=False)
class Folder(Record):
    """A folder. Renaming it changes the path of its files and bumps nothing on them (§10)."""

    path: str
    mod_time: str


@dataclass(slots=True, eq=False)
class VideoFile(Record):
    """A file as Stash sees it. `size` in bytes, `duration` in seconds."""

    folder: Folder
    basename: str
    size: int
    mod_time: str
    duration: float = 60.0
    width: int = 1920
    height: int = 1080
    content: int = 0
    """Changes when the content changes; the fingerprints come from it."""

    @property
    def path(self) -> str:
        """The whole path."""
        return f"{self.folder.path.rstrip('/')}/{self.basename}"

    @property
    def oshash(self) -> str:
        """The fingerprint that Stash always makes: 16 hex digits."""
        return hashlib.sha256(f"oshash {self.id} {self.content}".encode()).hexdigest()[:16]

    @property
    def phash(self) -> str:
        """The perceptual fingerprint: 16 hex digits."""
        return hashlib.sha256(f"phash {self.id}".encode()).hexdigest()[:16]


@dataclass(slots=True, eq=False)
class StashId:
    """A scene's or another object's id in a stash-box."""

    endpoint: str
    stash_id: str
    updated_at: str


@dataclass(slots=True, eq=False)
class Entity(Record):
    """What performers, studios, tags and groups share."""

    name: str
    urls: tuple[str, ...] = ()
    image: Cover = None


@dataclass(slots=True, eq=False)
class Tag(Entity):
    """A tag with its parents; children are found by looking for them."""

    sort_name: str | None = None
    description: str | None = None
    aliases: tuple[str, ...] = ()
    ignore_auto_tag: bool = False
    favorite: bool = False
    parents: tuple[Tag, ...] = ()
    stash_ids: tuple[StashId, ...] = ()


@dataclass(slots=True, eq=False)
class Performer(Entity):
    """A performer."""

    disambiguation: str | None = None
    gender: str | None = None
    birthdate: str | None = None
    country: str | None = None
    alias_list: tuple[str, ...] = ()
    favorite: bool = False
    ignore_auto_tag: bool = False
    rating100: int | None = None
    details: str | None = None
    tags: tuple[Tag, ...] = ()
    stash_ids: tuple[StashId, ...] = ()
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Studio(Entity):
    """A studio with its parent."""

    parent: Studio | None = None
    aliases: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    ignore_auto_tag: bool = False
    favorite: bool = False
    rating100: int | None = None
    details: str | None = None
    stash_ids: tuple[StashId, ...] = ()


@dataclass(slots=True, eq=False)
class Group(Entity):
    """A group (once called movie). `image` is the front."""

    aliases: str | None = None
    duration: int | None = None
    date: str | None = None
    rating100: int | None = None
    studio: Studio | None = None
    director: str | None = None
    synopsis: str | None = None
    tags: tuple[Tag, ...] = ()
    back_image: Cover = None
    containing: tuple[tuple[Group, str | None], ...] = ()


@dataclass(slots=True, eq=False)
class SceneGroup:
    """A scene's place in a group."""

    group: Group
    scene_index: int | None = None


@dataclass(slots=True, eq=False)
class Scene(Record):
    """A scene; `files` has the primary file first and may be empty (stash.md §5.4)."""

    title: str | None = None
    code: str | None = None
    details: str | None = None
    director: str | None = None
    date: str | None = None
    rating100: int | None = None
    organized: bool = False
    studio: Studio | None = None
    performers: tuple[Performer, ...] = ()
    tags: tuple[Tag, ...] = ()
    groups: tuple[SceneGroup, ...] = ()
    files: tuple[VideoFile, ...] = ()
    urls: tuple[str, ...] = ()
    stash_ids: tuple[StashId, ...] = ()
    cover: Cover = None
    resume_time: float = 0.0
    play_duration: float = 0.0
    plays: tuple[str, ...] = ()
    orgasms: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Marker(Record):
    """A marker of a scene; `seconds` from its start."""

    scene: Scene
    title: str
    seconds: float
    primary_tag: Tag
    end_seconds: float | None = None
    tags: tuple[Tag, ...] = ()
