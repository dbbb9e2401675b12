"""plex.tv's interface: the sign-in by a PIN, and the servers of a user (plex-2.md §2)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from attrs import Factory, frozen

from stash2plex.servers.client import Client
from stash2plex.servers.transport import Transport, decode
from stash2plex.servers.wire import make_converter, structure

PLEX_TV, PLEX_TV_URL = "plex.tv", "https://plex.tv"

AGREE_PAGE = "https://app.plex.tv/auth#?"
"""Where the user agrees in a browser."""

PRODUCT = "Stash2Plex"


@frozen
class Pin:
    """A PIN of the sign-in. `token` is empty until the user has agreed.

    `expires_at` is ISO 8601 as plex.tv gives it; empty if it gave none.
    """

    id: int
    code: str
    expires_at: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"<Pin {self.id}, {'agreed' if self.token else 'waiting'}>"


@frozen
class Address:
    """An address of a server. `relay` leads through plex.tv, `local` is in the server's network."""

    url: str
    local: bool
    relay: bool


@frozen
class Server:
    """A Plex server of the user. `owner` is the owner's name if that is another user."""

    machine_id: str
    name: str
    version: str
    owned: bool
    owner: str
    token: str
    addresses: tuple[Address, ...]

    def __repr__(self) -> str:
        return f"<Server {self.name!r}>"


@frozen
class _WirePin:
    id: int
    code: str
    expiresAt: str = ""  # noqa: N815
    authToken: str = ""  # noqa: N815


@frozen
class _WireConnection:
    uri: str = ""
    protocol: str = ""
    address: str = ""
    port: int = 0
    local: bool = False
    relay: bool = False
    IPv6: bool = False


@frozen
class _WireResource:
    name: str = ""
    provides: str = ""
    clientIdentifier: str = ""  # noqa: N815
    productVersion: str = ""  # noqa: N815
    sourceTitle: str = ""  # noqa: N815
    accessToken: str = ""  # noqa: N815
    owned: bool = False
    httpsRequired: bool = False  # noqa: N815
    connections: list[_WireConnection] = Factory(list)


class PlexTv(Client):
    """A client for plex.tv. Its answers hold tokens, so none is logged or stored."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._converter = make_converter(drops_null=True)

    def make_pin(self) -> Pin:
        """Make a PIN that the user can agree to."""
        doing = "a new sign-in"
        answer = self._ask("POST", "/api/v2/pins?strong=true", doing)
        return self._read_pin(answer, doing)

    def pin(self, id_: int) -> Pin:
        """Read a PIN; it holds the token once the user has agreed. Raises NotFound if it is gone.

        plex.tv gives it only to the client identifier that made it.
        """
        doing = "the sign-in"
        return self._read_pin(self._ask("GET", f"/api/v2/pins/{id_:d}", doing), doing)

    def servers(self) -> list[Server]:
        """List the servers of the user whose token this client has."""
        doing = "the list of servers"
        rows = self._ask("GET", "/api/v2/resources?includeHttps=1&includeRelay=1", doing)
        resources = structure(self._converter, rows, list[_WireResource], PLEX_TV, doing)
        return [
            Server(
                machine_id=row.clientIdentifier,
                name=row.name,
                version=row.productVersion,
                owned=row.owned,
                owner="" if row.owned else row.sourceTitle,
                token=row.accessToken,
                addresses=_addresses(row),
            )
            for row in resources
            if "server" in row.provides.split(",") and row.clientIdentifier
        ]

    def _read_pin(self, answer: Any, doing: str) -> Pin:
        wire = structure(self._converter, answer, _WirePin, PLEX_TV, doing)
        return Pin(wire.id, wire.code, wire.expiresAt, wire.authToken)

    def _ask(self, method: str, path: str, doing: str) -> Any:
        reply = self._transport.request(method, path, what=doing)
        try:
            return json.loads(decode(reply.body))
        except (ValueError, RecursionError) as error:
            raise self._transport.stranger(reply, doing) from error


def agree_address(client_id: str, code: str, forward: str = "") -> str:
    """Return the page on which the user agrees; it leads back to `forward` if that is given."""
    given = {
        "clientID": client_id,
        "code": code,
        "context[device][product]": PRODUCT,
        **({"forwardUrl": forward} if forward else {}),
    }
    return AGREE_PAGE + urlencode(given, quote_via=quote)


def _addresses(row: _WireResource) -> tuple[Address, ...]:
    """List a server's addresses. A local one may also be asked without TLS, by its number.

    The name below plex.direct is not known behind a router that protects against DNS rebinding.
    """
    addresses: dict[str, Address] = {}
    for connection in row.connections:
        if connection.uri:
            addresses[connection.uri] = Address(
                connection.uri.rstrip("/"), connection.local, connection.relay
            )
    for connection in row.connections:
        if (
            connection.local
            and not (row.httpsRequired or connection.IPv6)
            and connection.address
            and connection.port
        ):
            plain = f"http://{connection.address}:{connection.port}"
            addresses.setdefault(plain, Address(plain, local=True, relay=False))
    return tuple(addresses.values())
