"""The library's state, the builders that fill it, and the changes that mutations make."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Generic, TypeVar

from stash2plex_testing.stash.records import (
    Cover,
    Entity,
    Folder,
    Group,
    Marker,
    Performer,
    Record,
    Scene,
    SceneGroup,
    Studio,
    Tag,
    VideoFile,
)

Row = TypeVar("Row", bound=Record)
Item = TypeVar("Item")


class Table(dict[int, Row], Generic[Row]):
    """Rows by id, in the order of their ids, which grow (stash.md §3.4)."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0
        self._ids: list[int] | None = None

    def next_id(self) -> int:
        """Return the id of the next row."""
        self._last += 1
        return self._last

    def add(self, row: Row) -> Row:
        """Put a row in under its id."""
        self[row.id] = row
        self._ids = None
        return row

    def drop(self, row: Row) -> None:
        """Remove a row; one that is gone already is fine."""
        self.pop(row.id, None)
        self._ids = None

    def undo(self, row: Row) -> None:
        """Undo the adding of the last row: its id goes to the next one."""
        self.drop(row)
        self._last = row.id - 1

    def between(self, low: float, high: float) -> Iterable[Row]:
        """Yield the rows whose id is from `low` to `high`, by growing id."""
        if self._ids is None:
            self._ids = list(self)
        ids = self._ids
        for index in range(bisect_left(ids, low), bisect_right(ids, high)):
            row = self.get(ids[index])
            if row is not None:
                yield row

    def renumber(self, rows: Sequence[Row]) -> None:
        """Put other rows in, numbered from 1, as a full import does (stash.md §10)."""
        self.clear()
        self._last = 0
        for row in rows:
            row.id = self.next_id()
            self.add(row)


class Library:
    """Everything that the server shows. Reading and changing go under `lock`."""

    def __init__(self, clock: Callable[[], float], utc_offset_minutes: int = 0) -> None:
        self.lock = threading.RLock()
        self.utc_offset_minutes = utc_offset_minutes
        self._clock = clock
        self._now: tuple[int, int, str] = (-1, 0, "")
        self.scenes: Table[Scene] = Table()
        self.files: Table[VideoFile] = Table()
        self.folders: Table[Folder] = Table()
        self.performers: Table[Performer] = Table()
        self.studios: Table[Studio] = Table()
        self.tags: Table[Tag] = Table()
        self.groups: Table[Group] = Table()
        self.markers: Table[Marker] = Table()
        self._folders_by_path: dict[str, Folder] = {}

    # -- time -----------------------------------------------------------------------------

    def time_text(self, moment: float) -> str:
        """Write a moment (epoch seconds) as Stash stores it: local, whole seconds (§5.2)."""
        zone = timezone(timedelta(minutes=self.utc_offset_minutes))
        text = datetime.fromtimestamp(int(moment), zone).isoformat()
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text

    def exact_text(self, moment: float) -> str:
        """Write a moment with its fraction, as what is not in the database is shown."""
        fraction = f".{int(moment * 1e6) % 10**6:06}".rstrip("0").rstrip(".")
        text = self.time_text(moment)
        return text[:19] + fraction + text[19:]

    def now(self) -> str:
        """Write the present moment; the text is shared by all rows of one second."""
        second = int(self._clock())
        if self._now[:2] != (second, self.utc_offset_minutes):
            self._now = (second, self.utc_offset_minutes, self.time_text(second))
        return self._now[2]

    def touch(self, row: Record) -> None:
        """Bump `updated_at`."""
        row.updated_at = self.now()

    # -- builders -------------------------------------------------------------------------

    def add_tag(
        self,
        name: str,
        *,
        parents: Iterable[Tag] = (),
        aliases: Iterable[str] = (),
        sort_name: str | None = None,
        image: Cover = None,
    ) -> Tag:
        """Add a tag."""
        with self.lock:
            now = self.now()
            tag = Tag(self.tags.next_id(), now, now, name, image=image)
            tag.parents, tag.aliases, tag.sort_name = tuple(parents), tuple(aliases), sort_name
            return self.tags.add(tag)

    def add_performer(
        self, name: str, *, disambiguation: str | None = None, image: Cover = None
    ) -> Performer:
        """Add a performer."""
        with self.lock:
            now = self.now()
            performer = Performer(self.performers.next_id(), now, now, name, image=image)
            performer.disambiguation = disambiguation
            return self.performers.add(performer)

    def add_studio(self, name: str, parent: Studio | None = None, *, image: Cover = None) -> Studio:
        """Add a studio, below `parent` if that is given."""
        with self.lock:
            now = self.now()
            studio = Studio(self.studios.next_id(), now, now, name, image=image, parent=parent)
            return self.studios.add(studio)

    def add_group(self, name: str, *, date: str | None = None, image: Cover = None) -> Group:
        """Add a group."""
        with self.lock:
            now = self.now()
            group = Group(self.groups.next_id(), now, now, name, image=image, date=date)
            return self.groups.add(group)

    def add_folder(self, path: str) -> Folder:
        """Return the folder of a path, created if there is none."""
        with self.lock:
            path = path.rstrip("/") or "/"
            folder = self._folders_by_path.get(path)
            if folder is None:
                now = self.now()
                folder = self.folders.add(Folder(self.folders.next_id(), now, now, path, now))
                self._folders_by_path[path] = folder
            return folder

    def rename_folder(self, folder: Folder, path: str) -> None:
        """Change a folder's path and those below it; nothing of the files changes (§10)."""
        with self.lock:
            old, path = folder.path, path.rstrip("/")
            for other in list(self.folders.values()):
                if other.path == old or other.path.startswith(f"{old}/"):
                    del self._folders_by_path[other.path]
                    other.path = path + other.path.removeprefix(old)
                    self._folders_by_path[other.path] = other

    def add_file(self, path: str, size: int = 1_000_000) -> VideoFile:
        """Add a file that belongs to no scene yet. `size` in bytes."""
        with self.lock:
            head, _, basename = path.rpartition("/")
            folder, now = self.add_folder(head), self.now()
            file = VideoFile(self.files.next_id(), now, now, folder, basename, size, now)
            return self.files.add(file)

    def add_scene(
        self,
        title: str | None = None,
        *,
        details: str | None = None,
        date: str | None = None,
        rating100: int | None = None,
        director: str | None = None,
        code: str | None = None,
        organized: bool = False,
        studio: Studio | None = None,
        performers: Iterable[Performer] = (),
        tags: Iterable[Tag] = (),
        groups: Iterable[Group] = (),
        files: Iterable[str] = (),
        sizes: Iterable[int] = (),
        cover: Cover = None,
        updated_at: float | None = None,
    ) -> Scene:
        """Add a scene without running a hook, as if it had been there before.

        `files` are paths, the first one primary; `sizes` in bytes, in the same order;
        `updated_at` in epoch seconds, now if it is not given.
        """
        with self.lock:
            stamp = self.now() if updated_at is None else self.time_text(updated_at)
            scene = Scene(self.scenes.next_id(), stamp, stamp, title, code, details, director)
            scene.date, scene.rating100, scene.organized = date, rating100, organized
            scene.studio, scene.performers, scene.tags = studio, tuple(performers), tuple(tags)
            scene.groups = tuple(SceneGroup(group) for group in groups)
            remaining = iter(sizes)
            scene.files = tuple(self.add_file(path, next(remaining, 1_000_000)) for path in files)
            scene.cover = cover
            return self.scenes.add(scene)

    def add_marker(self, scene: Scene, title: str, seconds: float, primary_tag: Tag) -> Marker:
        """Add a marker at `seconds` of a scene."""
        with self.lock:
            now = self.now()
            marker = Marker(self.markers.next_id(), now, now, scene, title, seconds, primary_tag)
            return self.markers.add(marker)

    # -- changes --------------------------------------------------------------------------

    def table_of(self, kind: str) -> Table[Performer] | Table[Studio] | Table[Tag] | Table[Group]:
        """Return the table of performers, studios, tags or groups."""
        return {
            "performer": self.performers,
            "studio": self.studios,
            "tag": self.tags,
            "group": self.groups,
        }[kind]  # type: ignore[return-value]

    def destroy_scene(self, scene: Scene, *, keep_files: bool = False) -> None:
        """Remove a scene, its markers and, unless they moved elsewhere, its files."""
        with self.lock:
            self.scenes.drop(scene)
            for marker in [row for row in self.markers.values() if row.scene is scene]:
                self.markers.drop(marker)
            if not keep_files:
                for file in scene.files:
                    self.files.drop(file)

    def destroy_entity(self, entity: Entity) -> None:
        """Remove a performer, studio, tag or group and its rows at scenes; no scene is bumped."""
        with self.lock:
            if isinstance(entity, Performer):
                self.performers.drop(entity)
            elif isinstance(entity, Studio):
                self.studios.drop(entity)
                for child in self.studios.values():
                    child.parent = None if child.parent is entity else child.parent
            elif isinstance(entity, Tag):
                self.tags.drop(entity)
                self._forget_tag(entity)
            elif isinstance(entity, Group):
                self.groups.drop(entity)
            for scene in self.scenes.values():
                _forget(scene, entity)

    def _forget_tag(self, tag: Tag) -> None:
        holders: list[Performer | Studio | Group | Marker] = [
            *self.performers.values(),
            *self.studios.values(),
            *self.groups.values(),
            *self.markers.values(),
        ]
        for holder in holders:
            if tag in holder.tags:
                holder.tags = tuple(other for other in holder.tags if other is not tag)
        for child in self.tags.values():
            if tag in child.parents:
                child.parents = tuple(other for other in child.parents if other is not tag)

    def merge_tags(self, sources: Iterable[Tag], destination: Tag) -> None:
        """Move scenes to the destination; its `updated_at` is not bumped either (§10)."""
        with self.lock:
            for source in sources:
                for scene in self.scenes.values():
                    scene.tags = _replaced(scene.tags, source, destination)
                for performer in self.performers.values():
                    performer.tags = _replaced(performer.tags, source, destination)
                names = (*destination.aliases, source.name, *source.aliases)
                destination.aliases = tuple(sorted(set(names)))
                self.destroy_entity(source)

    def merge_performers(self, sources: Iterable[Performer], destination: Performer) -> None:
        """Move scenes to the destination and bump that one, no scene (§10).

        The names of the others are lost: unlike tags they do not become aliases.
        """
        with self.lock:
            for source in sources:
                for scene in self.scenes.values():
                    scene.performers = _replaced(scene.performers, source, destination)
                self.destroy_entity(source)
            self.touch(destination)

    def merge_scenes(self, sources: Iterable[Scene], destination: Scene) -> None:
        """Move files and markers to the destination and bump it; the sources vanish (§10)."""
        with self.lock:
            for source in sources:
                destination.files += source.files
                for marker in self.markers.values():
                    if marker.scene is source:
                        marker.scene = destination
                self.destroy_scene(source, keep_files=True)
            self.touch(destination)

    def scene_of(self, file: VideoFile) -> Scene | None:
        """Find the scene that has a file."""
        return next((scene for scene in self.scenes.values() if file in scene.files), None)

    def assign_file(self, file: VideoFile, scene: Scene) -> None:
        """Give a file to another scene; no scene is bumped (§10)."""
        with self.lock:
            before = self.scene_of(file)
            if before is not None:
                before.files = tuple(other for other in before.files if other is not file)
            scene.files += (file,)

    def move_file(self, file: VideoFile, path: str) -> None:
        """Give a file another path and bump the file, no scene (§10)."""
        with self.lock:
            head, _, file.basename = path.rpartition("/")
            file.folder = self.add_folder(head)
            self.touch(file)

    def delete_file(self, file: VideoFile) -> None:
        """Remove a file from its scene; no scene is bumped (§10)."""
        with self.lock:
            scene = self.scene_of(file)
            if scene is not None:
                scene.files = tuple(other for other in scene.files if other is not file)
            self.files.drop(file)


def _forget(scene: Scene, entity: Entity) -> None:
    if scene.studio is entity:
        scene.studio = None
    elif isinstance(entity, Performer) and entity in scene.performers:
        scene.performers = tuple(other for other in scene.performers if other is not entity)
    elif isinstance(entity, Tag) and entity in scene.tags:
        scene.tags = tuple(other for other in scene.tags if other is not entity)
    elif isinstance(entity, Group) and any(link.group is entity for link in scene.groups):
        scene.groups = tuple(link for link in scene.groups if link.group is not entity)


def _replaced(items: tuple[Item, ...], old: Item, new: Item) -> tuple[Item, ...]:
    """Put `new` in the place of `old`, once."""
    if old not in items:
        return items
    return tuple(dict.fromkeys(new if item is old else item for item in items))


def unix_seconds(text: str) -> int:
    """Read a stored time back, in epoch seconds."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
