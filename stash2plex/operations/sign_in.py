"""Signing in to Plex: the PIN at plex.tv, the servers, and how each address answers from here.

The token is never stored and never in an answer. Whoever needs it asks plex.tv for the PIN again:
it is given only to the client identifier of this data folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attrs import evolve, frozen

from stash2plex.app import App
from stash2plex.config import SPECS, Settings
from stash2plex.errors import (
    CLOSED,
    LIMITED,
    NO_TLS,
    SLOW,
    UNTRUSTED,
    ConfigError,
    NotFound,
    Refused,
    ServerError,
    Unavailable,
)
from stash2plex.model import Clock
from stash2plex.operations.settings import save_values
from stash2plex.servers.plex import Plex, ServerIdentity
from stash2plex.servers.plextv import Address, Server, agree_address
from stash2plex.store.identity import client_id
from stash2plex.store.servers_seen import keep_plex_seen
from stash2plex.text import moment, utc

TRY_SECONDS = 3.0
"""Seconds that an address may take to answer."""

MAX_ADDRESSES = 24
"""How many addresses of one server are tried."""

POLL_SECONDS = 2.0
"""Seconds between two looks at whether the user has agreed."""

ANSWERED = "answered"
UNREACHED = (
    "No address of this server answers from where Stash runs. If Stash runs in a container, use an "
    "address of the Plex machine in your network, such as http://192.168.1.20:32400, and not "
    "localhost."
)


@frozen
class Tried:
    """How an address answered. `ms` is how long that took, None if it did not answer.

    `identity` is the server that was asked for; None if that does not answer there.
    """

    url: str
    local: bool
    relay: bool
    state: str
    ms: float | None
    words: str
    identity: ServerIdentity | None = None

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """Its place among those that answered: local, direct, safe and fast ones first."""
        return (self.relay, not self.local, not self.url.startswith("https"), self.ms or 0.0)

    def as_json(self) -> dict[str, Any]:
        """Return it as the page shows it."""
        return {
            "url": self.url,
            "local": self.local,
            "relay": self.relay,
            "state": self.state,
            "ms": self.ms,
            "words": self.words,
        }


def begin_sign_in(app: App, forward: str) -> dict[str, Any]:
    """Make a PIN at plex.tv. Raises what the client raises."""
    plex_tv = app.make_plex_tv()
    try:
        pin = plex_tv.make_pin()
    finally:
        plex_tv.close()
    return {
        "id": pin.id,
        "code": pin.code,
        "address": agree_address(client_id(app.store.connection), pin.code, forward),
        "expires_at": _time(pin.expires_at) or utc(app.clock() + 900.0),
        "poll_s": POLL_SECONDS,
    }


def poll_sign_in(app: App, pin_id: int) -> dict[str, Any]:
    """Return whether the user has agreed; then the servers, each address tried from here."""
    try:
        token, expires_at = _read_token(app, pin_id)
        servers = _read_servers(app, token) if token else []
    except ServerError as error:
        return _poll_json(*_failure(error))
    if token:
        return _poll_json("agreed", None, servers=[_server_json(app, server) for server in servers])
    if expires_at and moment(expires_at) <= app.clock():
        return _poll_json("expired", "The code has expired. Sign in again.")
    return _poll_json("waiting", None, expires_at=expires_at)


def take_server(app: App, pin_id: int, machine_id: str, url: str) -> dict[str, Any]:
    """Save address and token of one of the user's servers, if it answers there.

    Raises ConfigError if it does not, and what the clients raise.
    """
    token, _ = _read_token(app, pin_id)
    if not token:
        raise ConfigError("You have not agreed at plex.tv yet.", "Sign in again.")
    server = next(
        (server for server in _read_servers(app, token) if server.machine_id == machine_id), None
    )
    if server is None:
        raise ConfigError("This server is not among yours at plex.tv.", "Choose another one.")
    address = _check_url(url)
    tried = try_address(app, Address(address, local=True, relay=False), server.token, machine_id)
    if tried.identity is None:
        raise ConfigError(tried.words, "Choose another address.")
    saved = save_values(app, {"plex_url": address, "plex_token": server.token})
    keep_plex_seen(app.store.connection, tried.identity, app.clock(), tried.ms)
    return {"saved": saved["saved"], "name": server.name, "url": address}


def try_by_hand(app: App, url: str, token: str) -> dict[str, Any]:
    """Try an address and a token that were typed; saves nothing.

    Without a token the stored one is used, but only for the address that it is stored with.
    """
    address = _check_url(url)
    if not token:
        stored = app.settings()
        if stored.plex_url != address or not stored.plex_token:
            raise ConfigError("Enter a token for this address.", "Or sign in with Plex.")
        token = stored.plex_token
    tried = try_address(app, Address(address, local=True, relay=False), _check_token(token))
    known = tried.identity
    return {
        "address": tried.as_json(),
        "name": (known.name if known else "") or None,
        "version": (known.version if known else "") or None,
        "machine_id": known.machine_id if known else None,
    }


def try_address(app: App, address: Address, token: str, machine_id: str = "") -> Tried:
    """Ask an address who it is, with a token. If it is not `machine_id`, it is another server."""
    return _try(app.monotonic, _client(app, address, token), address, machine_id)


def _client(app: App, address: Address, token: str) -> Plex:
    settings = evolve(Settings(), plex_url=address.url, plex_token=token)
    return app.make_plex(settings, most_seconds=TRY_SECONDS)


def _try(monotonic: Clock, plex: Plex, address: Address, machine_id: str) -> Tried:
    """Ask a server who it is; this may run in a thread, so it uses no database."""
    began = monotonic()
    try:
        identity = plex.check_token(TRY_SECONDS)
    except ServerError as error:
        return Tried(*_of(address), state_of(error), None, error.what)
    finally:
        plex.close()
    ms = round((monotonic() - began) * 1000.0, 1)
    if machine_id and identity.machine_id != machine_id:
        return Tried(*_of(address), "other_server", ms, "A different Plex server answers there.")
    return Tried(*_of(address), ANSWERED, ms, f"It answers in {ms:g} ms.", identity)


def state_of(error: ServerError) -> str:
    """Return the word for how an address failed."""
    if isinstance(error, Refused) and error.wants_login:
        return "token_refused"
    known = {UNTRUSTED: "certificate", NO_TLS: "not_plex", CLOSED: "refused", SLOW: "timeout"}
    if error.cause in known:
        return known[error.cause]
    return "unreachable" if isinstance(error, Unavailable) and error.scope else "not_plex"


def _of(address: Address) -> tuple[str, bool, bool]:
    return address.url, address.local, address.relay


def _read_token(app: App, pin_id: int) -> tuple[str, str | None]:
    """Return the user's token, empty before the user has agreed, and when the PIN expires."""
    plex_tv = app.make_plex_tv()
    try:
        pin = plex_tv.pin(pin_id)
    finally:
        plex_tv.close()
    return pin.token, _time(pin.expires_at)


def _read_servers(app: App, token: str) -> list[Server]:
    plex_tv = app.make_plex_tv(token)
    try:
        return plex_tv.servers()
    finally:
        plex_tv.close()


def _failure(error: ServerError) -> tuple[str, str]:
    """Return the word and the sentence for what plex.tv answered."""
    if isinstance(error, NotFound):
        return "expired", "The code has expired. Sign in again."
    if isinstance(error, Refused):
        return "refused", f"plex.tv does not accept the sign-in. {error.what}"
    if error.cause == LIMITED:
        return "limited", "plex.tv asks to wait a little."
    return "unreachable", f"plex.tv cannot be asked from where Stash runs. {error.what}"


def _poll_json(
    state: str,
    words: str | None,
    *,
    expires_at: str | None = None,
    servers: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "state": state,
        "words": words,
        "retry_s": POLL_SECONDS * (5 if state in ("limited", "unreachable") else 1),
        "expires_at": expires_at,
        "servers": list(servers),
    }


def _server_json(app: App, server: Server) -> dict[str, Any]:
    addresses = server.addresses[:MAX_ADDRESSES]
    clients = [_client(app, address, server.token) for address in addresses]
    with ThreadPoolExecutor(max(1, len(addresses))) as pool:
        asked = [
            pool.submit(_try, app.monotonic, client, address, server.machine_id)
            for client, address in zip(clients, addresses, strict=True)
        ]
        tried = [attempt.result() for attempt in asked]
    good = sorted(
        (attempt for attempt in tried if attempt.state == ANSWERED),
        key=lambda attempt: attempt.rank,
    )
    return {
        "machine_id": server.machine_id,
        "name": server.name,
        "owner": server.owner or None,
        "owned": server.owned,
        "version": server.version or None,
        "addresses": [attempt.as_json() for attempt in tried],
        "best": good[0].url if good else None,
        "advice": None if good else UNREACHED,
    }


def _check_url(url: str) -> str:
    return str(_parsed("plex_url", url))


def _check_token(token: str) -> str:
    return str(_parsed("plex_token", token))


def _parsed(key: str, value: str) -> object:
    """Parse a setting. Raises ConfigError without the value, which may be a token."""
    spec = next(spec for spec in SPECS if spec.key == key)
    try:
        return spec.parse(value)
    except ValueError:
        raise ConfigError(f"{spec.label} cannot be used.", f"Allowed: {spec.allowed}.") from None


def _time(text: str) -> str | None:
    """Return a time of plex.tv as ours; None if it cannot be read."""
    try:
        return utc(moment(text))
    except (ValueError, OverflowError, OSError):
        return None
