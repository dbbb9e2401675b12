"""Pages of Stash's scenes; a page that one scene spoils is read without that scene.

A page that cannot be read with its content is read by ids, and then scene by scene as far as
necessary. If the ids cannot be listed either, the page is halved, down to the one scene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, define, field, frozen

from stash2plex.errors import SLOW, ServerError
from stash2plex.model import Scene
from stash2plex.servers.apart import MAX_SLOW, ReadScenes, may_be_part
from stash2plex.servers.paging import MAX_LOST

Criteria = Mapping[str, object]

MAX_SKIP = 3
"""How many scenes in a row, each of which spoils the list of ids, are passed over."""

MAX_GAP = 1_000
"""How many ids between two scenes are tried to find the one that cannot be listed."""

SCENES_PER_READ = 200
"""How many scenes one request reads by id: an answer of a few hundred KiB."""

MAX_FILTER_ID = 2**31 - 1
"""The highest id that a GraphQL filter can hold."""


@frozen
class IdPage:
    """The ids of a page. `last` is its highest id, `ended` means that no scene follows.

    `unlisted` are those that are in Stash and spoil any list, each with its error.
    """

    ids: tuple[int, ...]
    last: int
    ended: bool
    unlisted: Mapping[int, ServerError] = Factory(dict)


@frozen
class ScenePage:
    """The scenes of a page, by growing id, and those that cannot be read, each with its error.

    `last` is the highest id of the page, `ended` means that no scene follows.
    """

    scenes: tuple[Scene, ...]
    last: int
    ended: bool
    unreadable: Mapping[int, ServerError] = Factory(dict)

    @property
    def ids(self) -> set[int]:
        """The ids of all scenes of the page, readable or not."""
        return {scene.id for scene in self.scenes} | self.unreadable.keys()


ListIds = Callable[[int, Criteria, int, int], list[int]]
"""Lists ids: above an id, that fit a filter, so many a page, the number of the page."""

ReadPage = Callable[[int, Criteria, int], list[Scene]]
"""Reads scenes with their content: above an id, that fit a filter, so many at most."""


@frozen
class ScenePages:
    """Reads pages; `list_ids`, `read_page` and `read_scenes` each send one request or a few."""

    list_ids: ListIds
    read_page: ReadPage
    read_scenes: Callable[[Sequence[int]], ReadScenes]

    def page(self, after: int, criteria: Criteria, size: int) -> ScenePage:
        """Read the next `size` scenes above an id. Raises the error of a Stash that lists none."""
        try:
            scenes = self.read_page(after, criteria, size)
        except ServerError as error:
            if not may_be_part(error):
                raise
        else:
            last = scenes[-1].id if scenes else after
            return ScenePage(tuple(scenes), last, len(scenes) < size)
        listed = self.ids(after, criteria, size)
        read = self.by_id(listed.ids)
        unreadable = {**read.unreadable, **listed.unlisted}
        scenes = [read[id_] for id_ in listed.ids if id_ in read]
        return ScenePage(tuple(scenes), listed.last, listed.ended, unreadable)

    def by_id(self, ids: Sequence[int]) -> ReadScenes:
        """Read scenes by their ids; those that are gone are absent."""
        scenes = ReadScenes()
        for start in range(0, len(ids), SCENES_PER_READ):
            scenes.add(self.read_scenes(ids[start : start + SCENES_PER_READ]))
        return scenes

    def ids(self, after: int, criteria: Criteria, size: int) -> IdPage:
        """List the next `size` ids above one. Raises the error of a Stash that lists none."""
        try:
            ids = self.list_ids(after, criteria, size, 1)
        except ServerError as error:
            if not may_be_part(error):
                raise
            self._check_lists(criteria, error)
            return _Walk(self, criteria, after).take(size)
        return IdPage(tuple(ids), ids[-1] if ids else after, len(ids) < size)

    def _check_lists(self, criteria: Criteria, error: ServerError) -> None:
        """Raise the error of a list if Stash does not even give an empty one."""
        try:
            self.list_ids(MAX_FILTER_ID, criteria, 1, 1)
        except ServerError:
            raise error from None


@define
class _Walk:
    """One pass through a page of ids that some scene spoils, from an id on."""

    pages: ScenePages
    criteria: Criteria
    after: int
    _ids: list[int] = field(init=False, factory=list)
    _unlisted: dict[int, ServerError] = field(init=False, factory=dict)
    _slow: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)

    def take(self, size: int) -> IdPage:
        """Read the ids that can be listed."""
        middle = (size + 1) // 2
        self._span(middle)
        self._span(size - middle)
        return IdPage(tuple(self._ids), self.after, self._ended, self._unlisted)

    def _span(self, size: int) -> None:
        """Read the next ids; after a failure, both halves."""
        if self._ended or not size:
            return
        try:
            ids = self.pages.list_ids(self.after, self.criteria, size, 1)
        except ServerError as error:
            if not may_be_part(error):
                raise
            if size == 1:
                self._pass_over(error)
                return
            middle = (size + 1) // 2
            self._span(middle)
            self._span(size - middle)
        else:
            self._ids += ids
            self.after = ids[-1] if ids else self.after
            self._ended = len(ids) < size

    def _pass_over(self, error: ServerError) -> None:
        """Go on behind the next scene, which spoils every list, and find out which it is."""
        self._slow += error.cause == SLOW
        if len(self._unlisted) >= MAX_LOST or self._slow > MAX_SLOW:
            raise error
        following = self._following(error)
        end = MAX_FILTER_ID if following is None else following
        gap = range(self.after + 1, min(end, self.after + 1 + MAX_GAP))
        read = self.pages.by_id(gap)
        # A scene may answer for itself after all, or not fit the filter: then it is read in vain.
        self._ids += read
        self._unlisted.update(read.unreadable)
        if not read.unreadable:
            raise error
        self.after = end - 1 if following is not None else max([*read, *read.unreadable])
        self._ended = following is None

    def _following(self, error: ServerError) -> int | None:
        """Return the id of the next scene that can be listed; None if no other follows."""
        for page in range(2, 2 + MAX_SKIP):
            try:
                ids = self.pages.list_ids(self.after, self.criteria, 1, page)
            except ServerError as other:
                if not may_be_part(other):
                    raise
                continue
            return ids[0] if ids else None
        raise error
