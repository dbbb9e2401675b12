"""Plex's HTTP interface: the ten endpoints that Stash2Plex uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPMethod
from math import inf
from urllib.parse import quote, urlencode

from attrs import evolve, frozen

from stash2plex.errors import (
    NotFound,
    Refused,
    Rejected,
    ServerError,
    Transient,
)
from stash2plex.model import Change, Field, Image, Picture, PlexItem, Section
from stash2plex.servers.apart import BatchReader, ReadItems
from stash2plex.servers.client import Client
from stash2plex.servers.plexcollections import PlexCollection, list_collections
from stash2plex.servers.plexedit import IMAGES, fitting_edits
from stash2plex.servers.plexlists import LIST_PAGE, MOVIE, ListPage, PlexLists
from stash2plex.servers.plexlooks import POSTER_LIMIT, ItemLook, read_looks, read_poster
from stash2plex.servers.plexwire import (
    WireAnswer,
    WireContainer,
    WirePhotosAnswer,
    opaque,
    read_item,
    read_rows,
    read_sections,
    section_of,
)
from stash2plex.servers.transport import Reply, Transport
from stash2plex.servers.wire import make_converter, other_shape, structure
from stash2plex.version import VERSION

DETAILS = "item details"
"""How messages call a detail read."""

IDS_PER_READ = 200
"""How many items one detail read asks for; 240 are known to work (plex.md §2.3)."""

MAX_URL = 20_000
"""Bytes of the URL of an edit: Plex publishes no limit, 30,000 are known to fail (plex.md §3.1)."""

STRANGER = (
    "This Plex has no owner (it is unclaimed) and counts this machine as outside its network, "
    "so it accepts no request from here, whatever the token."
)
STRANGER_FIX = (
    "Claim it: open Plex on the machine that it runs on and sign in. Or name this machine's "
    "network in its setting allowedNetworks, such as 172.17.0.0/255.255.0.0."
)
"""A Plex in Docker treats every request through the gateway like this (plex-2.md §1, 8)."""

DETAIL_TRIM = (
    "skipRefresh=1&excludeElements=Chapter,Marker,Extras,Similar,Review,Rating,Country,Writer,"
    "Producer"
)
"""`skipRefresh` keeps a read from starting the analysis of the file (plex.md §0.1, 5)."""


@frozen
class ServerIdentity:
    """Which Plex server answers, its version, and its name if it gave that."""

    machine_id: str
    version: str
    name: str = ""


def plex_headers(token: str, client_id: str) -> dict[str, str]:
    """Return our identity, the same for every request: Plex shows each new one as a device.

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


class Plex(Client):
    """A client for one Plex Media Server."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._converter = make_converter(drops_null=True)
        self._lists = PlexLists(self._get, self._converter, self._paths_of)
        self._batches = BatchReader(self._read_batch)

    # -- server and libraries -------------------------------------------------------------

    def identity(self, most_seconds: float = inf) -> ServerIdentity:
        """Ask which server answers, which needs no token (plex.md §1.5).

        Waits up to `most_seconds` for the answer.
        """
        return self._identity_in(
            self._get("/identity", "the identity check", most_seconds=most_seconds)
        )

    def check_token(self, most_seconds: float = inf) -> ServerIdentity:
        """Ask which server answers, with the token. Raises Refused with what to do.

        Waits up to `most_seconds` for the answer.
        """
        try:
            container = self._get("/", "the token check", most_seconds=most_seconds)
        except Refused as error:
            if error.wants_login and self._has_no_owner(most_seconds):
                raise error.with_words(STRANGER, STRANGER_FIX) from error
            raise
        return self._identity_in(container)

    def _has_no_owner(self, most_seconds: float) -> bool:
        """Whether the server has no owner: then it checks addresses, not tokens."""
        try:
            container = self._get("/identity", "the identity check", most_seconds=most_seconds)
        except ServerError:
            return False
        return container.claimed is False and bool(container.machineIdentifier)

    def _identity_in(self, container: WireContainer) -> ServerIdentity:
        """Return which server answers. Raises Transient if it does not name itself."""
        if not container.machineIdentifier:
            raise Transient(
                "Plex", f"{self._transport.base_url} answers, but not as a Plex server."
            )
        return ServerIdentity(
            container.machineIdentifier, container.version, container.friendlyName
        )

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
        rows = read_sections(self._converter, container.Directory)
        return [
            Section(
                id=row.key,
                uuid=row.uuid,
                title=row.title,
                type=row.type,
                change_mark=f"{row.contentChangedAt}/{row.scannedAt}/{row.updatedAt}",
                locations=tuple(location.path for location in row.Location),
                refreshing=row.refreshing,
            )
            for row in rows
        ]

    def scan(self, section_id: str, folder: str) -> None:
        """Ask for a scan of a folder as Plex sees it; an empty one means the whole library.

        Plex answers at once and scans later; it ignores a folder that it cannot see (plex.md §6.1).
        """
        query = f"?path={quote(folder, safe='')}" if folder else ""
        path = f"/library/sections/{opaque(section_id)}/refresh{query}"
        self._send(HTTPMethod.POST, path, "the scan of a folder")

    def list_page(
        self,
        section_id: str,
        start: int,
        added_after: int | None = None,
        *,
        size: int = LIST_PAGE,
        most_seconds: float = inf,
    ) -> ListPage:
        """Read one page of a library's list, trimmed to what the path index needs.

        Waits up to `most_seconds` for the answer.
        """
        return self._lists.page(
            section_id, start, added_after, size=size, most_seconds=most_seconds
        )

    def list_files(self, section_id: str, added_after: int | None = None) -> Iterator[ListPage]:
        """Page through a library; an unreadable row does not affect the others."""
        return self._lists.files(section_id, added_after)

    def newest_update(self, section_id: str) -> int:
        """Return when an item was last edited, by Plex's clock; 0 in an empty library."""
        return self._lists.newest_update(section_id)

    def changed_since(self, section_id: str, time_name: str, after: int) -> Iterator[list[str]]:
        """Page through the items whose `updatedAt` or `lastRatedAt` is after a moment.

        An edit moves the first; giving stars moves only the second (plex.md §2.2, §3.8). Raises
        Transient if a row cannot be read: it may have changed.
        """
        return self._lists.changed_since(section_id, time_name, after)

    # -- items ----------------------------------------------------------------------------

    def items(self, rating_keys: list[str], witness: str = "") -> ReadItems:
        """Read items with all details, up to 200 a request; those that are gone are absent.

        An unreadable item does not affect the others; it is in `unreadable`. `witness` is another
        item that Plex should be able to show: it distinguishes a bad item from a server that is
        down.
        """
        items = ReadItems()
        for start in range(0, len(rating_keys), IDS_PER_READ):
            batch = [opaque(key) for key in rating_keys[start : start + IDS_PER_READ]]
            items.add(self._batches.rows(sorted(set(batch)), witness))
        return items

    def looks(self, rating_keys: list[str]) -> dict[str, ItemLook]:
        """Read by what the user tells items apart, up to 200; those that are gone are absent."""
        keys = ",".join(opaque(key) for key in rating_keys[:IDS_PER_READ])
        container = self._get(f"/library/metadata/{keys}?{DETAIL_TRIM}", DETAILS)
        return read_looks(self._converter, container.Metadata)

    def poster(self, thumb: str) -> str | None:
        """Return a small poster as a data: address; None if there is none."""
        return read_poster(
            lambda path: self._transport.request(
                "GET", path, limit=POSTER_LIMIT, what="a small poster"
            ),
            thumb,
        )

    def _paths_of(self, rating_key: str) -> Sequence[tuple[str, int | None]]:
        """Return paths and sizes of an item's files; none if it is gone or cannot be read."""
        item = self.items([rating_key]).get(rating_key)
        if item is None or item.trashed:
            return ()
        return tuple(zip(item.paths, item.sizes, strict=True))

    def _read_batch(self, keys: Sequence[str]) -> ReadItems:
        """Read items with one request. Raises NotFound if none of several exists."""
        try:
            container = self._get(f"/library/metadata/{','.join(keys)}?{DETAIL_TRIM}", DETAILS)
        except NotFound:
            if len(keys) > 1:
                raise
            return ReadItems()
        rows, odd = read_rows(self._converter, container.Metadata)
        # An item that was not asked for would be overwritten with another scene's data.
        items = ReadItems(
            {
                row.ratingKey: read_item(row, section_of(row, container))
                for row in rows
                if row.ratingKey in keys
            }
        )
        nameless = any(not row.rating_key for row in odd)
        if nameless and len(keys) > 1 and len(items) < len(keys):
            raise Transient("Plex", f"Plex answered {DETAILS} with an item that has no key.")
        lost = keys if nameless else [row.rating_key for row in odd]
        for key in lost:
            if key in keys and key not in items:
                items.unreadable[key] = Transient(
                    "Plex", f"Plex shows item {key} in a shape that Stash2Plex does not know."
                )
        return items

    def edit(self, section_id: str, rating_keys: list[str], change: Change) -> None:
        """Write one item, or the same change to up to 100, with one PUT.

        A change that is too long for one URL is sent field by field, and a long list of names to
        remove in several edits.

        The ids are always sent: without them Plex edits the whole library (plex.md §0.1, 3).
        """
        if not rating_keys:
            raise AssertionError("an edit of no item would be one of all")
        ids = ",".join(opaque(key) for key in rating_keys)
        start = f"/library/sections/{opaque(section_id)}/all?type={MOVIE}&id={ids}"
        for query in fitting_edits(change, MAX_URL - len(start)):
            self._send(HTTPMethod.PUT, start + query, "the edit")

    def confirm_lock(self, item: PlexItem, most_seconds: float = inf) -> None:
        """Set the lock of an item's title to what it already is: an edit that changes nothing.

        It shows whether Plex takes edits and whether the token may edit. Lock-only edits leave
        every value alone (plex.md §3.2). Waits at most `most_seconds` for the answer.
        """
        locked = int(Field.TITLE in item.locked)
        section, key = opaque(item.section_id), opaque(item.rating_key)
        self._send(
            HTTPMethod.PUT,
            f"/library/sections/{section}/all?type={MOVIE}&id={key}&title.locked={locked}",
            "an edit that changes nothing",
            most_seconds=most_seconds,
        )

    def clear_rating(self, rating_key: str) -> None:
        """Remove the rating, which Plex expresses as -1 (plex.md §3.5)."""
        self._rate(rating_key, "-1", "clearing the rating")

    def rate(self, rating_key: str, rating: float) -> None:
        """Give a rating of 0 to 10 as clients do: some keep none from an edit (plex.md §3.5)."""
        self._rate(rating_key, f"{rating:g}", "the rating")

    def _rate(self, rating_key: str, rating: str, doing: str) -> None:
        key = opaque(rating_key)
        query = {"identifier": "com.plexapp.plugins.library", "key": key, "rating": rating}
        self._send(HTTPMethod.PUT, f"/:/rate?{urlencode(query)}", doing)

    def upload(self, rating_key: str, image_field: Field, image: Image) -> None:
        """Send picture bytes. Plex stores them by their hash and selects them (plex.md §4.2)."""
        if image.data is None:
            raise Rejected("Plex", "There is no picture to send.")
        self._send(
            HTTPMethod.POST,
            f"/library/metadata/{opaque(rating_key)}/{IMAGES[image_field][0]}",
            f"the upload of a {image_field}",
            headers={"Content-Type": image.content_type},
            body=image.data,
        )

    def pictures(self, rating_key: str, image_field: Field) -> tuple[Picture, ...]:
        """List the pictures that an item can show (plex.md §4.1: two names of the element)."""
        path = f"/library/metadata/{opaque(rating_key)}/{IMAGES[image_field][0]}"
        doing = f"the list of {image_field}s"
        answer = self._transport.json(self._ask(path, doing, None), doing)
        container = structure(
            self._converter, answer, WirePhotosAnswer, "Plex", doing
        ).MediaContainer
        return tuple(
            Picture(picture.ratingKey, picture.selected)
            for picture in (*container.Metadata, *container.Photo)
        )

    def choose_picture(self, rating_key: str, image_field: Field, key: str) -> None:
        """Select one of the pictures that an item has."""
        name = IMAGES[image_field][0].removesuffix("s")
        path = f"/library/metadata/{opaque(rating_key)}/{name}?{urlencode({'url': key})}"
        self._send(HTTPMethod.PUT, path, f"the choice of a {image_field}")

    def choose_none(self, rating_key: str, image_field: Field) -> None:
        """Have an item show no chosen picture; Plex makes a frame of the video if it wants one.

        Raises NotFound where the server is older than 1.43 and cannot do that (plex.md §4.1). The
        address ends in the picture's name: without it, Plex would delete the video.
        """
        name = {Field.POSTER: "thumb", Field.BACKGROUND: "art"}[image_field]
        path = f"/library/metadata/{opaque(rating_key)}/{name}"
        self._send(HTTPMethod.DELETE, path, f"the removal of the choice of a {image_field}")

    # -- collections ----------------------------------------------------------------------

    def collections(self, section_id: str, most_seconds: float = inf) -> list[PlexCollection]:
        """List the collections of a library, waiting up to `most_seconds` for each page."""
        doing = "its collections"
        return list(
            list_collections(
                lambda path: self._get(path, doing, most_seconds=most_seconds),
                self._converter,
                section_id,
            )
        )

    def delete_collection(self, rating_key: str) -> None:
        """Delete a collection; its items stay."""
        path = f"/library/collections/{opaque(rating_key)}"
        self._send(HTTPMethod.DELETE, path, "the removal of a collection")

    # -- sending --------------------------------------------------------------------------

    def _send(
        self,
        method: HTTPMethod,
        path: str,
        doing: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        most_seconds: float = inf,
    ) -> None:
        """Send a write. Plex answers with an empty body; a web page comes from a proxy."""
        try:
            reply = self._transport.request(
                method, path, headers=headers, body=body, what=doing, most_seconds=most_seconds
            )
        except Refused as error:
            raise self._refused(error) from error
        if reply.body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise self._transport.stranger(reply, doing)

    def _ask(
        self, path: str, doing: str, headers: Mapping[str, str] | None, most_seconds: float = inf
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
        headers: Mapping[str, str] | None = None,
        *,
        most_seconds: float = inf,
    ) -> WireContainer:
        reply = self._ask(path, doing, headers, most_seconds)
        answer = self._transport.json(reply, doing)
        if not isinstance(answer.get("MediaContainer"), dict):
            raise self._transport.stranger(reply, doing)
        container = structure(self._converter, answer, WireAnswer, "Plex", doing).MediaContainer
        if not all(isinstance(rows, list) for rows in (container.Metadata, container.Directory)):
            raise other_shape("Plex", doing)
        total = reply.headers.get("x-plex-container-total-size", "")
        if container.totalSize is None and total.isascii() and total.isdigit():
            return evolve(container, totalSize=int(total[:18]))
        return container
