"""Finds the Stash tags that the settings mean, and keeps them when Stash renames them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import Factory, evolve, frozen

from stash2plex.config import Settings
from stash2plex.model import Entity, Tag
from stash2plex.namelist import NameList, name_key, read_names

EXCLUDE = "exclude_tags"
SETTINGS = (EXCLUDE, "ignore_tags")
"""The settings that name tags."""


@frozen
class NamedTag:
    """A tag that a list means: `entry` is its folded name in the list, `name` its name in Stash.

    `created_at` is empty if the tag has only been seen on a scene.
    """

    entry: str
    id: int
    created_at: str
    name: str
    alias: bool = False


@frozen
class ReadList:
    """A list of tag names as it was last read.

    `text` is the setting, `keys` the names it means, `unknown` the names that no tag has.
    """

    text: str
    keys: tuple[str, ...]
    tags: tuple[NamedTag, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def renamed(self) -> tuple[NamedTag, ...]:
        """The tags that the list calls by a former name."""
        return tuple(tag for tag in self.tags if not tag.alias and name_key(tag.name) != tag.entry)

    def folded(self) -> ReadList:
        """Return the same list with its names folded as `name_key` does it now."""
        keys = tuple(sorted({name_key(key) for key in self.keys}))
        tags = tuple(evolve(tag, entry=name_key(tag.entry)) for tag in self.tags)
        return evolve(self, keys=keys, tags=tags)


@frozen
class TagLists:
    """The lists of all settings, by key. `mark` stays the same while no tag in Stash changes."""

    mark: str = ""
    lists: Mapping[str, ReadList] = Factory(dict)

    def fits(self, settings: Settings, mark: str) -> bool:
        """Whether they belong to these settings and to the present tags."""
        texts = {name: read_list.text for name, read_list in self.lists.items()}
        return mark == self.mark and texts == named(settings)


def named(settings: Settings) -> dict[str, str]:
    """Return the texts of the settings that name tags, by key."""
    lists: dict[str, NameList] = {name: getattr(settings, name) for name in SETTINGS}
    return {name: names.text for name, names in lists.items() if names}


def read_lists(settings: Settings, tags: Sequence[Tag], mark: str, old: TagLists) -> TagLists:
    """Read the lists with the existing tags and with those that were meant before."""
    return TagLists(
        mark,
        {name: _read(text, tags, old.lists.get(name)) for name, text in named(settings).items()},
    )


def _read(text: str, tags: Sequence[Tag], old: ReadList | None) -> ReadList:
    names: dict[str, list[NamedTag]] = {}
    for tag in tags:
        for name in (tag.name, *tag.aliases):
            key, alias = name_key(name), name is not tag.name
            names.setdefault(key, []).append(NamedTag(key, tag.id, tag.created_at, tag.name, alias))
    reading = read_names(text, names.keys())
    chosen = {(tag.entry, tag.id): tag for name in reading.found for tag in names[name_key(name)]}
    for kept in _kept(text, reading.keys, tags, old):
        chosen.setdefault((kept.entry, kept.id), kept)
    entries = {entry for entry, _ in chosen}
    return ReadList(
        text,
        tuple(sorted(reading.keys)),
        tuple(chosen[place] for place in sorted(chosen)),
        tuple(name for name in reading.unknown if name_key(name) not in entries),
    )


def _kept(
    text: str, keys: Iterable[str], tags: Sequence[Tag], old: ReadList | None
) -> list[NamedTag]:
    """Return the tags that the list meant before and still means, by their present names.

    A changed list no longer means what it does not name. An unchanged one keeps its tags, whatever
    Stash calls them now, and even if a new tag would allow another reading.
    """
    if old is None:
        return []
    there = {tag.id: tag for tag in tags}
    kept = []
    for tag in old.tags:
        now = there.get(tag.id)
        is_same = now is not None and tag.created_at in ("", now.created_at)
        if now is not None and is_same and (text == old.text or tag.entry in keys):
            kept.append(NamedTag(tag.entry, tag.id, now.created_at, now.name))
    return kept


def learn_tag(known: ReadList, tag: Entity) -> ReadList:
    """Add a scene's tag that a list means by one of its names."""
    entries = {name_key(name) for name in (tag.name, *tag.aliases)} & set(known.keys)
    new = [NamedTag(entry, tag.id, "", tag.name) for entry in sorted(entries)]
    return evolve(known, tags=(*known.tags, *new))


def apply_lists(settings: Settings, lists: TagLists) -> Settings:
    """Return the settings with the meaning of their lists filled in."""
    known = {
        name: NameList(
            read_list.text, frozenset(read_list.keys), frozenset(tag.id for tag in read_list.tags)
        )
        for name, read_list in lists.lists.items()
    }
    return evolve(settings, **known)  # type: ignore[arg-type]  # each is the list of its setting


def trouble_with(lists: TagLists) -> list[str]:
    """Return a sentence for each name that no tag has, or no longer has."""
    return [
        sentence
        for setting, read_list in lists.lists.items()
        for sentence in (
            *(
                f"Setting {setting} names “{name}”, but Stash has no tag of that name."
                for name in read_list.unknown
            ),
            *(
                f"Setting {setting} names a tag that is now called “{tag.name}”: it still "
                f"{EFFECTS[setting]}. Enter the new name in the setting."
                for tag in read_list.renamed
            ),
        )
    ]


EFFECTS = {EXCLUDE: "keeps its scenes out of Plex", "ignore_tags": "is not sent to Plex"}
