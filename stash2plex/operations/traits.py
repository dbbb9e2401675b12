"""What was learnt of how the Plex server treats edits, in words and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stash2plex.model import Field
from stash2plex.rules.traits import Trait
from stash2plex.store.server_traits import KnownTrait
from stash2plex.text import utc


def traits_json(rows: Sequence[KnownTrait]) -> list[dict[str, Any]]:
    """Return traits as plain values, oldest first."""
    return [
        {"trait": str(row.trait), "field": row.field and str(row.field), "since": utc(row.since)}
        for row in rows
    ]


def traits_sentence(traits: Sequence[dict[str, Any]]) -> str | None:
    """Return in one sentence how the server treats edits; None where nothing is known.

    What it does not keep is left out: `lost_fields` has that.
    """
    fields: dict[Trait, list[str]] = {}
    for one in traits:
        if one["trait"] != Trait.LOSES:
            fields.setdefault(Trait(one["trait"]), []).append(one["field"] or "")
    parts = [" ".join((trait.words, ", ".join(names))).rstrip() for trait, names in fields.items()]
    return f"Of this server we learnt: {'; '.join(parts)}." if parts else None


def lost_fields(rows: Sequence[KnownTrait]) -> list[Field]:
    """List the fields that the server takes and does not keep."""
    return [row.field for row in rows if row.trait is Trait.LOSES and row.field]
