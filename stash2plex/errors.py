"""Every error that Stash2Plex raises on purpose.

    Stash2PlexError                    exit code 1
    ├── UsageError                     2   a mode, an argument or an input that does not exist
    ├── ConfigError                    2   a setting that cannot be used
    ├── MissingPart                    2   Python itself lacks something
    ├── StoreError                     1   the data folder or the database
    │   ├── StoreUnavailable               missing, read-only, full or locked
    │   ├── StoreDamaged                   not a database any more
    │   └── StoreTooNew                    written by a newer version; left untouched
    ├── ServerError                    1   Stash or Plex answered, or did not (has `.server`)
    │   ├── Unavailable                3   no connection, time-out, 5xx, another program: wait
    │   ├── Refused                    2   401, 403, another server: the user must act
    │   ├── Transient                  1   an odd answer: try again with backoff
    │   │   ├── NotFound                   404: the item went away, look it up again
    │   │   └── TooLarge                   more bytes than we accept
    │   └── Rejected                   1   400 and the like: trying again will not help
    ├── NotInPlexYet                   1   no item for the scene: wait for Plex to scan
    ├── LibraryUnread                  1   no item in what Plex lists: wait for its other library
    ├── Ambiguous                      1   several items fit equally well
    ├── OnHold                         1   the user paused all sending, or has not started it yet
    ├── Interrupted                  130   the user stopped the command
    └── StashGone                      1   Stash has ended, so a task's output is no longer read

Each message states what happened and what to do. None ever holds a token.
"""

# `typing` costs a save 5 ms; type checkers accept any constant of this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

BUSY, SLOW, NO_TLS = "busy", "slow", "no_tls"
"""Causes of a server's failure: it is busy, it takes too long, it does not speak TLS."""

CLOSED, UNTRUSTED, LIMITED = "closed", "untrusted", "limited"
"""More causes: nothing listens at its address, its certificate is not accepted, it was asked too
often."""

FIELD, ITEM, ENDPOINT, LIBRARY, SERVER = "field", "item", "endpoint", "library", "server"
"""Scopes of a failure: how much of a server it is about."""


class Stash2PlexError(Exception):
    """Base of the tree. `reason` is the stable word for logs, counts and dead letters.

    `what` is what happened, `fix` what the user can do; None if the message has no advice.
    """

    exit_code = 1
    reason = "error"

    def __init__(self, what: str, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return self.what if self.fix is None else f"{self.what} {self.fix}"

    def with_words(self, what: str, fix: str | None = None) -> "Self":
        """Return an error of the same kind and with the same other fields, but another text."""
        other = type(self).__new__(type(self), what)
        vars(other).update(vars(self))
        other.what, other.fix = what, fix
        return other


def fault_sentence(error: Exception) -> str:
    """Return the message for an error outside this tree: it is a fault in our code."""
    return f"Stash2Plex has a fault ({type(error).__name__}); the log has the details."


class UsageError(Stash2PlexError):
    """The caller asked for something that does not exist."""

    exit_code = 2
    reason = "usage"


class ConfigError(Stash2PlexError):
    """A setting is missing or cannot be used."""

    exit_code = 2
    reason = "configuration"


class MissingPart(Stash2PlexError):
    """Python was built without a part of its own library that is needed."""

    exit_code = 2
    reason = "missing_part"


class StoreError(Stash2PlexError):
    """The data folder or the database cannot be used."""

    reason = "store"


class StoreUnavailable(StoreError):
    """The database cannot be opened or written now; its contents are safe."""

    reason = "store_unavailable"


class StoreDamaged(StoreError):
    """The file is not a readable database."""

    reason = "store_damaged"


class StoreTooNew(StoreError):
    """A newer version of Stash2Plex wrote the database."""

    reason = "store_too_new"


class ServerError(Stash2PlexError):
    """Something went wrong between us and one of the two servers.

    `server` is its name in messages. `cause` is one of the causes above if it is
    known. `scope` is how far the failure reaches, None if the answer alone does not show it.
    """

    reason = "server"

    def __init__(
        self,
        server: str,
        what: str,
        fix: str | None = None,
        *,
        cause: str | None = None,
        scope: str | None = None,
    ) -> None:
        super().__init__(what, fix)
        self.server = server
        self.cause = cause
        self.scope = scope


class Unavailable(ServerError):
    """The server is down, busy or starting. The breaker counts it.

    It costs an attempt only where its scope is a part, such as one item, that fails alone.
    `retry_after` is what the server asked for, in seconds, or None: then it speaks for all of
    itself.
    """

    exit_code = 3
    reason = "unavailable"

    def __init__(
        self,
        server: str,
        what: str,
        fix: str | None = None,
        *,
        cause: str | None = None,
        scope: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(server, what, fix, cause=cause, scope=SERVER if retry_after else scope)
        self.retry_after = retry_after


class Refused(ServerError):
    """The server does not let us in. Nothing is tried until the user has acted.

    `wants_login` means that the token, key or cookie is the reason.
    """

    exit_code = 2
    reason = "refused"

    def __init__(
        self,
        server: str,
        what: str,
        fix: str | None = None,
        *,
        cause: str | None = None,
        scope: str | None = None,
        wants_login: bool = False,
    ) -> None:
        super().__init__(server, what, fix, cause=cause, scope=scope)
        self.wants_login = wants_login


class Transient(ServerError):
    """An answer that makes no sense now but may later."""

    reason = "transient"


class NotFound(Transient):
    """The server no longer has what was asked for."""

    reason = "not_found"


class TooLarge(Transient):
    """The server sent more than we are willing to hold."""

    reason = "too_large"


class Rejected(ServerError):
    """The server understood the request and rejected it."""

    reason = "rejected"


class NotInPlexYet(Stash2PlexError):
    """Plex lists no file that fits the scene."""

    reason = "not_in_plex"


class LibraryUnread(Stash2PlexError):
    """The scene's file may be in a library whose list Plex does not give."""

    reason = "library"


class Ambiguous(Stash2PlexError):
    """More than one Plex item fits the scene at the best level."""

    reason = "ambiguous"


class OnHold(Stash2PlexError):
    """The user paused all sending, or the first run has not come to its start yet."""

    reason = "on_hold"


class Interrupted(Stash2PlexError):
    """The user pressed Ctrl-C, or the process was asked to end."""

    exit_code = 130
    reason = "interrupted"


class StashGone(Stash2PlexError):
    """Stash ended while it ran a task, so the task's output is no longer read."""

    reason = "stash_gone"

    def __init__(self) -> None:
        super().__init__("Stash has ended. What is queued is safe and is sent when Stash is back.")
