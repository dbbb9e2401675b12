"""What items held before the probe, kept in a file until all of it is restored."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from attrs import asdict, frozen

from stash2plex.errors import NotFound, ServerError, UsageError
from stash2plex.model import Field
from stash2plex.rules.spelling import text_spelling
from stash2plex.servers.plexraw import LISTS, TEXTS, PlexRaw, Row, locks, names
from stash2plex.store.stored_json import load_shape

ROUNDS = 4
"""Rounds of restoring: some servers remove only one name per request."""

REMOVALS_AT_ONCE = 40
"""Names per removal, so that no URL grows too long."""

DATE = "originallyAvailableAt"

LOCKED = (*TEXTS, *LISTS, "userRating", "thumb")
"""Fields whose locks the probe may move."""


@frozen
class Held:
    """What one item held. `lists` have each value with its role and photo, as in Plex."""

    key: str
    section_id: str
    texts: dict[str, str]
    rating: float | None
    lists: dict[str, list[dict[str, str]]]
    locked: list[str]
    poster: str = ""


@frozen
class Snapshot:
    """What all items of a probe held, and the server they belong to."""

    machine_id: str
    items: list[Held]


def take(client: PlexRaw, machine_id: str, keys: Sequence[str]) -> Snapshot:
    """Read what the items hold now."""
    return Snapshot(machine_id, [_held(client, key) for key in keys])


def _held(client: PlexRaw, key: str) -> Held:
    try:
        row = client.row(key)
    except NotFound as error:
        raise UsageError(f"Plex has no item {key}.") from error
    shown = [poster for poster, selected in client.posters(key) if selected]
    rating = row.get("userRating")
    return Held(
        key=key,
        section_id=str(row.get("librarySectionID", "")),
        texts={name: _text(row, name) for name in TEXTS},
        rating=None if rating is None else float(rating),
        lists={kind: [_tag(tag) for tag in row.get(LISTS[kind], [])] for kind in LISTS},
        locked=sorted(locks(row) & set(LOCKED)),
        poster=shown[0] if shown else "",
    )


def _text(row: Row, name: str) -> str:
    text = str(row.get(name, ""))
    # A time of day may follow (plex.md §3.4).
    return text[:10] if name == DATE else text


def _tag(tag: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(tag[name]) for name in ("tag", "role", "thumb") if tag.get(name)}


# -- the file -----------------------------------------------------------------------------


def save(snapshot: Snapshot, path: str) -> None:
    """Save a snapshot before anything is changed. Raises UsageError if one exists already."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"An earlier probe did not restore everything; “{path}” has the old values.",
            "Run “stash2plex probe-plex --restore” first.",
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(snapshot), file)
        file.flush()
        os.fsync(file.fileno())


def load(path: str) -> Snapshot:
    """Read the saved snapshot. Raises UsageError if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError as error:
        raise UsageError(f"There is nothing to restore: “{path}” does not exist.") from error
    snapshot = load_shape(text, Snapshot)
    if snapshot is None:
        raise UsageError(f"“{path}” cannot be read; it is left as it is.")
    return snapshot


# -- putting back -------------------------------------------------------------------------


def restore(client: PlexRaw, snapshot: Snapshot) -> list[str]:
    """Restore what the items held; returns what could not be restored, as “item 7: genre”.

    Safe to repeat. An item that is gone needs nothing restored.
    """
    left = []
    for held in snapshot.items:
        try:
            left += [f"item {held.key}: {name}" for name in _restore(client, held)]
        except NotFound:
            continue
    return left


def _restore(client: PlexRaw, held: Held) -> list[str]:
    for attempt in range(ROUNDS):
        row = client.row(held.key)
        wrong = _differing(row, held)
        if not wrong:
            break
        for kind in LISTS:
            if kind in wrong:
                _restore_list(client, held, row, kind)
        texts = [(f"{name}.value", held.texts[name]) for name in TEXTS if name in wrong]
        if attempt and DATE in wrong:
            texts = [(f"{DATE}.value", _aimed(held.texts[DATE], _text(row, DATE)))]
        if texts:
            client.edit(held.section_id, [held.key], texts)
        if "userRating" in wrong:
            client.rate(held.key, -1 if held.rating is None else held.rating)
            value = "" if held.rating is None else f"{held.rating:g}"
            client.edit(held.section_id, [held.key], [("userRating.value", value)])
    if held.poster and held.poster not in [key for key, shown in client.posters(held.key) if shown]:
        client.choose_poster(held.key, held.poster)
    locked = [(f"{name}.locked", str(int(name in held.locked))) for name in LOCKED]
    client.edit(held.section_id, [held.key], locked)
    return _differing(client.row(held.key), held)


def _differing(row: Row, held: Held) -> list[str]:
    rating = row.get("userRating")
    same_rating = (rating or 0.0) == (held.rating or 0.0)
    return [
        *(name for name in TEXTS if not _is_back(name, _text(row, name), held.texts[name])),
        *(
            kind
            for kind in LISTS
            if Counter(names(row, kind)) != Counter(tag["tag"] for tag in held.lists[kind])
        ),
        *([] if same_rating else ["userRating"]),
    ]


def _is_back(name: str, shown: str, before: str) -> bool:
    """Whether a text is as before, or differs only by the server's own spelling."""
    if shown == before:
        return True
    return name != DATE and text_spelling(Field.SUMMARY, before, shown) is not None


def _aimed(wanted: str, shown: str) -> str:
    """Return the date to send so that a server that shifts dates shows the wanted one."""
    try:
        aim, hit = date.fromisoformat(wanted), date.fromisoformat(shown)
        return (aim + (aim - hit)).isoformat()
    except (ValueError, OverflowError):
        return wanted


def _restore_list(client: PlexRaw, held: Held, row: Row, kind: str) -> None:
    there, before = Counter(names(row, kind)), Counter(tag["tag"] for tag in held.lists[kind])
    gone = [name for name, number in there.items() if number > before[name]]
    for start in range(0, len(gone), REMOVALS_AT_ONCE):
        take_away(client, held.section_id, [held.key], kind, gone[start : start + REMOVALS_AT_ONCE])
    if gone:
        row = client.row(held.key)
        still = [name for name in names(row, kind) if name not in before]
        for name in still:
            take_away(client, held.section_id, [held.key], kind, [name])
        row = client.row(held.key)
    missing = [tag for tag in held.lists[kind] if tag["tag"] not in names(row, kind)]
    if not missing:
        return
    client.edit(held.section_id, [held.key], _tags(kind, missing))
    if Counter(names(client.row(held.key), kind)) != before:
        # A server that replaces lists needs the whole list.
        client.edit(held.section_id, [held.key], _tags(kind, held.lists[kind]))


def _tags(kind: str, tags: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    parameters = []
    for number, tag in enumerate(tags):
        parameters.append((f"{kind}[{number}].tag.tag", tag["tag"]))
        if "role" in tag:
            parameters.append((f"{kind}[{number}].tagging.text", tag["role"]))
        if "thumb" in tag:
            parameters.append((f"{kind}[{number}].tag.thumb", tag["thumb"]))
    return parameters


def take_away(
    client: PlexRaw, section_id: str, keys: Sequence[str], kind: str, gone: Sequence[str]
) -> None:
    """Remove names from one list of these items, all in one request."""
    removed = ",".join(quote(name, safe="") for name in gone)
    client.edit(section_id, keys, [(f"{kind}[].tag.tag-", removed)])


def put_back(client: PlexRaw, path: str) -> list[str]:
    """Restore what a file holds, and delete the file once everything is as it was.

    Returns what is not. Raises UsageError if the file belongs to another server.
    """
    snapshot = load(path)
    if str(client.server().get("machineIdentifier", "")) != snapshot.machine_id:
        raise UsageError(
            f"“{path}” belongs to a different Plex server from the one at this address.",
            "Give that server's address with --plex-url.",
        )
    left = restore(client, snapshot)
    if not left:
        os.remove(path)
    return left


def try_to_put_back(client: PlexRaw, path: str) -> list[str]:
    """Restore as much as the server allows; otherwise the file stays."""
    try:
        return put_back(client, path)
    except ServerError as error:
        return [str(error)]
