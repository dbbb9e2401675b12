"""Limits of what a server accepts and shows (plex-2.md §1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Limits:
    """Bounds; None is none.

    `roles` are the most of one item in any answer. `rows` are the most of a list page, whatever is
    asked for; without `total_size` a list does not give its total. More than `ids` items in one
    request, or an address of more than `url_bytes`, are refused with `ids_status` and `url_status`,
    0 being a closed connection. A connection without a request for `keep_alive` seconds is closed.
    `bad_value_status` answers an edit that is not understood: 400, on some servers 500.
    `chooses_none` is whether the choice of a picture can be taken back.
    """

    roles: int | None = 200
    rows: int | None = None
    total_size: bool = True
    ids: int | None = None
    ids_status: int = 400
    url_bytes: int | None = None
    url_status: int = 414
    keep_alive: float | None = 20.0
    bad_value_status: int = 400
    chooses_none: bool = True
