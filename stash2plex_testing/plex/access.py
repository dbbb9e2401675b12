"""Access: tokens, a server without an owner, and which part of a path is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stash2plex_testing.plex.exchange import Answer, Request, error

OPEN_PATHS = ("/identity", "/web")

Sight = Literal["paths", "names", "nothing"]
"""Which part of a file's path a user sees: the whole, the name alone, or nothing."""


@dataclass
class Access:
    """The tokens of a server.

    `viewer_token` may read but not edit, as that of a shared user (plex.md §1.3). `sight` is what a
    token sees of files, "paths" if it is not named (plex-2.md §1, 16). `claim` is "claimed",
    "unclaimed" for a server without an owner that asks its own network for no token, or "stranger"
    for one that counts us as outside its network and refuses all but `/identity` (plex-2.md §1,
    8).
    """

    token: str
    viewer_token: str = "viewer-token"
    sight: dict[str, Sight] = field(default_factory=dict)
    claim: Literal["claimed", "unclaimed", "stranger"] = "claimed"


def refusal(access: Access, request: Request) -> Answer | None:
    """Return the answer to a request that is not allowed; None if it is."""
    if request.path in OPEN_PATHS or access.claim == "unclaimed":
        return None
    if access.claim == "stranger":
        return error(401, "Unauthorized")
    if request.path.endswith(("/thumb", "/art")):
        return None
    if request.token not in (access.token, access.viewer_token):
        return error(401, "Unauthorized")
    if request.token == access.viewer_token and request.method != "GET":
        return error(403, "Forbidden")
    return None


def sight_of(access: Access, request: Request) -> Sight:
    """Return what the sender of a request sees of files."""
    return access.sight.get(request.token, "paths")
