"""The link to Stash: requests with a log-in that outlives its cookie, and GraphQL answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from stash2plex.errors import BUSY, SERVER, NotFound, Refused, Rejected, Transient, Unavailable
from stash2plex.servers.transport import JSON_LIMIT, Reply, Transport
from stash2plex.version import OLDEST_STASH


@frozen
class Answer:
    """The data of an answer, and the errors of those of its fields that failed alone, by name."""

    data: dict[str, Any]
    failed: Mapping[str, Transient] = Factory(dict)


class StashLink:
    """Sends requests to one Stash server. Safe to use from several threads.

    The cookie is used first: each answer renews it. While it works, the API key is read again with
    each look at the configuration. If one is refused, the other is tried. They are never sent
    together, because a stale key makes Stash refuse even a good cookie (stash.md §5.7).
    """

    def __init__(
        self, transport: Transport, *, api_key: str = "", cookie: tuple[str, str] | None = None
    ) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cookie = cookie
        self._by_key = cookie is None
        self._knows_keys = False

    @property
    def has_key(self) -> bool:
        """Whether an API key is known."""
        return bool(self._api_key)

    @property
    def knows_keys(self) -> bool:
        """Whether Stash has a password, so that a key can be made there."""
        return self._knows_keys

    def learn(self, api_key: str, *, knows_keys: bool) -> None:
        """Adopt the key that Stash has now; it is kept in memory only.

        `knows_keys` means that Stash has a password, so that a key can be created there.
        """
        self._api_key = api_key
        self._knows_keys = knows_keys

    def query(
        self,
        text: str,
        variables: Mapping[str, object] | None = None,
        *,
        most_seconds: float = math.inf,
    ) -> dict[str, Any]:
        """Send a GraphQL query and return the data of its answer.

        Waits up to `most_seconds`. Raises Refused, Unavailable, and Transient if Stash answers with
        an error.
        """
        answer = self.query_apart(text, variables, most_seconds=most_seconds)
        for error in answer.failed.values():
            raise error
        return answer.data

    def query_apart(
        self,
        text: str,
        variables: Mapping[str, object] | None = None,
        *,
        most_seconds: float = math.inf,
    ) -> Answer:
        """Do as `query`, but return a field that failed alone, as far as Stash answered others."""
        doing = text.split("{", maxsplit=1)[0].split("(", maxsplit=1)[0].strip()
        body = json.dumps({"query": text, "variables": variables or {}}).encode()
        try:
            reply = self.send(
                "POST",
                "/graphql",
                headers={"Content-Type": "application/json"},
                body=body,
                doing=doing,
                most_seconds=most_seconds,
            )
        except (NotFound, Rejected) as error:
            # Stash answers queries with 200, so this concerns the query or the address, not a
            # scene.
            oldest = ".".join(map(str, OLDEST_STASH))
            raise Unavailable(
                "Stash",
                f"{error.what} Is it really Stash, v{oldest} or newer?",
                scope=SERVER,
            ) from error
        answer = self._transport.json(reply, doing)
        failed = _read_errors(answer.get("errors"), doing)
        data = answer.get("data")
        if isinstance(data, dict) and "" not in failed:
            return Answer(data, failed)
        for failure in failed.values():
            raise failure
        raise self._transport.stranger(reply, doing)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        doing: str,
        body: bytes | None = None,
        limit: int = JSON_LIMIT,
        most_seconds: float = math.inf,
    ) -> Reply:
        """Send one request with the log-in that Stash accepts; `doing` is its name in messages.

        Reads at most `limit` bytes and waits up to `most_seconds`. Raises what the transport
        raises, and Refused with what to do if neither log-in is accepted.
        """
        retried = False
        while True:
            by_key = self._by_key
            try:
                reply = self._transport.request(
                    method,
                    path,
                    headers={**headers, **self._credentials(by_key=by_key)},
                    body=body,
                    limit=limit,
                    what=doing,
                    most_seconds=most_seconds,
                )
            except Refused as error:
                if not error.wants_login:
                    raise
                if retried or not self._switch(by_key=by_key):
                    raise self._explained(error) from error
                retried = True
                continue
            self._renew_cookie(reply)
            return reply

    def _credentials(self, *, by_key: bool) -> dict[str, str]:
        """Return the header of one of the two log-ins; none if there is neither."""
        if by_key:
            return {"ApiKey": self._api_key} if self._api_key else {}
        return {"Cookie": f"{self._cookie[0]}={self._cookie[1]}"} if self._cookie else {}

    def _switch(self, *, by_key: bool) -> bool:
        """Use the other log-in from now on; returns False if there is none.

        `by_key` is the one that was refused: another thread may have switched meanwhile.
        """
        if by_key != self._by_key:
            return True
        # Without a password Stash refuses a stale key too, but accepts a request without log-in.
        if not (self._api_key or (by_key and self._cookie)):
            return False
        self._by_key = not by_key
        return True

    def _explained(self, error: Refused) -> Refused:
        """Return a refused log-in with its cause or advice, by what the last good answer showed."""
        if self._api_key:
            return error.with_words(f"{error.what} {KEY_ENDED}")
        if self._knows_keys or not self._cookie:
            return error.with_words(error.what, LOGIN_FIX)
        return error.with_words(f"{error.what} {SESSION_ENDED}")

    def _renew_cookie(self, reply: Reply) -> None:
        if not self._cookie:
            return
        name, _, value = reply.headers.get("set-cookie", "").split(";")[0].partition("=")
        if name.strip() == self._cookie[0] and value:
            self._cookie = (self._cookie[0], value)


LOGIN_FIX = (
    "Make an API key in Stash under Settings > Security; Stash2Plex then finds it "
    "(on a command line: STASH2PLEX_STASH_API_KEY)."
)
KEY_ENDED = (
    "The API key is no longer the one that Stash had. The next save or task brings a fresh log-in "
    "(on a command line: STASH2PLEX_STASH_API_KEY)."
)
SESSION_ENDED = (
    "The log-in of this process has ended. The next save or task starts a new one; an API key "
    "(Settings > Security) does not expire."
)


def _read_errors(errors: Any, doing: str) -> dict[str, Transient]:
    """Return the errors of an answer by the field that each is about, "" for the whole answer.

    Raises Unavailable if the database is locked: that is about every field.
    """
    by_field: dict[str, Transient] = {}
    for error in errors if isinstance(errors, list) else filter(None, [errors]):
        message = str(error.get("message") if isinstance(error, dict) else error)[:300]
        if "database is locked" in message:
            raise Unavailable(
                "Stash",
                "Stash's database is locked by a scan or another task.",
                cause=BUSY,
                scope=SERVER,
            )
        path = error.get("path") if isinstance(error, dict) else None
        name = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else ""
        # A field that cannot be read now may be readable later: it is tried again.
        failure = Transient("Stash", f"Stash could not answer {doing}: “{message}”")
        by_field.setdefault(name, failure)
    return by_field
