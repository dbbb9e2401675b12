"""The shapes of Stash's answers, as far as we read them, and how one becomes a scene."""

from __future__ import annotations

from typing import Any

from attrs import Factory, frozen

from stash2plex.errors import Transient
from stash2plex.model import Entity, Scene, StashFile

SCENE_FIELDS = """fragment SceneFields on Scene {
  id title details director code date rating100 organized updated_at
  paths { screenshot } files { path size } studio { id name }
  performers { id name disambiguation } tags { id name aliases } groups { group { id name } }
}"""


@frozen
class WireEntity:
    """A performer, studio, tag or group."""

    id: int
    name: str
    disambiguation: str | None = None
    aliases: list[str] = Factory(list)


@frozen
class WireGroup:
    """A group as a scene shows it."""

    group: WireEntity


@frozen
class WirePaths:
    """Where the pictures of a scene are."""

    screenshot: str | None = None


@frozen
class WireFile:
    """A file of a scene."""

    path: str
    size: int | None = None


@frozen
class WireScene:
    """A scene, as `SCENE_FIELDS` asks for it."""

    id: int
    updated_at: str
    organized: bool
    title: str | None = None
    details: str | None = None
    director: str | None = None
    code: str | None = None
    date: str | None = None
    rating100: int | None = None
    paths: WirePaths = Factory(WirePaths)
    files: list[WireFile] = Factory(list)
    studio: WireEntity | None = None
    performers: list[WireEntity] = Factory(list)
    tags: list[WireEntity] = Factory(list)
    groups: list[WireGroup] = Factory(list)


@frozen
class WireGeneral:
    """The general part of the configuration."""

    apiKey: str = ""  # noqa: N815 - Stash's name
    username: str = ""
    configFilePath: str = ""  # noqa: N815 - Stash's name


@frozen
class WireConfiguration:
    """The configuration, as far as we read it."""

    general: WireGeneral
    plugins: dict[str, Any]


@frozen
class WireConfigured:
    """An answer that holds the configuration."""

    configuration: WireConfiguration


@frozen
class WireVersion:
    """The version."""

    version: str | None = None


@frozen
class WireBasics(WireConfigured):
    """The answer to the first request."""

    version: WireVersion


def read_scene(wire: WireScene) -> Scene:
    """Return the scene that an answer describes."""

    def entity(value: WireEntity) -> Entity:
        return Entity(value.id, value.name, value.disambiguation or "", tuple(value.aliases))

    return Scene(
        id=wire.id,
        title=wire.title or "",
        details=wire.details or "",
        director=wire.director or "",
        code=wire.code or "",
        date=wire.date or "",
        rating100=wire.rating100,
        organized=wire.organized,
        updated_at=wire.updated_at,
        screenshot=wire.paths.screenshot or "",
        files=tuple(StashFile(file.path, file.size) for file in wire.files),
        studio=entity(wire.studio) if wire.studio else None,
        performers=tuple(entity(performer) for performer in wire.performers),
        tags=tuple(entity(tag) for tag in wire.tags),
        groups=tuple(entity(group.group) for group in wire.groups),
    )


def dig(value: Any, *names: str) -> Any:
    """Return a nested value of an answer. Raises Transient if a level is missing."""
    for name in names:
        if not isinstance(value, dict) or value.get(name) is None:
            raise Transient("Stash", f"Stash's answer has no {name!r}.")
        value = value[name]
    return value


def rows_of(data: Any, field: str = "findScenes", name: str = "scenes") -> list[Any]:
    """Return the rows of an answer. Raises Transient if there is no list of them."""
    rows = dig(data, field, name)
    if not isinstance(rows, list):
        raise Transient("Stash", f"Stash's answer has no list of {name}.")
    return rows
