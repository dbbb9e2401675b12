"""What needs the user, as cards with a cure: servers first, then their parts, then scenes."""

from __future__ import annotations

from typing import Any

from stash2plex.app import App
from stash2plex.operations.import_legacy import left_behind
from stash2plex.operations.reasons import reason_of
from stash2plex.start_trouble import read_trouble
from stash2plex.store.dead_letters import read_spans
from stash2plex.store.meta import HEALTH_AT, get_number
from stash2plex.store.notices import read_setting_trouble
from stash2plex.store.stored_page import read_sick
from stash2plex.text import utc

TRY_NOW, SIGN_IN, SETTINGS, RETRY, HEALTH = "try_now", "sign_in", "settings", "retry", "health"


def trouble_json(app: App) -> dict[str, Any]:
    """Return the cards, worst first, what version 1 left, and when Health Check was last run."""
    old = left_behind(app)
    health_at = get_number(app.store.connection, HEALTH_AT)
    return {
        "cards": [
            *_servers(app),
            *_worker(app),
            *_setting(app),
            *_parts(app),
            *_scenes(app),
        ],
        "legacy": None if old is None else {"folder": old[0], "jobs": old[1]},
        "health_at": None if health_at is None else utc(health_at),
    }


def _card(kind: str, name: str, what: str, do: str, action: str | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "what": what,
        "do": do,
        "since": None,
        "last_at": None,
        "number": None,
        "action": action,
        "setting": None,
    }


def _servers(app: App) -> list[dict[str, Any]]:
    cards = []
    for name, breaker in sorted(app.store.breakers.items()):
        state = breaker.read()
        if state.state == "closed":
            continue
        do = "What waits is sent once it works again."
        action = TRY_NOW
        if state.refused:
            do = "Sign in again." if name == "plex" else "Press any button of Stash2Plex in Stash."
            action = SIGN_IN if name == "plex" else HEALTH
        card = _card("server", name, state.reason, do, action)
        card.update(since=utc(state.since), number=app.store.queue.due_within(0.0))
        cards.append(card)
    return cards


def _worker(app: App) -> list[dict[str, Any]]:
    trouble = read_trouble(app.folder)
    return [] if trouble is None else [_card("worker", "", trouble.what, trouble.fix, HEALTH)]


def _setting(app: App) -> list[dict[str, Any]]:
    text = read_setting_trouble(app.store.connection)
    return [] if text is None else [_card("setting", "", text, "Correct it.", SETTINGS)]


def _parts(app: App) -> list[dict[str, Any]]:
    cards = []
    for part in read_sick(app.store.connection):
        action = SETTINGS if part["part"] == "field" else HEALTH
        card = _card(part["part"], part["name"], part["what"], part["do"], action)
        card.update(since=part["since"], number=part["scenes"])
        if part["part"] == "field":
            card["setting"] = "skip_fields"
        cards.append(card)
    return cards


def _scenes(app: App) -> list[dict[str, Any]]:
    cards = []
    for span in read_spans(app.store.connection):
        reason = reason_of(span.reason)
        what = reason.words[:1].upper() + reason.words[1:] + "."
        card = _card("scenes", span.reason, what, reason.fix, RETRY)
        card.update(since=utc(span.first_at), last_at=utc(span.last_at), number=span.number)
        cards.append(card)
    return cards
