"""Describes what is known about how the Plex server treats edits."""

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
    """Return a sentence about how the server treats edits; None if nothing is known.

    The fields that it does not keep are left out: `lost_fields` lists them.
    """
    fields: dict[Trait, list[str]] = {}
    for row in traits:
        if row["trait"] != Trait.LOSES:
            fields.setdefault(Trait(row["trait"]), []).append(row["field"] or "")
    parts = [" ".join((trait.words, ", ".join(names))).rstrip() for trait, names in fields.items()]
    return f"Known about this Plex server: {'; '.join(parts)}." if parts else None


def lost_fields(rows: Sequence[KnownTrait]) -> list[Field]:
    """List the fields that the server accepts but does not keep."""
    return [row.field for row in rows if row.trait is Trait.LOSES and row.field]
