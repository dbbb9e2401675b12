"""The library page: the share in sync, the last looks, the libraries, and what Stash lacks."""

from __future__ import annotations

from typing import Any

from stash2plex.app import App
from stash2plex.db import get_meta
from stash2plex.lock import drain_runs
from stash2plex.rules.scene_states import IN_SYNC
from stash2plex.rules.sweep_schedule import INTERVALS, next_sweep
from stash2plex.store.library_lists import count_unknown, library_counts, list_unknown
from stash2plex.store.marks import load_marks
from stash2plex.store.meta import COMPARED_AT, RECONCILE_INTERVAL, get_number
from stash2plex.store.stored_status import read_scenes
from stash2plex.store.worker_choice import read_choice
from stash2plex.sync.indexing import FULL_LIST_SECONDS
from stash2plex.sync.report import summary_of, summary_sentence
from stash2plex.text import local, moment, utc


def library_json(app: App) -> dict[str, Any]:
    """Return all of it from the database alone."""
    database = app.store.connection
    scenes = read_scenes(database, app.clock(), runs=drain_runs(app.folder))
    share = scenes[IN_SYNC] / scenes["total"] if scenes["total"] else None
    troubles = app.store.library_troubles.all()
    return {
        "scenes": scenes,
        "share": share,
        "looks": _looks(app),
        "libraries": [
            {
                "id": library.section_id,
                "title": library.title,
                "items": library.items,
                "files": library.files,
                "with_scene": library.with_scene,
                "without_scene": library.items - library.with_scene,
                "listed_at": utc(library.listed_at) if library.listed_at else None,
                "compared_at": None if library.compared_at is None else utc(library.compared_at),
                "problem": troubles[library.section_id].words()
                if library.section_id in troubles
                else None,
            }
            for library in library_counts(database)
        ],
    }


def unknown_json(app: App, section_id: str, search: str, limit: int, offset: int) -> dict[str, Any]:
    """Return a page of the files in Plex that no scene has."""
    database = app.store.connection
    titles = app.store.plex_files.titles_by_id()
    return {
        "total": count_unknown(database, section_id, search),
        "items": [
            {
                "rating_key": file.rating_key,
                "path": file.path,
                "library": titles.get(file.section_id, ""),
                "section_id": file.section_id,
                "size": file.size,
            }
            for file in list_unknown(database, section_id, search, limit, offset)
        ],
    }


def _looks(app: App) -> list[dict[str, Any]]:
    database = app.store.connection
    marks = load_marks(database)
    swept = marks.swept_at if marks else None
    report = app.store.reports.last()
    words, compared = None, None
    if report is not None:
        summary = summary_of(report)
        compared = moment(summary["started_at"])
        words = summary_sentence(summary, local(compared))
    listed = [
        library.listed_at for library in app.store.plex_files.known().values() if library.listed_at
    ]
    # What is planned is the worker's; with the worker off only tasks look.
    off = read_choice(database).off
    interval = "" if off else get_meta(database, RECONCILE_INTERVAL) or ""
    next_look = next_sweep(marks, interval) if marks and not off else None
    counted = get_number(database, COMPARED_AT)
    next_comparison = counted + INTERVALS[interval] if counted and interval in INTERVALS else None
    next_listing = min(listed) + FULL_LIST_SECONDS if listed and not off else None
    return [
        _look("sweep", swept, next_look, None),
        _look("compare", compared, next_comparison, words),
        _look("index", max(listed, default=None), next_listing, None),
    ]


def _look(
    kind: str, at: float | None, following: float | None, words: str | None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": None if at is None else utc(at),
        "next_at": None if following is None else utc(following),
        "words": words,
    }
