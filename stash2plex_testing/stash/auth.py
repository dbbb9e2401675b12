"""Authentication: credentials, API key, signed session cookies (stash.md §5.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

COOKIE_NAME = "session"
OPEN_PATHS = ("/login", "/logout", "/css", "/assets", "/healthz")
"""Paths that need no login (stash.md §1.7, §5)."""

TRIPPED = (
    "Stash is exposed to the public internet without authentication, and is not serving any more "
    "content to protect your privacy. More information and fixes are available at "
    "https://discourse.stashapp.cc/t/-/1658\n"
)
TRIPPING = (
    "You have attempted to access Stash over the internet, and authentication is not enabled. "
    "This is extremely dangerous! The whole world can see your your stash page and browse your "
    "files! Stash is not answering any other requests to protect your privacy. Please read the "
    "log entry or visit https://discourse.stashapp.cc/t/-/1658\n"
)
"""Stash's own words for the request that trips the guard, and for those after it."""

Visited = tuple[tuple[str, str], ...]
"""The (plugin id, trigger) pairs that led to a request (stash.md §3.6)."""


@dataclass(frozen=True)
class Session:
    """What a valid cookie contains."""

    user: str
    visited: Visited = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go on. `status` is 200, 302, 401 or 403."""

    status: int
    session: Session
    refreshed: str = ""
    """The cookie's new value, where the request came with a valid one."""
    reason: str = ""
    """The text of the answer, for 403."""


class Sessions:
    """Makes and reads cookies, and decides about requests.

    Stateless like Stash's: a cookie is a signed, timestamped value, so it survives a restart of
    the server as long as the key stays.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        username: str | None,
        password: str | None,
        api_key: str,
        max_age: float,
    ) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self.username = username or ""
        self.password = password or ""
        self.api_key = api_key
        self.max_age = max_age
        self.tripwire = ""
        """The address that tripped the public-access guard; every request gets 403 then."""

    @property
    def has_credentials(self) -> bool:
        """Whether a log-in is needed."""
        return bool(self.username and self.password)

    def expire(self) -> None:
        """Invalidate every cookie made so far, as time would."""
        self._secret = secrets.token_bytes(32)

    def new_api_key(self, *, clear: bool = False) -> str:
        """Replace the API key; empty if there is no username (stash.md §5.7)."""
        parts = ['{"alg":"HS256","typ":"JWT"}', json.dumps({"uid": self.username})]
        encoded = [_encode(part.encode()) for part in parts]
        token = ".".join([*encoded, secrets.token_urlsafe(24)])
        self.api_key = "" if clear or not self.username else token
        return self.api_key

    def seal(self, session: Session) -> str:
        """Make a cookie value, valid from now on for `max_age` seconds."""
        payload = {"t": self._clock(), "u": session.user, "v": session.visited}
        data = json.dumps(payload).encode()
        return f"{_encode(data)}.{_encode(self._sign(data))}"

    def unseal(self, value: str) -> Session | None:
        """Read a cookie value; None if it is not ours or too old."""
        text, _, signature = value.partition(".")
        try:
            data = base64.urlsafe_b64decode(text + "==")
            signed = base64.urlsafe_b64decode(signature + "==")
        except ValueError:
            return None
        if not hmac.compare_digest(signed, self._sign(data)):
            return None
        payload = json.loads(data)
        if self._clock() - payload["t"] > self.max_age:
            return None
        return Session(payload["u"], tuple((plugin, hook) for plugin, hook in payload["v"]))

    def judge(
        self, path: str, *, api_key: str, cookie: str, client: str, forwarded: str
    ) -> Verdict:
        """Decide about a request.

        `api_key` is from header or query, `cookie` the Cookie header, `client` the peer's address,
        `forwarded` the X-Forwarded-For header.
        """
        session, refreshed = self._from_cookie(cookie)
        if api_key:
            # A key decides alone: a valid cookie does not help with a wrong key (§5.7).
            if api_key != self.api_key:
                return Verdict(401, session)
            return Verdict(200, Session(self.username, session.visited))
        if not self.has_credentials:
            if self.tripwire:
                return Verdict(403, session, reason=TRIPPED)
            if self._trips(client, forwarded):
                return Verdict(403, session, reason=TRIPPING)
            return Verdict(200, session, refreshed)
        if session.user or path.startswith(OPEN_PATHS):
            return Verdict(200, session, refreshed)
        last = urlsplit(path).path.rpartition("/")[2]
        extension = last.rpartition(".")[1:]
        if path == "/graphql" or (extension[0] and extension[1] != "html"):
            return Verdict(401, session)
        return Verdict(302, session)

    def _from_cookie(self, header: str) -> tuple[Session, str]:
        try:
            morsel = SimpleCookie(header).get(COOKIE_NAME)
        except CookieError:
            morsel = None
        session = self.unseal(morsel.value) if morsel else None
        return (session, self.seal(session)) if session else (Session(""), "")

    def _trips(self, client: str, forwarded: str) -> bool:
        for text in [client, *(part.strip() for part in forwarded.split(",") if part.strip())]:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue
            if address.is_global and address not in ipaddress.ip_network("100.64.0.0/10"):
                self.tripwire = text
        return bool(self.tripwire)

    def _sign(self, data: bytes) -> bytes:
        return hmac.new(self._secret, data, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
