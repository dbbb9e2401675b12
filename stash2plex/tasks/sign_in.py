"""Operations that connect a Plex server. A token in their arguments is never in their answer."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.sign_in import begin_sign_in, poll_sign_in, take_server, try_by_hand
from stash2plex.tasks.task import Call

MAX_PIN = 2**53


def sign_in(call: Call) -> dict[str, Any]:
    """Make a PIN at plex.tv, and return where the user agrees."""
    return begin_sign_in(call.app, call.text("forward"))


def sign_in_poll(call: Call) -> dict[str, Any]:
    """Return whether the user has agreed; then the servers with their addresses."""
    return poll_sign_in(call.app, call.whole("id", 0, 1, MAX_PIN))


def choose_server(call: Call) -> dict[str, Any]:
    """Save address and token of a server."""
    pin_id = call.whole("id", 0, 1, MAX_PIN)
    return take_server(call.app, pin_id, call.text("machine_id"), call.text("url"))


def connect(call: Call) -> dict[str, Any]:
    """Try an address and a token that were typed."""
    return try_by_hand(call.app, call.text("url"), call.text("token", 4_000))
