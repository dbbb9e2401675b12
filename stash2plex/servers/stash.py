"""The client for Stash: settings, scenes, what moved, jobs and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from stash2plex.errors import NotFound, Rejected, Transient, Unavailable
from stash2plex.model import Glance, Image, Scene, Tag, TaskJob
from stash2plex.servers.client import Client
from stash2plex.servers.glance import (
    CONFIGURED,
    KINDS,
    KINDS_FIELD,
    glance_query,
    glance_variables,
    read_glance,
    read_kinds,
)
from stash2plex.servers.jobs import QUEUE_QUERY, jobs_query, read_jobs
from stash2plex.servers.new_scenes import (
    NEW_SCENES_QUERY,
    NewScenes,
    new_scenes_variables,
    read_new_scenes,
)
from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.stashwire import (
    SCENE_FIELDS,
    WireBasics,
    WireConfiguration,
    WireConfigured,
    WireScene,
    read_scene,
)
from stash2plex.servers.tags import TAG_MARK_QUERY, TAGS_QUERY, read_tag_mark, read_tags
from stash2plex.servers.transport import Transport
from stash2plex.servers.wire import make_converter, structure

IMAGE_LIMIT = 10_480_000
"""Bytes: Plex answers 500 to larger uploads (plex.md §4.4)."""

PAGE = 1000
"""How many scenes a page of a sweep has."""

SCENES_PER_READ = 200
"""How many scenes one request reads by id: an answer of a few hundred KiB."""

ENTITY_CRITERIA = {"performer": "performers", "studio": "studios", "tag": "tags", "group": "groups"}


@frozen
class Stored:
    """The plugin's stored settings, and the file on Stash's machine that holds them."""

    settings: Mapping[str, object]
    file: str


@frozen
class StashBasics:
    """The answer to the first request: version, stored settings, and how Stash lets us in.

    `wants_login` means that Stash has a user name and password, `by_key` that it has an API key,
    which does not expire.
    """

    version: str
    stored: Stored
    wants_login: bool = False
    by_key: bool = False


@frozen
class PluginEntry:
    """A plugin as Stash last read it, with its version at that time."""

    id: str
    enabled: bool
    version: str | None = None


class Stash(Client):
    """A client for one Stash server."""

    def __init__(
        self, transport: Transport, *, api_key: str = "", cookie: tuple[str, str] | None = None
    ) -> None:
        super().__init__(transport)
        self._link = StashLink(transport, api_key=api_key, cookie=cookie)
        self.most_seconds = math.inf
        """Seconds to wait for an answer, if the transport would wait longer."""
        self._kinds: tuple[str, ...] = KINDS
        self._converter = make_converter()

    def within(self, seconds: float) -> Stash:
        """Return a client with the same log-in that waits up to `seconds` for an answer."""
        hasty = copy(self)
        hasty.most_seconds = seconds
        return hasty

    @property
    def link(self) -> StashLink:
        """The link that its requests take."""
        return self._link

    @property
    def has_password(self) -> bool:
        """Whether Stash had a user name and password when the settings were last read."""
        return self._link.knows_keys

    # -- settings -------------------------------------------------------------------------

    def basics(self, plugin_id: str) -> StashBasics:
        """Read version and stored settings, adopt the API key, and learn what can be asked."""
        data = self._query(
            f"query Basics($ids: [ID!]) {{ version {{ version }} {CONFIGURED} {KINDS_FIELD} }}",
            {"ids": [plugin_id]},
        )
        self._kinds = read_kinds(data)
        basics = structure(self._converter, data, WireBasics, "Stash", "its configuration")
        return StashBasics(
            basics.version.version or "unknown",
            self._take_up(basics.configuration, plugin_id),
            wants_login=bool(basics.configuration.general.username),
            by_key=self._link.has_key,
        )

    def stored(self, plugin_id: str) -> Stored:
        """Read the stored settings and adopt the API key: a small request, sent often."""
        data = self._query(f"query Stored($ids: [ID!]) {{ {CONFIGURED} }}", {"ids": [plugin_id]})
        configured = structure(self._converter, data, WireConfigured, "Stash", "its configuration")
        return self._take_up(configured.configuration, plugin_id)

    def _take_up(self, configuration: WireConfiguration, plugin_id: str) -> Stored:
        """Adopt the present API key, and return the stored settings."""
        general = configuration.general
        self._link.learn(general.apiKey, knows_keys=bool(general.username))
        stored = configuration.plugins.get(plugin_id)
        return Stored(stored if isinstance(stored, dict) else {}, general.configFilePath)

    def plugins(self) -> list[PluginEntry]:
        """List the plugins that Stash has read."""
        data = self._query("query Plugins { plugins { id enabled version } }")
        rows = data.get("plugins") or []
        return structure(self._converter, rows, list[PluginEntry], "Stash", "its plugins")

    def ping(self) -> None:
        """Ask whether Stash answers."""
        self._query("query Version { version { version } }")

    def config_path(self) -> str:
        """Return where Stash keeps its configuration, on its own machine."""
        data = self._query("query ConfigPath { systemStatus { configPath } }")
        value = _dig(data, "systemStatus", "configPath")
        return structure(self._converter, value, str, "Stash", "its configuration path")

    # -- scenes ---------------------------------------------------------------------------

    def scenes(self, ids: list[int]) -> dict[int, Scene]:
        """Read scenes in one request; those that are gone are absent.

        Each has an alias: `findScenes(ids:)` fails as a whole for one missing id (stash.md §5.1).
        """
        if not ids:
            return {}
        aliases = " ".join(
            f"s{int(id_)}: findScene(id: {int(id_)}) {{ ...SceneFields }}" for id_ in ids
        )
        data = self._query(f"query Scenes {{ {aliases} }} {SCENE_FIELDS}")
        scenes = {}
        for id_ in ids:
            value = data.get(f"s{id_}")
            if value is not None:
                wire = structure(self._converter, value, WireScene, "Stash", f"scene {id_}")
                if wire.id != id_:
                    raise Transient("Stash", f"Stash answered scene {wire.id} for scene {id_}.")
                scenes[id_] = read_scene(wire)
        return scenes

    def count_scenes(self) -> int:
        """Count all scenes."""
        data = self._query("query CountScenes { findScenes(filter: {per_page: 0}) { count } }")
        value = _dig(data, "findScenes", "count")
        return structure(self._converter, value, int, "Stash", "the number of scenes")

    def scene_page(self, after: int, criteria: Mapping[str, object] | None = None) -> list[Scene]:
        """Read the next page of scenes with their content: the lowest ids above `after`.

        `criteria` is a scene filter; without it, all scenes count. A page below `PAGE` is the last.
        """
        data = self._query(
            "query ScenePage($criteria: SceneFilterType, $filter: FindFilterType) {"
            " findScenes(scene_filter: $criteria, filter: $filter) {"
            " scenes { ...SceneFields } } } " + SCENE_FIELDS,
            {
                "criteria": {
                    "id": {"value": after, "modifier": "GREATER_THAN"},
                    **(criteria or {}),
                },
                "filter": {"per_page": PAGE, "sort": "id", "direction": "ASC"},
            },
        )
        page = [
            read_scene(structure(self._converter, row, WireScene, "Stash", "a page of scenes"))
            for row in _rows(data)
        ]
        ids = [scene.id for scene in page]
        if page and (min(ids) <= after or ids != sorted(ids) or len(page) > PAGE):
            raise Transient("Stash", "Stash answered scenes that were not asked for.")
        return page

    def all_scenes(self) -> Iterator[list[Scene]]:
        """Page through every scene with its content, by growing id."""
        last = 0
        while page := self.scene_page(last):
            yield page
            if len(page) < PAGE:
                return
            last = page[-1].id

    def sample(self, number: int, seed: int) -> tuple[int, list[Scene]]:
        """Count all scenes, and read `number` of them, chosen at random by `seed`."""
        data = self._query(
            "query Sample($filter: FindFilterType) { findScenes(filter: $filter) {"
            " count scenes { ...SceneFields } } } " + SCENE_FIELDS,
            {"filter": {"per_page": number, "sort": f"random_{seed:d}"}},
        )
        total = structure(
            self._converter, _dig(data, "findScenes", "count"), int, "Stash", "the number of scenes"
        )
        scenes = [
            read_scene(structure(self._converter, row, WireScene, "Stash", "a sample of scenes"))
            for row in _dig(data, "findScenes", "scenes")
        ]
        return total, scenes

    def scene_ids(self, criteria: Mapping[str, object] | None = None) -> Iterator[list[int]]:
        """Page through the ids of all scenes, or of those that fit a scene filter.

        They come by growing id, so that new and deleted scenes shift nothing (stash.md §5.1).
        """
        last = 0
        while True:
            after: dict[str, object] = {"id": {"value": last, "modifier": "GREATER_THAN"}}
            data = self._query(
                "query SceneIds($criteria: SceneFilterType, $filter: FindFilterType) {"
                " findScenes(scene_filter: $criteria, filter: $filter) { scenes { id } } }",
                {
                    "criteria": {**after, **(criteria or {})},
                    "filter": {"per_page": PAGE, "sort": "id", "direction": "ASC"},
                },
            )
            page = [
                structure(self._converter, _dig(row, "id"), int, "Stash", "a scene id")
                for row in _rows(data)
            ]
            if page:
                if min(page) <= last:
                    raise Transient("Stash", "Stash answered scenes that were not asked for.")
                yield page
                last = max(page)
            if len(page) < PAGE:
                return

    def scene_ids_showing(self, kind: str, entity_id: int) -> list[int]:
        """List the scenes that show a performer, studio (or one below it), tag or group.

        Tags below a tag are left out: a scene shows only its own tags, and the settings that name
        tags match names exactly. The filter is `groups`, because Stash ignores `groups_filter`
        (stash.md §5.3).
        """
        return [id_ for page in self.scene_ids(shows(kind, [entity_id])) for id_ in page]

    def scene_ids_changed_since(self, moment: float) -> Iterator[list[int]]:
        """Page through ids of scenes whose `updated_at` is roughly after `moment` (epoch seconds).

        Stash compares that field as text in its local time (stash.md §5.2). So the zone comes from
        the newest scene, and an hour is added for the end of summer time.
        """
        data = self._query(
            'query Newest { findScenes(filter: {per_page: 1, sort: "updated_at", direction: DESC})'
            " { scenes { updated_at } } }"
        )
        newest = _rows(data)
        if not newest:
            return
        text = structure(
            self._converter, _dig(newest[0], "updated_at"), str, "Stash", "a scene's time"
        )
        try:
            zone = datetime.fromisoformat(text).tzinfo or UTC
        except ValueError as error:
            raise Transient(
                "Stash", f"Stash sent a time that cannot be read: {text[:40]!r}."
            ) from error
        start = datetime.fromtimestamp(moment, zone) - timedelta(hours=1)
        value = start.strftime("%Y-%m-%dT%H:%M:%S")
        yield from self.scene_ids({"updated_at": {"value": value, "modifier": "GREATER_THAN"}})

    # -- what moved -----------------------------------------------------------------------

    def new_scenes(self, after: int | None) -> NewScenes:
        """Read the next scenes above an id, and whether a scan runs; None asks where to begin."""
        data = self._query(NEW_SCENES_QUERY, new_scenes_variables(after))
        return read_new_scenes(self._converter, data, after)

    def glance(self, plugin_id: str, last_job: int) -> Glance:
        """Read newest times, counts, jobs and stored settings with one request."""
        data = self._query(glance_query(last_job, self._kinds), glance_variables(plugin_id))
        configured = structure(self._converter, data, WireConfigured, "Stash", "its configuration")
        self._take_up(configured.configuration, plugin_id)
        return read_glance(self._converter, data, self._kinds)

    def job_queue(self) -> list[TaskJob]:
        """List the jobs that run or wait."""
        return read_jobs(self._converter, self._query(QUEUE_QUERY))

    def find_jobs(self, ids: list[int]) -> list[TaskJob]:
        """Read jobs by their numbers; those that Stash has dropped are absent."""
        return read_jobs(self._converter, self._query(jobs_query(ids)))

    def studio_ids_changed(self, after: str) -> list[int]:
        """List the newest studios, up to `PAGE`, whose `updated_at` as text is greater."""
        data = self._query(
            "query Studios($criteria: StudioFilterType, $filter: FindFilterType) {"
            " findStudios(studio_filter: $criteria, filter: $filter) { studios { id } } }",
            {
                "criteria": {"updated_at": {"value": after, "modifier": "GREATER_THAN"}},
                "filter": {"per_page": PAGE, "sort": "updated_at", "direction": "DESC"},
            },
        )
        return self._ids(data, "findStudios", "studios")

    def entity_ids(self, kind: str) -> list[int]:
        """List every performer, studio, tag or group."""
        field = f"find{kind.capitalize()}s"
        data = self._query(
            f"query Everything {{ {field}(filter: {{per_page: -1}}) {{ {kind}s {{ id }} }} }}"
        )
        return self._ids(data, field, f"{kind}s")

    def tags(self) -> list[Tag]:
        """List every tag with its other names."""
        return read_tags(self._converter, self._query(TAGS_QUERY))

    def tag_mark(self) -> str:
        """Return what is equal while no tag was made, changed, merged or destroyed."""
        return read_tag_mark(self._converter, self._query(TAG_MARK_QUERY))

    def _ids(self, data: dict[str, Any], field: str, rows: str) -> list[int]:
        return [
            structure(self._converter, _dig(row, "id"), int, "Stash", "an id")
            for row in _rows(data, field, rows)
        ]

    # -- pictures -------------------------------------------------------------------------

    def cover(self, scene: Scene, etag: str) -> Image | None:
        """Fetch a scene's cover unless it still has this ETag.

        None if the scene has no picture: then Stash sends a drawing (stash.md §5.6). Raises
        TooLarge for a picture that Plex would not accept, Rejected for anything that is not a
        picture, and Transient if Stash answers but does not deliver this picture.
        """
        # Only the tag, because the address may name another host, with its own log-in.
        tag = scene.cover_tag
        path = f"/scene/{scene.id}/screenshot" + (f"?{tag}" if tag.startswith("t=") else "")
        doing = f"the cover of scene {scene.id}"
        headers = {"If-None-Match": etag} if etag else {}
        try:
            reply = self._link.send(
                "GET",
                path,
                headers=headers,
                doing=doing,
                limit=IMAGE_LIMIT,
                most_seconds=self.most_seconds,
            )
        except NotFound:
            return None
        except Unavailable as error:
            # If Stash answers otherwise, this one picture is the cause: the failure counts against
            # its scene, and no outage is recorded.
            self.ping()
            raise Transient("Stash", error.what, error.fix) from error
        if reply.status == 304:  # noqa: PLR2004
            return Image(None, "", etag)
        kind = picture_type(reply.body)
        if kind:
            return Image(reply.body, kind, reply.headers.get("etag", "")[:200])
        declared = reply.headers.get("content-type", "nothing").split(";")[0][:40]
        if declared == "image/svg+xml":
            return None
        # Stash keeps whatever a scraper found at a cover's address; its own log-in page comes with
        # a redirect.
        raise Rejected(
            "Stash",
            f"Stash sent {len(reply.body):,} bytes of {declared} for {doing}, which is not a "
            "picture that Plex takes.",
        )

    def _query(self, text: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        return self._link.query(text, variables, most_seconds=self.most_seconds)


def shows(kind: str, ids: list[int]) -> dict[str, object]:
    """Return the filter for scenes that show one of some performers, studios, tags or groups.

    A studio includes those below it.
    """
    criterion: dict[str, object] = {
        "value": [str(int(id_)) for id_ in ids],
        "modifier": "INCLUDES",
    }
    if kind == "studio":
        criterion["depth"] = -1
    return {ENTITY_CRITERIA[kind]: criterion}


def picture_type(data: bytes) -> str:
    """Return a picture's media type by its first bytes; empty if Plex may not accept it."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return ""


def _dig(value: Any, *names: str) -> Any:
    """Return a nested value of an answer. Raises Transient if a level is missing."""
    for name in names:
        if not isinstance(value, dict) or value.get(name) is None:
            raise Transient("Stash", f"Stash's answer has no {name!r}.")
        value = value[name]
    return value


def _rows(data: Any, field: str = "findScenes", name: str = "scenes") -> list[Any]:
    """Return the rows of an answer. Raises Transient if there is no list of them."""
    rows = _dig(data, field, name)
    if not isinstance(rows, list):
        raise Transient("Stash", f"Stash's answer has no list of {name}.")
    return rows
