"""What the inputs of mutations do to rows. Nothing here runs a hook."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from stash2plex_testing.stash.core import IdError, foreign
from stash2plex_testing.stash.criteria import Panic, StashError, number_of
from stash2plex_testing.stash.gotext import parse_date, quoted
from stash2plex_testing.stash.records import (
    Cover,
    Entity,
    Group,
    Performer,
    Scene,
    SceneGroup,
    StashId,
    Studio,
    Tag,
)

if TYPE_CHECKING:
    from stash2plex_testing.stash.library import Library

Values = Mapping[str, Any]
Item = TypeVar("Item")

DATA_URL = re.compile(r"data:.+/.+;base64,(.*)", re.DOTALL)

TEXTS = ("title", "code", "details", "director")


def image_bytes(text: str | None) -> bytes | None:
    """Read a picture from a data URL; null or "" means none.

    Anything else is an address to Stash, and no address can be read here.
    """
    if not text:
        return None
    match = DATA_URL.fullmatch(text)
    if match is None:
        raise StashError(f'Get {quoted(text)}: unsupported protocol scheme ""')
    try:
        return base64.b64decode(match[1], validate=True)
    except binascii.Error:
        raise StashError("illegal base64 data at input byte 0") from None


def cover_of(scene: Scene, text: str | None) -> Cover:
    """Read a scene's cover; if none is sent, the old one stays."""
    try:
        return image_bytes(text) or scene.cover
    except StashError as error:
        raise StashError(f"processing cover image: {error}") from None


def checked_date(text: str | None) -> str | None:
    """Accept a date or a part of one. Raises StashError for anything else."""
    if not text:
        return None
    try:
        return parse_date(text)
    except ValueError as error:
        raise StashError(f"converting date: {error}") from None


def checked_bool(value: bool | None) -> bool:
    """Accept a switch; null makes Stash panic."""
    if value is None:
        raise Panic("null value not allowed in optional bool")
    return value


def stash_ids(library: Library, values: list[Values] | None) -> tuple[StashId, ...]:
    """Read stash ids."""
    return tuple(
        StashId(value["endpoint"], value["stash_id"], value.get("updated_at") or library.now())
        for value in values or []
    )


def _one(library: Library, kind: str, text: str | None) -> Any:
    if text is None:
        return None
    try:
        number_of(text)
    except StashError as error:
        raise StashError(f"converting {kind} id: converting {text} to int: {error}") from None
    return foreign(library.table_of(kind), [text])[0]


def _many(library: Library, kind: str, texts: list[str] | None) -> tuple[Any, ...]:
    """Find rows by ids; whatever their order, they are shown by id, as the index has them."""
    try:
        rows = foreign(library.table_of(kind), texts)
    except IdError as error:
        raise StashError(f"converting {kind} ids: {error}") from None
    return tuple(sorted(rows, key=lambda row: row.id))


def _groups(library: Library, values: list[Values] | None, key: str) -> tuple[SceneGroup, ...]:
    return tuple(
        SceneGroup(foreign(library.groups, [value[key]])[0], value.get("scene_index"))
        for value in values or []
    )


def apply_scene(library: Library, scene: Scene, values: Values, *, lenient: bool = False) -> None:
    """Apply an update's fields, then bump: always, even when nothing changed (§5.5).

    `lenient` takes an empty title of a scene without files, as a bulk edit does.
    """
    new: dict[str, Any] = {
        name: (values[name] or "").strip() or None for name in TEXTS if name in values
    }
    readers: dict[str, Callable[[Any], tuple[str, Any]]] = {
        "date": lambda value: ("date", checked_date(value)),
        "rating100": lambda value: ("rating100", value),
        "organized": lambda value: ("organized", checked_bool(value)),
        "studio_id": lambda value: ("studio", _one(library, "studio", value)),
        "performer_ids": lambda value: ("performers", _many(library, "performer", value)),
        "tag_ids": lambda value: ("tags", _many(library, "tag", value)),
        "groups": lambda value: ("groups", _groups(library, value, "group_id")),
        "movies": lambda value: ("groups", _groups(library, value, "movie_id")),
        "url": lambda value: ("urls", (value,) if value else ()),
        "urls": lambda value: ("urls", tuple(value or ())),
        "cover_image": lambda value: ("cover", cover_of(scene, value)),
        "stash_ids": lambda value: ("stash_ids", stash_ids(library, value)),
        "resume_time": lambda value: ("resume_time", value or 0.0),
        "play_duration": lambda value: ("play_duration", value or 0.0),
        "play_count": lambda value: ("plays", (library.now(),) * (value or 0)),
        "o_counter": lambda value: ("orgasms", (library.now(),) * (value or 0)),
        "primary_file_id": lambda value: ("files", _with_primary(scene, value)),
    }
    new.update(readers[name](value) for name, value in values.items() if name in readers)
    if "title" in new and new["title"] is None and not scene.files and not lenient:
        raise StashError("title must be set if scene has no files")
    for name, value in new.items():
        setattr(scene, name, value)
    library.touch(scene)


def _with_primary(scene: Scene, text: str | None) -> tuple[Any, ...]:
    first = [file for file in scene.files if text and file.id == number_of(text)]
    if text and not first:
        raise StashError(f"file with id {text} not associated with scene")
    return (*first, *(file for file in scene.files if file not in first))


def apply_bulk(library: Library, scene: Scene, values: Values) -> None:
    """Apply a bulk update to one scene (stash.md §3.3: modes SET, ADD, REMOVE)."""
    plain = {
        name: value
        for name, value in values.items()
        if name not in ("ids", "urls") and not name.endswith("_ids")
    }
    if "tag_ids" in values:
        scene.tags = _moded(scene.tags, values["tag_ids"], library.tags)
    if "performer_ids" in values:
        performers = _moded(scene.performers, values["performer_ids"], library.performers)
        scene.performers = tuple(sorted(performers, key=lambda row: row.id))
    if "urls" in values:
        urls, mode = tuple(values["urls"].get("values") or ()), values["urls"]["mode"]
        scene.urls = combined(scene.urls, urls, mode)
    for name in ("group_ids", "movie_ids"):
        if name in values:
            held = {link.group: link for link in scene.groups}
            groups = _moded(tuple(held), values[name], library.groups)
            scene.groups = tuple(held.get(group) or SceneGroup(group) for group in groups)
    apply_scene(library, scene, plain, lenient=True)


def _moded(held: tuple[Any, ...], value: Values | None, table: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return combined(held, foreign(table, value.get("ids")), value["mode"])


def combined(held: tuple[Item, ...], given: tuple[Item, ...], mode: str) -> tuple[Item, ...]:
    """Set, add or remove."""
    if mode == "SET":
        return given
    if mode == "ADD":
        return tuple(dict.fromkeys(held + given))
    return tuple(item for item in held if item not in given)


ENTITY_PLAIN = (
    "name", "disambiguation", "gender", "birthdate", "country", "favorite", "ignore_auto_tag",
    "rating100", "details", "description", "sort_name", "duration", "director", "synopsis",
)  # fmt: skip


def apply_entity(library: Library, row: Entity, values: Values) -> None:
    """Apply an update of a performer, studio, tag or group, then bump it, no scene (§10)."""
    if "name" in values:
        _check_name(library, row, values["name"])
    for name, value in values.items():
        if name in ENTITY_PLAIN and hasattr(row, name):
            setattr(row, name, value.strip() if isinstance(value, str) else value)
        elif name == "date" and isinstance(row, Group):
            row.date = checked_date(value)
        elif name in ("url", "urls"):
            row.urls = tuple(value or ()) if name == "urls" else (value,) if value else ()
        elif name in ("image", "front_image"):
            row.image = image_bytes(value)
        elif name == "back_image" and isinstance(row, Group):
            row.back_image = image_bytes(value)
        elif name == "tag_ids" and isinstance(row, Performer | Studio | Group):
            row.tags = foreign(library.tags, value)
        elif name == "stash_ids" and isinstance(row, Performer | Studio | Tag):
            row.stash_ids = stash_ids(library, value)
        else:
            _apply_special(library, row, name, value)
    if isinstance(row, Performer):
        _check_performer(library, row)
    library.touch(row)


def _apply_special(library: Library, row: Entity, name: str, value: Any) -> None:
    """Apply the fields that only one kind has; fields that nothing shows are dropped."""
    if isinstance(row, Performer):
        if name == "alias_list":
            row.alias_list = tuple(sorted(value or ()))
        elif name == "custom_fields":
            changes = value or {}
            base = changes.get("full")
            row.custom_fields = {
                **(row.custom_fields if base is None else base),
                **(changes.get("partial") or {}),
            }
    elif isinstance(row, Studio):
        if name == "aliases":
            row.aliases = tuple(sorted(value or ()))
        elif name == "parent_id":
            row.parent = _parent(row, _one(library, "studio", value))
    elif isinstance(row, Tag):
        _apply_tag(library, row, name, value)
    elif isinstance(row, Group):
        if name == "aliases":
            row.aliases = value
        elif name == "studio_id":
            row.studio = _one(library, "studio", value)
        elif name == "containing_groups":
            row.containing = tuple(
                (foreign(library.groups, [item["group_id"]])[0], item.get("description"))
                for item in value or []
            )


def _apply_tag(library: Library, tag: Tag, name: str, value: Any) -> None:
    if name == "aliases":
        tag.aliases = tuple(sorted(value or ()))
    elif name == "parent_ids":
        tag.parents = _parents(tag, foreign(library.tags, value))
    elif name == "child_ids":
        children = foreign(library.tags, value)
        for other in library.tags.values():
            parents = tuple(parent for parent in other.parents if parent is not tag)
            other.parents = (*parents, tag) if other in children else parents


BLANK = "{} name must not be blank"


def _check_name(library: Library, row: Entity, name: str | None) -> None:
    kind = type(row).__name__.lower()
    if not (name or "").strip():
        raise StashError("name cannot be empty" if kind == "group" else BLANK.format(kind))
    if isinstance(row, Group | Performer):
        return
    for other in library.table_of(kind).values():
        if other is not row and other.name.casefold() == str(name).casefold():
            raise StashError(f"{kind} with name '{name}' already exists")


def _check_performer(library: Library, row: Performer) -> None:
    """Refuse a second performer of a name and disambiguation; the case counts."""
    for other in library.performers.values():
        same = (other.name, other.disambiguation or "") == (row.name, row.disambiguation or "")
        if other is not row and same:
            further = f" and disambiguation '{row.disambiguation}'" if row.disambiguation else ""
            raise StashError(f"performer with name '{row.name}'{further} already exists")


def _parent(studio: Studio, parent: Studio | None) -> Studio | None:
    above = parent
    while above is not None:
        if above is studio:
            raise StashError("studio cannot be an ancestor of itself")
        above = above.parent
    return parent


def _parents(tag: Tag, parents: tuple[Tag, ...]) -> tuple[Tag, ...]:
    for parent in parents:
        way = _way_down(tag, parent)
        if way:
            raise StashError(
                f'cannot apply tag "{parent.name}" as a parent of "{tag.name}" as it is already '
                f"a descendant ({'->'.join(step.name for step in way)})"
            )
    return parents


def _way_down(above: Tag, below: Tag) -> tuple[Tag, ...]:
    """Return the tags from one down to another; none if it is not below."""
    if above is below:
        return (below,)
    for parent in below.parents:
        way = _way_down(above, parent)
        if way:
            return (*way, below)
    return ()
