"""Pure: works out what Plex should hold for a scene, and a fingerprint of it."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from datetime import date
from urllib.parse import quote

from attrs import evolve, frozen

from stash2plex.config import Settings
from stash2plex.model import (
    IMAGE_FIELDS,
    LIST_FIELDS,
    TEXT_FIELDS,
    Desired,
    Entity,
    Field,
    Scene,
)
from stash2plex.rules.scene_states import EXCLUDED, NO_METADATA, NOT_ORGANIZED, UNDONE
from stash2plex.rules.spelling import once
from stash2plex.text import LogLine, Private

RULES = 1
"""Version of the rules below. After a change of it, every scene is compared again."""

SUMMARY_LIMIT = 10_000
NAME_LIMIT = 255
"""Characters. Plex publishes no limits; an edit travels in a URL (plex.md §3.1, §3.6)."""

ENCODED_LIMIT = 16_000
"""Bytes of one value or list in the URL. A Japanese character takes nine; 10,000 characters of
English fit. 30,000 bytes of ids are known to fail (plex.md §3.1)."""

MAX_PERFORMERS = 200
"""Plex shows no more of one item in any answer (plex-2.md §1, 4): more can never be compared."""

PARAMETER_BYTES = 26
"""Bytes in the URL around each name in a list."""

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold; Plex's clients read XML (plex.md §11, 11)."""


def reason_to_skip(scene: Scene, settings: Settings) -> str | None:
    """Return why the settings leave a scene out; None if they do not."""
    if settings.only_organized and not scene.organized:
        return "it is not organized (Only organized is on)"
    tag = excluding_tag(scene, settings)
    return None if tag is None else f"it has the tag “{tag.name}” (Exclude tags)"


@frozen
class LeftOut:
    """Why a scene is left out, in words for the log, and its standing by `rules.scene_states`."""

    why: str
    standing: str


def why_left_out(
    scene: Scene, settings: Settings, desired: Desired, *, is_undone: bool
) -> LeftOut | None:
    """Return why a scene is left out; None for any other. `is_undone`: the user had it put back."""
    if is_undone:
        return LeftOut("it was put back; “sync” takes it in again", UNDONE)
    why = reason_to_skip(scene, settings)
    if why:
        is_raw = settings.only_organized and not scene.organized
        return LeftOut(why, NOT_ORGANIZED if is_raw else EXCLUDED)
    return LeftOut("it has no metadata yet", NO_METADATA) if desired.empty else None


def excluding_tag(scene: Scene, settings: Settings) -> Entity | None:
    """Return the first tag of a scene that keeps it out of Plex."""
    excluded = settings.exclude_tags
    return next(
        (tag for tag in scene.tags if excluded.means(tag.id, (tag.name, *tag.aliases))), None
    )


def desired_state(scene: Scene, settings: Settings) -> Desired:
    """Work out what Plex should hold for a scene under these settings."""
    texts = {
        Field.TITLE: clean_line(scene.title, NAME_LIMIT),
        Field.SUMMARY: _fitting(clean_text(scene.details, SUMMARY_LIMIT)),
        Field.STUDIO: clean_line(scene.studio.name, NAME_LIMIT) if scene.studio else "",
        Field.TAGLINE: clean_line(scene.code, NAME_LIMIT),
        Field.DATE: complete_date(scene.date),
    }
    studio = texts[Field.STUDIO]
    lists = {
        Field.PERFORMERS: performer_names(scene)[:MAX_PERFORMERS],
        Field.TAGS: tag_names(scene, settings),
        Field.DIRECTOR: _unique([scene.director]),
        Field.COLLECTION: (studio,) if studio else (),
    }
    rating = _stars(scene.rating100)
    empty = not (any(texts.values()) or any(lists.values()) or rating)
    skipped = settings.skip_fields
    lists = {name: _fitting_names(names) for name, names in lists.items()}
    texts = {name: texts[name] for name in TEXT_FIELDS if name not in skipped}
    lists = {name: lists[name] for name in LIST_FIELDS if name not in skipped}
    images = frozenset(name for name in IMAGE_FIELDS if name not in skipped)
    rates = Field.RATING not in skipped
    stem = (
        re.sub(r"\.[^.]{1,5}$", "", re.split(r"[\\/]", scene.files[0].path)[-1])
        if scene.files
        else ""
    )
    canonical = json.dumps(
        [RULES, texts, lists, sorted(images), rates, rating if rates else None],
        sort_keys=True,
        ensure_ascii=True,
    )
    return Desired(
        texts=texts,
        lists=lists,
        images=images,
        rates=rates,
        rating=rating,
        fallback_title=clean_line(stem, NAME_LIMIT),
        empty=empty,
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
        preserves=settings.preserve_plex_edits,
    )


def without_fields(desired: Desired, fields: frozenset[Field]) -> Desired:
    """Return a wanted state without some fields, which are left alone then."""
    if not fields:
        return desired
    canonical = json.dumps([desired.fingerprint, sorted(fields)])
    return evolve(
        desired,
        texts={name: text for name, text in desired.texts.items() if name not in fields},
        lists={name: names for name, names in desired.lists.items() if name not in fields},
        images=desired.images - fields,
        rates=desired.rates and Field.RATING not in fields,
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _stars(rating100: int | None) -> float | None:
    """Return a rating of 0 to 10; Stash accepts any number as one of 1 to 100."""
    bounded = min(max(rating100 or 0, 0), 100)
    return round(bounded / 10, 1) if bounded else None


def complete_date(text: str) -> str:
    """Complete a partial date to its first day; empty for anything that is not a date.

    Plex answers 400 to `2017` and `2017-03` (design.md).
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", text.strip())
    if not match:
        return ""
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1)).isoformat()
    except ValueError:
        return ""


def performer_names(scene: Scene) -> tuple[str, ...]:
    """List the performers' names, sorted, because Stash gives no order (stash.md §5.4).

    Two with the same name in one scene get their disambiguation: in Plex, an actor is just a name.
    """
    times = Counter(performer.name for performer in scene.performers)
    names = [
        f"{performer.name} ({performer.disambiguation})"
        if times[performer.name] > 1 and performer.disambiguation
        else performer.name
        for performer in scene.performers
    ]
    return _unique(sorted(names, key=str.casefold))


def tag_names(scene: Scene, settings: Settings) -> tuple[str, ...]:
    """List the tags' names in Stash's order, without ignored ones, at most `max_tags`."""
    ignored = settings.ignore_tags
    names = [tag.name for tag in scene.tags if not ignored.means(tag.id, (tag.name, *tag.aliases))]
    return _unique(names)[: settings.max_tags]


def clean_text(text: str, limit: int) -> str:
    """Return a text that Plex can hold: no control characters, plain line ends, trimmed."""
    plain = UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", plain).strip()[:limit].rstrip()


def clean_line(text: str, limit: int) -> str:
    """Return a text that Plex can hold, on one line."""
    return clean_text(re.sub(r"\s+", " ", text), limit)


def what_was_cut(scene: Scene, desired: Desired, settings: Settings) -> list[LogLine]:
    """Return a log line for each value that is only partly sent, because Plex takes no more."""
    notes: list[LogLine] = []
    scene_name = Private(scene.label)
    sent = desired.texts.get(Field.SUMMARY)
    whole = clean_text(scene.details, len(scene.details))
    if sent is not None and len(sent) < len(whole):
        words = f"the first {len(sent):,} of {len(whole):,} characters are sent."
        notes.append(("The summary of %s is longer than Plex takes: %s", scene_name, words))
    wanted = {Field.PERFORMERS: performer_names(scene), Field.TAGS: tag_names(scene, settings)}
    for name, names in wanted.items():
        kept = desired.lists.get(name)
        if kept is not None and len(kept) < len(names):
            words = f"the first {len(kept):,} of {len(names):,} are sent."
            notes.append(("%s has more %s than Plex takes: %s", scene_name, name, words))
    if desired.rates and not 0 <= (scene.rating100 or 0) <= 100:  # noqa: PLR2004 - per cent
        sent_stars = "none" if desired.rating is None else f"{desired.rating:g}"
        words = f"{scene.rating100} of 100; sent is {sent_stars} of 10."
        notes.append(("The rating of %s is out of range in Stash: %s", scene_name, words))
    return notes


def _fitting(text: str) -> str:
    """Cut a text so that it fits into a URL."""
    if len(text) * 12 <= ENCODED_LIMIT or len(quote(text, safe="")) <= ENCODED_LIMIT:
        return text
    size = 0
    for place, letter in enumerate(text):
        size += len(quote(letter, safe=""))
        if size > ENCODED_LIMIT:
            return text[:place].rstrip()
    return text  # pragma: no cover - what is too long as a whole is so at one of its letters


def _fitting_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return as many of the names as fit into a URL."""
    size = 0
    for place, name in enumerate(names):
        size += PARAMETER_BYTES + len(quote(name, safe=""))
        if size > ENCODED_LIMIT:
            return names[:place]
    return names


def _unique(names: list[str]) -> tuple[str, ...]:
    """Clean names; those that differ by case or normal form only are one, spelt as the first."""
    cleaned = (clean_line(name, NAME_LIMIT) for name in names)
    return once(name for name in cleaned if name)
