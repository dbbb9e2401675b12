"""Plex's HTTP interface, behind `PlexPort`: the ten endpoints that Stash2Plex uses."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from urllib.parse import quote, urlencode

from attrs import frozen

from stash2plex.errors import NotFound, Refused, Rejected, Transient
from stash2plex.model import (
    OPAQUE_ID,
    Change,
    Field,
    Image,
    Picture,
    PlexFile,
    PlexItem,
    Section,
)
from stash2plex.servers.plexedit import IMAGES, by_field, edit_query
from stash2plex.servers.plexwire import WireAnswer, WireContainer, WirePhotosAnswer, read_item
from stash2plex.servers.transport import Reply, Transport
from stash2plex.servers.wire import make_converter, structure
from stash2plex.version import VERSION

MOVIE = "1"
"""Plex's type number of movies and other videos (plex.md §2.1)."""

LIST_PAGE = 500
"""Rows of a list page; larger pages buy nothing, the cost is per row (plex.md §2.2)."""

IDS_PER_READ = 200
"""Items of one detail read; 240 are known to work (plex.md §2.3)."""

MAX_QUERY = 20_000
"""Bytes of an edit in one URL: Plex publishes no limit, 30,000 are known to fail (plex.md §3.1)."""

LIST_TRIM = urlencode(
    {
        "excludeElements": "Genre,Country,Director,Writer,Producer,Role,Collection,Guid,Rating,"
        "Image,UltraBlurColors,Label,Field,Similar",
        "excludeFields": "summary,tagline,art,thumb,titleSort,contentRating,ratingImage,"
        "audienceRatingImage,audienceRating,studio,chapterSource",
        "includeGuids": "0",
    }
)
"""Asks for rows with little more than the files; a server may ignore it (plex.md §2.2)."""

KEY_TRIM = LIST_TRIM.replace("excludeElements=", "excludeElements=Media%2C")
"""Asks for rows of which only the key and the times matter."""

DETAIL_TRIM = (
    "skipRefresh=1&excludeElements=Chapter,Marker,Extras,Similar,Review,Rating,Country,Writer,"
    "Producer"
)
"""`skipRefresh` keeps a read from starting the analysis of the file (plex.md §0.1, 5)."""


@frozen
class ServerIdentity:
    """Which Plex server answers, and its version."""

    machine_id: str
    version: str


@frozen
class ListPage:
    """One page of a library's list: its files, the newest `addedAt`, and the total of items."""

    files: tuple[PlexFile, ...]
    newest_added_at: int
    rows: int
    total: int


def plex_headers(token: str, client_id: str) -> dict[str, str]:
    """Name who we are, the same on every request: Plex announces each new identity as a device.

    (plex.md §1.1, §1.2)
    """
    return {
        "Accept": "application/json",
        "X-Plex-Token": token,
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Product": "Stash2Plex",
        "X-Plex-Version": VERSION,
        "X-Plex-Platform": "Python",
        "X-Plex-Device": "Stash",
        "X-Plex-Device-Name": "Stash2Plex",
        "X-Plex-Model": "plugin",
    }


class Plex:
    """A client for one Plex Media Server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._converter = make_converter()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    @property
    def requests(self) -> int:
        """Count the requests so far."""
        return self._transport.requests

    @property
    def server_time(self) -> float | None:
        """The time of the last answer by Plex's own clock, in epoch seconds."""
        return self._transport.server_time

    # -- server and libraries -------------------------------------------------------------

    def identity(self, most_seconds: float = inf) -> ServerIdentity:
        """Ask for a sign of life, which needs no token (plex.md §1.5).

        Waits at most `most_seconds` for the answer.
        """
        return self._identity_in(
            self._get("/identity", "a sign of life", most_seconds=most_seconds)
        )

    def check_token(self, most_seconds: float = inf) -> ServerIdentity:
        """Ask who the server is, with the token. Raises Refused with what to do.

        Waits at most `most_seconds` for the answer.
        """
        try:
            container = self._get("/", "the token check", most_seconds=most_seconds)
        except Refused as error:
            raise self._refused(error) from error
        return self._identity_in(container)

    def _identity_in(self, container: WireContainer) -> ServerIdentity:
        """Read which server answers. Raises Transient for one that does not name itself."""
        if not container.machineIdentifier:
            raise Transient(
                "Plex", f"{self._transport.base_url} answers, but not as a Plex server."
            )
        return ServerIdentity(container.machineIdentifier, container.version)

    def _refused(self, error: Refused) -> Refused:
        if not error.wants_login:
            return error
        return error.with_words(
            "Plex does not accept the token.",
            "Put a fresh X-Plex-Token of the server's owner into "
            "Settings > Plugins > Stash2Plex > Plex token.",
        )

    def sections(self) -> list[Section]:
        """List all libraries."""
        container = self._get("/library/sections", "its libraries")
        return [
            Section(
                id=_opaque(row.key),
                uuid=row.uuid,
                title=row.title,
                type=row.type,
                change_mark=f"{row.contentChangedAt}/{row.scannedAt}/{row.updatedAt}",
                locations=tuple(location.path for location in row.Location),
                refreshing=row.refreshing,
            )
            for row in container.Directory
        ]

    def scan(self, section_id: str, folder: str) -> None:
        """Ask for a scan of a folder as Plex sees it, or of the whole library with an empty one.

        Plex answers at once and scans by and by; it ignores a folder that it cannot see
        (plex.md §6.1).
        """
        query = f"?path={quote(folder, safe='')}" if folder else ""
        path = f"/library/sections/{_opaque(section_id)}/refresh{query}"
        self._send("POST", path, "the scan of a folder")

    def list_page(self, section_id: str, start: int, added_after: int | None = None) -> ListPage:
        """Read one page of a library's list, trimmed to what the path index needs."""
        query = f"type={MOVIE}&sort=id&{LIST_TRIM}"
        if added_after is not None:
            query += f"&addedAt%3E%3E={int(added_after)}"
        container = self._get(
            f"/library/sections/{_opaque(section_id)}/all?{query}",
            "a list page",
            {
                "X-Plex-Container-Start": str(start),
                "X-Plex-Container-Size": str(LIST_PAGE),
            },
        )
        rows = [row for row in container.Metadata if row.deletedAt is None]
        files = tuple(
            PlexFile(section_id, _opaque(row.ratingKey), part.file, part.size)
            for row in rows
            for media in row.Media
            for part in media.Part
            if part.file
        )
        received = len(container.Metadata)
        total = container.totalSize
        return ListPage(
            files,
            max((row.addedAt for row in rows), default=0),
            received,
            total if total is not None else start + received,
        )

    def list_files(self, section_id: str, added_after: int | None = None) -> Iterator[ListPage]:
        """Page through a library, by rows received: a page may be shorter (plex.md §2.2)."""
        start = 0
        while True:
            page = self.list_page(section_id, start, added_after)
            yield page
            start += page.rows
            if not page.rows or start >= page.total:
                return

    def newest_update(self, section_id: str) -> int:
        """Say when an item of a library was edited last, by Plex's clock; 0 in an empty one."""
        container = self._rows(section_id, "sort=updatedAt%3Adesc", 0, 1, "its newest change")
        return max((row.updatedAt for row in container.Metadata), default=0)

    def changed_since(self, section_id: str, time_name: str, after: int) -> Iterator[list[str]]:
        """Page through the items whose `updatedAt` or `lastRatedAt` is after a moment.

        An edit moves the first, giving stars only the second (plex.md §2.2, §3.8).
        """
        start = 0
        query = f"sort=id&{quote(time_name, safe='')}%3E%3E={int(after)}"
        while True:
            container = self._rows(section_id, query, start, LIST_PAGE, "what changed")
            received = len(container.Metadata)
            yield [_opaque(row.ratingKey) for row in container.Metadata]
            start += received
            if not received or start >= (container.totalSize or 0):
                return

    def _rows(
        self, section_id: str, query: str, start: int, size: int, doing: str
    ) -> WireContainer:
        return self._get(
            f"/library/sections/{_opaque(section_id)}/all?type={MOVIE}&{query}&{KEY_TRIM}",
            doing,
            {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)},
        )

    # -- items ----------------------------------------------------------------------------

    def items(self, rating_keys: list[str]) -> dict[str, PlexItem]:
        """Read items with all details, up to 200 a request; those that are gone are absent."""
        found: dict[str, PlexItem] = {}
        for start in range(0, len(rating_keys), IDS_PER_READ):
            wanted = {_opaque(key) for key in rating_keys[start : start + IDS_PER_READ]}
            path = f"/library/metadata/{','.join(sorted(wanted))}?{DETAIL_TRIM}"
            try:
                container = self._get(path, "item details")
            except NotFound:
                continue
            for row in container.Metadata:
                # Anything else than asked for would be written over with a stranger's data.
                if row.ratingKey in wanted:
                    section = row.librarySectionID or container.librarySectionID
                    found[row.ratingKey] = read_item(row, _opaque(section))
        return found

    def edit(self, section_id: str, rating_keys: list[str], change: Change) -> None:
        """Write one item, or the same change to up to 100, with one PUT.

        A change that is too long for one URL goes out field by field.

        The ids are always sent: without them Plex edits the whole library (plex.md §0.1, 3).
        """
        if not rating_keys:
            raise AssertionError("an edit of no item would be one of all")
        ids = ",".join(_opaque(key) for key in rating_keys)
        queries = [edit_query(change)]
        if len(queries[0]) > MAX_QUERY:
            queries = [edit_query(part) for part in by_field(change)]
        for query in queries:
            path = f"/library/sections/{_opaque(section_id)}/all?type={MOVIE}&id={ids}{query}"
            self._send("PUT", path, "the edit")

    def confirm_lock(self, item: PlexItem) -> None:
        """Set the lock of an item's title to what it is: an edit that changes nothing.

        It shows whether the token may edit; lock-only edits leave every value alone (plex.md §3.2).
        """
        locked = int(Field.TITLE in item.locked)
        section, key = _opaque(item.section_id), _opaque(item.rating_key)
        self._transport.request(
            "PUT",
            f"/library/sections/{section}/all?type={MOVIE}&id={key}&title.locked={locked}",
            what="an edit that changes nothing",
        )

    def clear_rating(self, rating_key: str) -> None:
        """Take the rating away; -1 is how Plex spells that (plex.md §3.5)."""
        query = urlencode(
            {"identifier": "com.plexapp.plugins.library", "key": _opaque(rating_key), "rating": -1}
        )
        self._send("PUT", f"/:/rate?{query}", "clearing the rating")

    def upload(self, rating_key: str, image_field: Field, image: Image) -> None:
        """Send picture bytes. Plex files them by their hash and selects them (plex.md §4.2)."""
        if image.data is None:
            raise Rejected("Plex", "There is no picture to send.")
        self._send(
            "POST",
            f"/library/metadata/{_opaque(rating_key)}/{IMAGES[image_field][0]}",
            f"the upload of a {image_field}",
            headers={"Content-Type": image.content_type},
            body=image.data,
        )

    def pictures(self, rating_key: str, image_field: Field) -> tuple[Picture, ...]:
        """List the pictures that an item can show (plex.md §4.1: two names of the element)."""
        path = f"/library/metadata/{_opaque(rating_key)}/{IMAGES[image_field][0]}"
        doing = f"the list of {image_field}s"
        answer = self._transport.json(self._ask(path, doing, None), doing)
        found = structure(self._converter, answer, WirePhotosAnswer, "Plex", doing).MediaContainer
        return tuple(
            Picture(one.ratingKey, one.selected) for one in (*found.Metadata, *found.Photo)
        )

    def choose_picture(self, rating_key: str, image_field: Field, key: str) -> None:
        """Show one of the pictures that an item has."""
        name = IMAGES[image_field][0].removesuffix("s")
        path = f"/library/metadata/{_opaque(rating_key)}/{name}?{urlencode({'url': key})}"
        self._send("PUT", path, f"the choice of a {image_field}")

    # -- sending --------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Send a write. Plex answers with an empty body; a page comes from something before it."""
        try:
            reply = self._transport.request(method, path, headers=headers, body=body, what=doing)
        except Refused as error:
            raise self._refused(error) from error
        if reply.body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise self._transport.stranger(reply, doing)

    def _ask(
        self, path: str, doing: str, headers: dict[str, str] | None, most_seconds: float = inf
    ) -> Reply:
        try:
            return self._transport.request(
                "GET", path, headers=headers, what=doing, most_seconds=most_seconds
            )
        except Refused as error:
            raise self._refused(error) from error

    def _get(
        self,
        path: str,
        doing: str,
        headers: dict[str, str] | None = None,
        *,
        most_seconds: float = inf,
    ) -> WireContainer:
        reply = self._ask(path, doing, headers, most_seconds)
        answer = self._transport.json(reply, doing)
        if not isinstance(answer.get("MediaContainer"), dict):
            raise self._transport.stranger(reply, doing)
        return structure(self._converter, answer, WireAnswer, "Plex", doing).MediaContainer


def _opaque(value: str) -> str:
    """Let only what looks like an id into a URL."""
    if not OPAQUE_ID.fullmatch(value):
        raise Transient("Plex", f"Plex sent an id that cannot be one: {value[:40]!r}.")
    return value
