"""The client for Stash: settings, scenes, what moved, jobs and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from stash2plex.errors import NotFound, Rejected, Transient, Unavailable
from stash2plex.model import Glance, Image, Scene, Tag, TaskJob
from stash2plex.servers.apart import ReadScenes
from stash2plex.servers.client import Client
from stash2plex.servers.glance import (
    CONFIGURED,
    KINDS,
    KINDS_FIELD,
    GlanceReader,
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
from stash2plex.servers.scenepages import ScenePage
from stash2plex.servers.scenereader import SceneReader
from stash2plex.servers.stash_link import Answer, StashLink
from stash2plex.servers.stashwire import (
    WireBasics,
    WireConfiguration,
    WireConfigured,
    dig,
    rows_of,
)
from stash2plex.servers.tags import TAG_MARK_QUERY, TAGS_QUERY, read_tag_mark, read_tags
from stash2plex.servers.transport import Transport
from stash2plex.servers.wire import make_converter, structure

IMAGE_LIMIT = 10_480_000
"""Bytes: Plex answers 500 to larger uploads (plex.md §4.4)."""

PAGE = 1000
"""How many scenes a page of a sweep has."""

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
        self._scenes = SceneReader(self._query_apart, self._converter)
        self._glances = GlanceReader(self._query)

    def within(self, seconds: float) -> Stash:
        """Return a client with the same log-in that waits up to `seconds` for an answer."""
        hasty = copy(self)
        hasty.most_seconds = seconds
        hasty._scenes = SceneReader(hasty._query_apart, self._converter)  # noqa: SLF001 - our own
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
        value = dig(data, "systemStatus", "configPath")
        return structure(self._converter, value, str, "Stash", "its configuration path")

    # -- scenes ---------------------------------------------------------------------------

    def scenes(self, ids: Sequence[int]) -> ReadScenes:
        """Read scenes, with one request if all can be read; those that are gone are absent.

        A scene that Stash has but cannot show does not affect the others; it is in `unreadable`.
        """
        return self._scenes.scenes(ids)

    def count_scenes(self) -> int:
        """Count all scenes."""
        data = self._query("query CountScenes { findScenes(filter: {per_page: 0}) { count } }")
        value = dig(data, "findScenes", "count")
        return structure(self._converter, value, int, "Stash", "the number of scenes")

    def scene_page(self, after: int, criteria: Mapping[str, object] | None = None) -> ScenePage:
        """Read the next page of scenes with their content: the lowest ids above `after`.

        `criteria` is a scene filter; without it, all scenes count.
        """
        return self._scenes.pages.page(after, criteria or {}, PAGE)

    def all_scenes(self) -> Iterator[ScenePage]:
        """Page through every scene with its content, by growing id."""
        last = 0
        while True:
            page = self.scene_page(last)
            if page.ids:
                yield page
            if page.ended:
                return
            last = page.last

    def sample(self, number: int, seed: int) -> tuple[int, list[Scene]]:
        """Count all scenes, and read `number` of them, chosen at random by `seed`.

        Those that cannot be read are left out.
        """
        return self._scenes.sample(number, seed)

    def scene_ids(self, criteria: Mapping[str, object] | None = None) -> Iterator[list[int]]:
        """Page through the ids of all scenes, or of those that fit a scene filter.

        They come by growing id, so that new and deleted scenes shift nothing (stash.md §5.1).
        """
        last = 0
        while True:
            page = self._scenes.pages.ids(last, criteria or {}, PAGE)
            ids = sorted({*page.ids, *page.unlisted})
            if ids:
                yield ids
            if page.ended:
                return
            last = page.last

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
        newest = rows_of(data)
        if not newest:
            return
        text = structure(
            self._converter, dig(newest[0], "updated_at"), str, "Stash", "a scene's time"
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
        data = self._glances.data(plugin_id, last_job, self._kinds)
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
            structure(self._converter, dig(row, "id"), int, "Stash", "an id")
            for row in rows_of(data, field, rows)
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
        if reply.status == 304:  # noqa: PLR2004 - not modified
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

    def _query_apart(self, text: str, variables: Mapping[str, object] | None = None) -> Answer:
        return self._link.query_apart(text, variables, most_seconds=self.most_seconds)


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
