"""Plex's libraries as the page lets the user pick them."""

from __future__ import annotations

from typing import Any

from stash2plex.app import App
from stash2plex.db import get_meta
from stash2plex.errors import ConfigError, ServerError
from stash2plex.model import Section
from stash2plex.rules.libraries import choose_sections
from stash2plex.servers.plex import Plex
from stash2plex.store.meta import PLEX_SEEN
from stash2plex.store.servers_seen import keep_plex_seen

ANSWER_SECONDS = 10.0
"""How long the page waits for Plex."""

COUNTED = 20
"""How many libraries are asked how many items they hold."""

USABLE = "movie"
"""The type of the libraries that can be used."""

UNUSABLE = {
    "show": "TV shows cannot hold single scenes.",
    "artist": "Music cannot hold scenes.",
    "photo": "Photos cannot hold scenes.",
}


def libraries_json(app: App) -> dict[str, Any]:
    """Ask Plex for its libraries. Raises what the client raises, and ConfigError without a Plex."""
    settings = app.settings()
    settings.require_plex()
    plex = app.make_plex(settings, most_seconds=ANSWER_SECONDS)
    try:
        _keep_first_answer(app, plex)
        sections = plex.sections()
        try:
            chosen = {section.id for section in choose_sections(sections, settings.plex_library)}
        except ConfigError:
            chosen = set()
        usable = [section for section in sections if section.type == USABLE]
        items = {section.id: _items(plex, section) for section in usable[:COUNTED]}
    finally:
        plex.close()
    return {
        "libraries": [
            {
                "id": section.id,
                "title": section.title,
                "type": section.type,
                "items": items.get(section.id),
                "usable": section.type == USABLE,
                "chosen": section.id in chosen,
                "why": _why(section),
                "locations": list(section.locations),
            }
            for section in sections
        ]
    }


def _keep_first_answer(app: App, plex: Plex) -> None:
    """Keep who Plex is, if that is not known: in the first run no worker has asked it yet."""
    if get_meta(app.store.connection, PLEX_SEEN) is None:
        began = app.monotonic()
        identity = plex.check_token()
        ms = round((app.monotonic() - began) * 1000.0, 1)
        keep_plex_seen(app.store.connection, identity, app.clock(), ms)


def _why(section: Section) -> str | None:
    if section.type == USABLE:
        return None
    return UNUSABLE.get(section.type, f"A library of the type {section.type} cannot hold scenes.")


def _items(plex: Plex, section: Section) -> int | None:
    """Count the items of a library; None if it does not answer."""
    try:
        return plex.list_page(section.id, 0, size=1).total
    except ServerError:
        return None
