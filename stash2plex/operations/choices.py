"""Several Plex items fit a scene: shows them side by side, and keeps which one the user chose."""

from __future__ import annotations

from typing import Any

from stash2plex.app import App
from stash2plex.config import Settings
from stash2plex.errors import ServerError, Stash2PlexError, UsageError
from stash2plex.model import PlexFile, Scene
from stash2plex.rules.matching import Candidate, folded_name
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlooks import ItemLook
from stash2plex.servers.stash_lists import look_at_scene
from stash2plex.store.item_choices import ItemChoice
from stash2plex.sync.finder import explain_scene
from stash2plex.text import utc
from stash2plex.workqueue import URGENT

CANDIDATES = 12
"""How many candidates are shown side by side."""

LOOK_SECONDS = 10.0
"""How long Plex gets for them: the user is watching."""


def candidates_json(app: App, scene_id: int) -> dict[str, Any]:
    """Return the items that fit a scene. Raises what Stash's client raises."""
    settings = app.settings()
    scene = _scene(app, scene_id)
    look = look_at_scene(app.stash.link, scene_id)
    explanation = explain_scene(app.store, settings, scene)
    candidates = explanation.candidates[:CANDIDATES]
    chosen = explanation.match.file.rating_key if explanation.match else None
    choice = app.store.choices.of([file.path for file in scene.files])
    unknown: list[str] = []
    looks, posters = _looks(app, settings, candidates, unknown)
    titles = app.store.plex_files.titles_by_id()
    return {
        "scene_id": scene_id,
        "title": scene.label,
        "path": scene.files[0].path if scene.files else None,
        "size": look.size if look else None,
        "duration_s": look.seconds if look else None,
        "year": _year(look.date if look else None),
        "choice": None
        if choice is None
        else {
            "rating_key": chosen or "",
            "path": choice.plex_path,
            "at": utc(choice.chosen_at),
        },
        "candidates": [
            {
                "rating_key": candidate.file.rating_key,
                "library": titles.get(candidate.file.section_id, ""),
                "path": candidate.file.path,
                "size": candidate.file.size,
                **_look_json(looks.get(candidate.file.rating_key)),
                "poster": posters.get(candidate.file.rating_key),
                "why": candidate.why or None,
                "chosen": candidate.file.rating_key == chosen,
            }
            for candidate in candidates
        ],
        "unknown": unknown,
    }


def keep_choice(app: App, scene_id: int, rating_key: str) -> dict[str, Any]:
    """Keep the user's choice by Stash's file and Plex's file, and queue the scene.

    Raises UsageError if Plex lists no such item.
    """
    scene = _scene(app, scene_id)
    files = app.store.plex_files.of_item(rating_key)
    if not files or not scene.files:
        raise UsageError(
            f"Plex lists no item {rating_key[:40]!r} that “{scene.label}” could have.",
            "Open the list of candidates again.",
        )
    path = _best_file(scene, files).path
    app.store.choices.keep(ItemChoice(scene.files[0].path, path, scene_id, app.clock()))
    _queue(app, scene_id)
    return {"scene_id": scene_id, "rating_key": rating_key, "path": path, "queued": True}


def forget(app: App, scene_id: int) -> dict[str, Any]:
    """Take a choice back; works for a scene that is gone too."""
    scene = app.stash.scenes([scene_id]).get(scene_id)
    paths = [file.path for file in scene.files] if scene else []
    forgotten = app.store.choices.forget(scene_id, paths)
    if forgotten:
        _queue(app, scene_id)
    return {"forgotten": forgotten, "queued": bool(forgotten)}


def _scene(app: App, scene_id: int) -> Scene:
    scene = app.stash.scenes([scene_id]).get(scene_id)
    if scene is None:
        raise UsageError(f"Stash has no scene {scene_id}.")
    return scene


def _queue(app: App, scene_id: int) -> None:
    app.store.records.invalidate([scene_id])
    app.store.queue.add_many([("scene", scene_id)], priority=URGENT)


def _best_file(scene: Scene, files: list[PlexFile]) -> PlexFile:
    """Return the item's file with the scene's name or size, else its first one."""
    mine = scene.files[0]
    name = folded_name(mine.path)
    named = [file for file in files if folded_name(file.path) == name]
    sized = [file for file in named or files if file.size and file.size == mine.size]
    return (sized or named or files)[0]


def _looks(
    app: App, settings: Settings, candidates: tuple[Candidate, ...], unknown: list[str]
) -> tuple[dict[str, ItemLook], dict[str, str | None]]:
    """Ask Plex about the candidates; `unknown` gets a sentence if it does not answer."""
    keys = list(dict.fromkeys(candidate.file.rating_key for candidate in candidates))
    if not keys:
        return {}, {}
    try:
        settings.require_plex()
        plex = app.make_plex(settings, most_seconds=LOOK_SECONDS)
    except Stash2PlexError as error:
        unknown.append(f"What Plex shows: {error}")
        return {}, {}
    try:
        looks = plex.looks(keys)
        return looks, _posters(plex, looks)
    except ServerError as error:
        unknown.append(f"What Plex shows: {error}")
        return {}, {}
    finally:
        plex.close()


def _posters(plex: Plex, looks: dict[str, ItemLook]) -> dict[str, str | None]:
    return {key: plex.poster(look.thumb) for key, look in looks.items()}


def _look_json(look: ItemLook | None) -> dict[str, Any]:
    return {
        "title": look.title if look else None,
        "year": look.year if look else None,
        "duration_s": look.seconds if look else None,
    }


def _year(date: str | None) -> int | None:
    year = (date or "")[:4]
    return int(year) if len(year) == 4 and year.isdigit() else None  # noqa: PLR2004 - a year's digits
