"""HTTP for both servers: bounded, timed, never redirected. Every low-level error is mapped here."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import urllib3
from attrs import frozen
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from stash2plex.errors import (
    BUSY,
    CLOSED,
    LIMITED,
    NO_TLS,
    SERVER,
    SLOW,
    UNTRUSTED,
    NotFound,
    Refused,
    Rejected,
    ServerError,
    TooLarge,
    Transient,
    Unavailable,
)
from stash2plex.servers.trust import MODES, Trust, fingerprint_of, make_pool

JSON_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer that is JSON; a list page of 500 items is below one."""

CHUNK = 256 * 1024

NO_UTF_8 = re.compile("[\udc80-\udcff]")
"""What Python makes of single bytes that are not UTF-8."""

MAX_RETRY_AFTER = 300.0
"""Longest wait in seconds that a server may ask for: a request every five minutes is harmless."""


@frozen
class Reply:
    """A complete answer with a good status (2xx or 304). Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Connections to one server. Safe to use from several threads.

    `server` is the name in messages, `base_url` has no trailing slash. `headers` go with every
    request; tokens and keys are there and nowhere else. `login_page` is the path to which the
    server redirects a request that it does not let in, empty if it has none. `certificate` is a
    file of certificates that this server alone is trusted by, "" for none. Proxy variables in the
    environment are ignored: both servers are local (stash.md §5.7). `requests` counts what was
    sent, for reports; parallel threads may lose a count. `server_time` is the epoch time of the
    last answer by the server's own clock, None if it gave none.
    """

    def __init__(
        self,
        server: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        connect_timeout: float,
        read_timeout: float,
        tls_insecure: bool = False,
        certificate: str = "",
        login_page: str = "",
        connections: int = 8,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self.base_url = base_url
        self.requests = 0
        self._host = urlsplit(base_url).netloc
        self._login_page = login_page
        self._headers = dict(headers)
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._body_seconds = 4 * read_timeout
        self._monotonic = monotonic
        self.server_time: float | None = None
        if tls_insecure:
            # The user wants this for this one host; the warning would repeat at each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._connections = connections
        self._trust = None if tls_insecure else Trust(certificate)
        self._pool = self._make_pool()

    def _make_pool(self) -> urllib3.PoolManager:
        if self._trust is None:
            return make_pool(self._connections, cert_reqs="CERT_NONE", assert_hostname=False)
        return make_pool(self._connections, **self._trust.options())

    def close(self) -> None:
        """Close every connection."""
        self._pool.clear()

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = JSON_LIMIT,
        what: str = "",
        most_seconds: float = math.inf,
    ) -> Reply:
        """Send one request and read the whole answer, at most `limit` bytes of it.

        `path` is absolute and already encoded; `what` names the request in messages. Waits up to
        `most_seconds` for the answer to begin, and again for its end. Raises only errors of our
        tree.
        """
        doing = what or f"{method} {path.partition('?')[0]}"
        self.requests += 1
        try:
            response = self._open(
                method,
                self.base_url + path,
                headers={"Accept-Encoding": "gzip", **self._headers, **(headers or {})},
                body=body,
                timeout=urllib3.Timeout(
                    connect=min(self._connect_timeout, most_seconds),
                    read=min(self._read_timeout, most_seconds),
                ),
            )
        except (HTTPError, HTTPException, ImportError, OSError, ValueError) as error:
            raise self.map_error(error, doing) from error
        try:
            data = self._read(response, limit, doing, min(self._body_seconds, most_seconds))
        except (HTTPError, HTTPException, OSError) as error:
            response.close()
            raise self.map_error(error, doing) from error
        except ServerError:
            response.close()
            raise
        finally:
            response.release_conn()
        reply = Reply(
            response.status, {name.lower(): value for name, value in response.headers.items()}, data
        )
        self.server_time = _read_date(reply)
        self._check_status(reply, doing)
        return reply

    def _open(self, method: str, url: str, **request: Any) -> urllib3.HTTPResponse:
        """Send a request, in each way of trust that there is until the server is trusted.

        Raises what urllib3 raises.
        """
        for tries_left in reversed(range(len(MODES))):
            try:
                response = self._pool.request(
                    method, url, redirect=False, retries=False, preload_content=False, **request
                )
            except SSLError as error:
                if not (tries_left and self._try_other_trust(error)):
                    raise
            else:
                assert isinstance(response, urllib3.HTTPResponse)
                return response
        raise AssertionError("the last try raises or returns")  # pragma: no cover - as it says

    def _try_other_trust(self, error: SSLError) -> bool:
        """Go on to the next way of trust; returns whether there is one for this error."""
        if self._trust is None or _is_no_tls(error) or not self._trust.go_on():
            return False
        self._pool = self._make_pool()
        return True

    def _read(
        self, response: urllib3.HTTPResponse, limit: int, doing: str, seconds: float
    ) -> bytes:
        parts = []
        size = 0
        deadline = self._monotonic() + seconds
        # read1 returns what has arrived; `stream` would wait for a whole chunk, so a slow drip
        # would never meet the deadline.
        while part := response.read1(CHUNK, decode_content=True):
            size += len(part)
            if size > limit:
                raise TooLarge(
                    self.server,
                    f"{self.server} sent more than {limit // 1024} KiB for {doing}; "
                    "the answer was dropped.",
                )
            if self._monotonic() > deadline:
                raise Unavailable(
                    self.server,
                    f"{self.server} sends its answer to {doing} too slowly.",
                    cause=SLOW,
                )
            parts.append(part)
        return b"".join(parts)

    def map_error(self, error: Exception, doing: str) -> ServerError:
        """Map an error of the HTTP library to our tree, in words for the user."""
        if isinstance(error, MaxRetryError) and error.reason is not None:
            error = error.reason
        where = f"{self.server} at {self.base_url}"
        if isinstance(error, NameResolutionError):
            return Unavailable(
                self.server,
                f"{where} cannot be reached: the host name “{self._host}” is not known.",
                scope=SERVER,
            )
        if isinstance(error, (NewConnectionError, ProxyError)):
            return Unavailable(
                self.server,
                f"{where} refuses the connection. Is it running, is the port right?",
                cause=CLOSED,
                scope=SERVER,
            )
        if isinstance(error, ConnectTimeoutError):
            return Unavailable(
                self.server,
                f"{where} does not accept the connection in time.",
                cause=SLOW,
                scope=SERVER,
            )
        if isinstance(error, ReadTimeoutError):
            return Unavailable(self.server, f"{where} did not answer {doing} in time.", cause=SLOW)
        if isinstance(error, ImportError):
            # The HTTP library needs `ssl` at the first request to an https address.
            return Refused(
                self.server,
                f"{where} cannot be asked: the Python that runs here was built without ssl.",
                "Use the http address, or install a Python with ssl.",
                cause=NO_TLS,
            )
        if isinstance(error, SSLError):
            return self._untrusted(error, where)
        if isinstance(error, (ValueError, urllib3.exceptions.LocationValueError)):
            return Rejected(self.server, f"{doing} could not be sent to {where}.")
        return Unavailable(self.server, f"{where} broke the connection during {doing}.")

    def _untrusted(self, error: SSLError, where: str) -> Refused:
        if _is_no_tls(error):
            return Refused(
                self.server,
                f"{where} cannot be trusted: it speaks http, not https; change the address.",
                cause=NO_TLS,
            )
        path = self._trust.path if self._trust is not None else ""
        own = fingerprint_of(path) if path else ""
        words = f"it is not the one in “{path}”" if own else "its certificate is not accepted"
        return Refused(
            self.server,
            f"{where} cannot be trusted: {words}.",
            UNTRUSTED_FIXES.get(self.server),
            cause=UNTRUSTED,
        )

    def _check_status(self, reply: Reply, doing: str) -> None:
        status = reply.status
        if 200 <= status < 300 or status == 304:  # noqa: PLR2004 - HTTP's own numbers
            return
        message = f"{self.server} answered {doing} with {status}"
        if status in (401, 403):
            raise Refused(
                self.server,
                f"{message}: it does not accept our credentials.",
                wants_login=True,
            )
        if 300 <= status < 400:  # noqa: PLR2004 - HTTP's own number
            raise Refused(
                self.server,
                f"{message}, a redirect.",
                "Use the address that it really listens on.",
                wants_login=bool(self._login_page)
                and reply.headers.get("location", "").startswith(self._login_page),
            )
        if status == 404:  # noqa: PLR2004 - HTTP's own number
            raise NotFound(self.server, f"{message}: it no longer has that.")
        if status == 503 and (text := re.search(rb'status="([^"]{1,200})"', reply.body[:4096])):  # noqa: PLR2004 - HTTP's own number
            raise Unavailable(
                self.server,
                f"{self.server} is busy: {text[1].decode('utf-8', 'replace')}",
                cause=BUSY,
                retry_after=_retry_after(reply),
                scope=SERVER,
            )
        if status == 429 or status >= 500:  # noqa: PLR2004 - HTTP's own number
            raise Unavailable(
                self.server,
                f"{message}.",
                cause=LIMITED if status == 429 else None,  # noqa: PLR2004 - HTTP's own number
                retry_after=_retry_after(reply),
                scope=SERVER if status in (429, 503) else None,
            )
        if status in (408, 409, 425):
            raise Transient(self.server, f"{message}.")
        if status in (413, 414, 431):
            raise Rejected(
                self.server,
                f"{message}: it or a proxy in front of it accepts no request of this size.",
            )
        raise Rejected(self.server, f"{message}: it does not accept what was sent.")

    def json(self, reply: Reply, doing: str) -> dict[str, Any]:
        """Parse an answer that must be a JSON object.

        File names may be any bytes, and Plex passes them on as they are (plex-2.md §1, 13). Each
        byte that is not UTF-8 becomes U+FFFD, which is what Stash shows for it. Raises Unavailable
        if the answer is not an object: then a proxy or another program answers, whatever the scene.
        """
        try:
            answer = json.loads(decode(reply.body), strict=False)
        except (ValueError, RecursionError) as error:
            raise self.stranger(reply, doing) from error
        if not isinstance(answer, dict):
            raise self.stranger(reply, doing)
        return answer

    def stranger(self, reply: Reply, doing: str) -> Unavailable:
        """Return the error for an answer that the server itself would not give."""
        kind = reply.headers.get("content-type", "nothing").split(";")[0][:40]
        return Unavailable(
            self.server,
            f"{self.server} answered {doing} with something that is not its own JSON "
            f"({kind}, {len(reply.body)} bytes). Is {self.base_url} really {self.server}?",
        )


def decode(body: bytes) -> str:
    """Decode UTF-8; each other byte becomes one U+FFFD, as in Go and therefore in Stash."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return NO_UTF_8.sub("\ufffd", body.decode("utf-8-sig", "surrogateescape"))


UNTRUSTED_FIXES = {
    "Stash": (
        "Put the certificate that Stash uses beside its configuration, as stash.crt; on a command "
        "line name its file with --stash-certificate or STASH2PLEX_STASH_CERTIFICATE."
    ),
    "Plex": "Use the http address, the plex.direct name, or turn on TLS insecure.",
}


def _is_no_tls(error: SSLError) -> bool:
    """Whether the server answers in plain HTTP. urllib3 has OpenSSL's reasons only in its text."""
    text = str(error)
    return "WRONG_VERSION_NUMBER" in text or "record layer failure" in text


def _retry_after(reply: Reply) -> float | None:
    """Read `Retry-After` in seconds; the date form is not worth a parser here."""
    text = reply.headers.get("retry-after", "")
    return min(float(text), MAX_RETRY_AFTER) if re.fullmatch(r"\d{1,6}", text) else None


def _read_date(reply: Reply) -> float | None:
    """Read the `Date` header as epoch seconds."""
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
