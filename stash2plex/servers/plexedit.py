"""Pure: turns a change into the parameters of Plex's edit."""

from __future__ import annotations

from urllib.parse import quote

from attrs import evolve

from stash2plex.model import Change, Field, ListChange

TEXTS = {
    Field.TITLE: "title",
    Field.SUMMARY: "summary",
    Field.STUDIO: "studio",
    Field.TAGLINE: "tagline",
    Field.DATE: "originallyAvailableAt",
}
TAGS = {
    Field.PERFORMERS: "actor",
    Field.TAGS: "genre",
    Field.DIRECTOR: "director",
    Field.COLLECTION: "collection",
}
IMAGES = {Field.POSTER: ("posters", "thumb"), Field.BACKGROUND: ("arts", "art")}
PLEX_NAMES = {
    **TEXTS,
    **TAGS,
    Field.RATING: "userRating",
    **{image: names[1] for image, names in IMAGES.items()},
}
"""The names of our fields in Plex's edit and lock parameters (plex.md §3.2, §3.6, §3.7)."""


def edit_parameters(change: Change) -> list[tuple[str, str]]:
    """Return a change as Plex's edit parameters (plex.md §3).

    Lists are sent whole, with every stale value named for removal. That is right whether Plex
    appends to what it holds or replaces it. A value in both parts would be undefined, so a wanted
    value is never named as stale. Each removed value is encoded before commas join them.
    """
    parameters = [(f"{TEXTS[name]}.value", value) for name, value in change.texts.items()]
    for name, change_of_list in change.lists.items():
        tag = TAGS[name]
        parameters += [
            (f"{tag}[{index}].tag.tag", value) for index, value in enumerate(change_of_list.wanted)
        ]
        if change_of_list.stale:
            removed = ",".join(quote(value, safe="") for value in change_of_list.stale)
            parameters.append((f"{tag}[].tag.tag-", removed))
    if change.rating is not None:
        parameters.append(("userRating.value", f"{change.rating:g}"))
    locked = {*change.texts, *change.lists, *change.locks} - change.unlocks
    parameters += [(f"{PLEX_NAMES[name]}.locked", "1") for name in sorted(locked)]
    parameters += [(f"{PLEX_NAMES[name]}.locked", "0") for name in sorted(change.unlocks)]
    return parameters


def by_field(change: Change) -> list[Change]:
    """Split a change: each text and list alone, the locks and the rating with the first."""
    parts = [Change({name: text}, {}) for name, text in change.texts.items()]
    parts += [Change({}, {name: list_change}) for name, list_change in change.lists.items()]
    if not parts:
        return [change]
    parts[0] = evolve(parts[0], rating=change.rating, locks=change.locks)
    return [evolve(part, unlocks=change.unlocks) for part in parts]


def parted(change: Change) -> list[tuple[Field | None, Change]]:
    """Take a change apart as far as it goes, each part with its field; None for the locks."""
    parts: list[tuple[Field | None, Change]] = [
        *((name, Change({name: text}, {})) for name, text in change.texts.items()),
        *((name, Change({}, {name: list_change})) for name, list_change in change.lists.items()),
    ]
    if change.rating is not None:
        parts.append((Field.RATING, Change({}, {}, rating=change.rating)))
    if change.locks:
        parts.append((None, Change({}, {}, locks=change.locks)))
    return parts


def fitting_edits(change: Change, room: int) -> list[str]:
    """Write a change as the ends of as few queries as possible, each of at most `room` bytes.

    Names to remove precede the whole wanted list, and are halved if they are too long together:
    this is right whether Plex appends or replaces. A single longer value stays as it is.
    """
    query = edit_query(change)
    if len(query) <= room:
        return [query]
    parts = by_field(change)
    if len(parts) == 1:
        parts = _parted(change)
    if len(parts) == 1:
        return [query]
    return [edit for part in parts for edit in fitting_edits(part, room)]


def _parted(change: Change) -> list[Change]:
    """Split a list into what is removed and what is wanted, or the removals into halves."""
    for name, list_change in change.lists.items():
        if list_change.stale and list_change.wanted:
            gone, wanted = ListChange((), list_change.stale), ListChange(list_change.wanted, ())
            return [Change({}, {name: gone}), evolve(change, lists={name: wanted})]
        if len(list_change.stale) > 1:
            middle = len(list_change.stale) // 2
            halves = (list_change.stale[:middle], list_change.stale[middle:])
            first, last = (ListChange((), half) for half in halves)
            return [Change({}, {name: first}), evolve(change, lists={name: last})]
    return [change]


def edit_query(change: Change) -> str:
    """Return a change as the end of a query, each parameter with its &."""
    return "".join(
        f"&{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in edit_parameters(change)
    )
