"""Scene filters and those of the other objects, as one function per filter (stash.md §5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stash2plex_testing.stash import criteria
from stash2plex_testing.stash.criteria import StashError

if TYPE_CHECKING:
    from stash2plex_testing.stash.library import Library
    from stash2plex_testing.stash.records import Scene

Values = Mapping[str, Any]
Predicate = Callable[[Any], bool]

DAY = 86400
"""Seconds. BETWEEN without an upper end reaches a day ahead (stash.md §5.2)."""


class Filters:
    """Turns filter inputs into predicates. Made for one request, for the time it knows."""

    def __init__(self, library: Library, now: float) -> None:
        self._library = library
        self._tomorrow = library.time_text(now + DAY)

    # -- any object -------------------------------------------------------------------------

    def compile(self, kind: str, values: Values | None) -> Predicate | None:
        """Return the predicate of a filter of a kind, None where it lets everything through."""
        if not values:
            return None
        handlers = {
            "scene": self._scene,
            "performer": self._performer,
            "studio": self._studio,
            "tag": self._tag,
            "group": self._group,
            "marker": self._marker,
            "file": self._file,
        }
        chained = [name for name in ("AND", "OR", "NOT") if values.get(name) is not None]
        if len(chained) > 1:
            raise StashError(f"cannot have {chained[0]} and {chained[1]} in the same filter")
        tests = [
            test
            for name, value in values.items()
            if value is not None and name not in ("AND", "OR", "NOT")
            for test in [handlers[kind](name, value)]
            if test is not None
        ]
        own = _all(tests)
        if not chained:
            return own
        return _chain(chained[0], own, self.compile(kind, values[chained[0]]))

    def _common(self, name: str, value: Any) -> Predicate | None:
        if name in ("created_at", "updated_at", "mod_time", "last_played_at"):
            return _attribute(name, criteria.timestamp(value, self._tomorrow))
        if name in ("id", "rating100"):
            return _attribute(name, criteria.integer(value))
        if name == "date":
            return _attribute(name, criteria.date(value))
        if isinstance(value, bool):
            return lambda row: getattr(row, name) is value
        return _attribute(name, criteria.string(value))

    # -- one kind each ----------------------------------------------------------------------

    def _scene(self, name: str, value: Any) -> Predicate | None:
        if name == "groups_filter":
            # Declared, and forgotten by the server: it lets every scene through (§5.3).
            return None
        if name.endswith("_filter"):
            return self._related_filter(name.removesuffix("_filter"), value)
        if name in ("performers", "studios", "tags", "groups", "movies"):
            test = criteria.related(value, self._descend(name, value.get("depth")))
            ids = SCENE_IDS[name]
            return test and (lambda scene: test(ids(scene)))
        if name in COUNTS:
            counted, compare = COUNTS[name], criteria.integer(value)
            return lambda scene: compare(counted(scene))
        if name in ("path", "oshash"):
            match = criteria.string(value)
            if not (match("") or value["modifier"].startswith("NOT")):
                return lambda scene: any(match(getattr(file, name)) for file in scene.files)
            return lambda scene: all(match(getattr(file, name)) for file in scene.files)
        if name == "has_markers":
            marked = {marker.scene.id for marker in self._library.markers.values()}
            return lambda scene: (scene.id in marked) is (value == "true")
        if name == "last_played_at":
            played = criteria.timestamp(value, self._tomorrow)
            return lambda scene: played(max(scene.plays, default=None))
        return self._common(name, value)

    def _related_filter(self, relation: str, value: Values) -> Predicate | None:
        kind = "group" if relation == "movies" else relation.removesuffix("s")
        test = self.compile(kind, value)
        if test is None:
            return None
        if relation == "markers":
            fitting = {row.scene.id for row in self._library.markers.values() if test(row)}
            return lambda scene: scene.id in fitting
        # The rows first: there are far fewer performers than scenes that show them.
        if kind == "file":
            return lambda scene: any(test(file) for file in scene.files)
        rows = self._library.table_of(kind)
        ids, of_scene = {row.id for row in rows.values() if test(row)}, SCENE_IDS[relation]
        return lambda scene: not ids.isdisjoint(of_scene(scene))

    def _performer(self, name: str, value: Any) -> Predicate | None:
        if name == "filter_favorites":
            return lambda row: row.favorite is value
        return self._common(name, value)

    def _studio(self, name: str, value: Any) -> Predicate | None:
        if name == "parents":
            test = criteria.related(value)
            return test and (lambda row: test([row.parent.id] if row.parent else []))
        return self._common(name, value)

    def _tag(self, name: str, value: Any) -> Predicate | None:
        if name == "parents":
            test = criteria.related(value, self._descend("tags", value.get("depth")))
            return test and (lambda row: test([parent.id for parent in row.parents]))
        if name == "children":
            wanted = criteria.related(value)
            tags = self._library.tags.values()
            return wanted and (
                lambda row: wanted([child.id for child in tags if row in child.parents])
            )
        return self._common(name, value)

    def _group(self, name: str, value: Any) -> Predicate | None:
        return self._common(name, value)

    def _file(self, name: str, value: Any) -> Predicate | None:
        return self._common(name, value)

    def _marker(self, name: str, value: Any) -> Predicate | None:
        if name == "scenes":
            test = criteria.related(value)
            return test and (lambda row: test([row.scene.id]))
        return self._common(name, value)

    # -- depth ------------------------------------------------------------------------------

    def _descend(self, relation: str, depth: int | None) -> Callable[[int], set[int]] | None:
        """Return an id with those up to `depth` levels below it, -1 for all (stash.md §5.3)."""
        if not depth:
            return None
        library = self._library
        children: dict[int, list[int]] = {}
        if relation == "studios":
            for studio in library.studios.values():
                if studio.parent:
                    children.setdefault(studio.parent.id, []).append(studio.id)
        elif relation == "tags":
            for tag in library.tags.values():
                for parent in tag.parents:
                    children.setdefault(parent.id, []).append(tag.id)
        else:
            for group in library.groups.values():
                for containing, _ in group.containing:
                    children.setdefault(containing.id, []).append(group.id)

        def descend(number: int) -> set[int]:
            found, level, left = {number}, [number], depth
            while level and left:
                level = [
                    low for high in level for low in children.get(high, ()) if low not in found
                ]
                found.update(level)
                left -= 1
            return found

        return descend


def _studio_ids(scene: Scene) -> list[int]:
    return [scene.studio.id] if scene.studio else []


def _group_ids(scene: Scene) -> list[int]:
    return [link.group.id for link in scene.groups]


SCENE_IDS: Mapping[str, Callable[[Scene], list[int]]] = {
    "performers": lambda scene: [row.id for row in scene.performers],
    "studios": _studio_ids,
    "tags": lambda scene: [row.id for row in scene.tags],
    "groups": _group_ids,
    "movies": _group_ids,
}

COUNTS: Mapping[str, Callable[[Scene], int]] = {
    "file_count": lambda scene: len(scene.files),
    "tag_count": lambda scene: len(scene.tags),
    "performer_count": lambda scene: len(scene.performers),
    "play_count": lambda scene: len(scene.plays),
    "o_counter": lambda scene: len(scene.orgasms),
}


def _attribute(name: str, test: Predicate) -> Predicate:
    return lambda row: test(getattr(row, name))


def _all(tests: Iterable[Predicate]) -> Predicate | None:
    listed = list(tests)
    if len(listed) < 2:
        return listed[0] if listed else None
    return lambda row: all(test(row) for test in listed)


def _chain(name: str, own: Predicate | None, nested: Predicate | None) -> Predicate | None:
    """Join a filter with the one nested in it."""
    if nested is None:
        return own
    if name == "NOT":
        turned: Predicate = lambda row: not nested(row)  # noqa: E731 - one line tells more
        return _all([turned] if own is None else [own, turned])
    if own is None:
        return nested
    if name == "AND":
        return _all([own, nested])
    return lambda row: own(row) or nested(row)
