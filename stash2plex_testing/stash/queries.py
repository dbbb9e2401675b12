"""The fields of `Query`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.fields import Resolver, task_value
from stash2plex_testing.stash.filters import Filters
from stash2plex_testing.stash.library import Library
from stash2plex_testing.stash.records import Scene
from stash2plex_testing.stash.search import Chosen, Found, id_bounds


def find_scene(
    _: None,
    context: Context,
    id: str | None = None,  # noqa: A002 - Stash's name
    checksum: str | None = None,
) -> Scene | None:
    """Find a scene by id; null if there is none (stash.md §5.1)."""
    # MD5 sums are off here, so that no scene has one.
    if id is None or checksum is not None:
        return None
    return context.core.library.scenes.get(number_of(id))


def find_scene_by_hash(
    _: None,
    context: Context,
    input: Mapping[str, Any],  # noqa: A002 - Stash's name
) -> Scene | None:
    """Find a scene by a file's oshash."""
    wanted = input.get("oshash")
    for scene in list(context.core.library.scenes.values()):
        if wanted and any(file.oshash == wanted for file in scene.files):
            return scene
    return None


def find_scenes(
    _: None,
    context: Context,
    scene_filter: Mapping[str, Any] | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - Stash's name
    ids: list[str] | None = None,
    scene_ids: list[int] | None = None,
) -> Any:
    """Find scenes; with ids filter and paging are ignored (stash.md §5.1)."""
    core = context.core
    chosen = ids if ids is not None else scene_ids
    if chosen:
        return Chosen(core.library.scenes, chosen, "scene")
    with core.library.lock:
        return Found(
            core.library.scenes,
            "scene",
            core.library,
            test=Filters(core.library, core.clock()).compile("scene", scene_filter),
            bounds=id_bounds(scene_filter),
            paging=filter or {},
        )


OTHER_TABLES: Mapping[str, Callable[[Library], Any]] = {
    "performer": lambda library: library.performers,
    "studio": lambda library: library.studios,
    "tag": lambda library: library.tags,
    "group": lambda library: library.groups,
    "marker": lambda library: library.markers,
    "file": lambda library: library.files,
}


def _find_many(kind: str, filter_name: str) -> Resolver:
    def resolve(_: None, context: Context, **arguments: Any) -> Any:
        core = context.core
        table: Any = OTHER_TABLES[kind](core.library)
        chosen = arguments.get("ids") or arguments.get("performer_ids")
        if chosen:
            return Chosen(table, chosen, kind)
        with core.library.lock:
            return Found(
                table,
                kind,
                core.library,
                test=Filters(core.library, core.clock()).compile(kind, arguments.get(filter_name)),
                bounds=(0, float("inf")),
                paging=arguments.get("filter") or {},
            )

    return resolve


def _find_one(kind: str) -> Resolver:
    def resolve(_: None, context: Context, id: str) -> Any:  # noqa: A002 - Stash's name
        return context.core.library.table_of(kind).get(number_of(id))

    return resolve


def configuration(_: None, context: Context) -> dict[str, Any]:
    """Return the configuration; the API key is in clear (stash.md §5.7)."""
    core = context.core
    folder = core.config_dir
    paths = {
        name: os.path.join(folder, name.removesuffix("Path"))
        for name in ("generatedPath", "metadataPath", "scrapersPath", "cachePath", "blobsPath")
    }
    return {
        "general": {
            **paths,
            "stashes": [{"path": core.root, "excludeVideo": False, "excludeImage": False}],
            "databasePath": os.path.join(folder, "stash-go.sqlite"),
            "configFilePath": os.path.join(folder, "config.yml"),
            "pluginsPath": core.plugins.folder,
            "calculateMD5": False,
            "parallelTasks": 1,
            "apiKey": core.sessions.api_key,
            "username": core.sessions.username,
            "password": "***" if core.sessions.password else "",
            "maxSessionAge": int(core.sessions.max_age),
            "logFile": "",
            "logOut": True,
            "logLevel": core.journal.level,
            "logAccess": True,
            "videoExtensions": ["mp4", "mkv", "avi", "webm"],
            "excludes": [],
            "pythonPath": core.plugins.python_path,
        },
        "interface": {
            "language": context.core.language,
            "sfwContentMode": False,
            "menuItems": None,
            "notificationsEnabled": True,
            "noBrowser": True,
        },
        "ui": {},
    }


def stored_settings(
    _: Any, context: Context, include: list[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the stored settings of plugins; one without any is absent (stash.md §1.6)."""
    stored = context.core.plugins.settings
    return {
        plugin_id: dict(values)
        for plugin_id, values in stored.items()
        if include is None or plugin_id in include
    }


def _stats(_: None, context: Context) -> dict[str, Any]:
    library = context.core.library
    scenes, files = list(library.scenes.values()), list(library.files.values())
    return {
        "scene_count": len(scenes),
        "scenes_size": float(sum(file.size for file in files)),
        "scenes_duration": float(sum(file.duration for file in files)),
        "image_count": 0,
        "images_size": 0.0,
        "gallery_count": 0,
        "performer_count": len(library.performers),
        "studio_count": len(library.studios),
        "group_count": len(library.groups),
        "tag_count": len(library.tags),
        "total_o_count": sum(len(scene.orgasms) for scene in scenes),
        "total_play_duration": sum(scene.play_duration for scene in scenes),
        "total_play_count": sum(len(scene.plays) for scene in scenes),
        "scenes_played": sum(1 for scene in scenes if scene.plays),
    }


def _system_status(_: None, context: Context) -> dict[str, Any]:
    folder = context.core.config_dir
    return {
        "databaseSchema": 75,
        "databasePath": os.path.join(folder, "stash-go.sqlite"),
        "configPath": os.path.join(folder, "config.yml"),
        "appSchema": 75,
        "status": "OK",
        "os": {"win32": "windows"}.get(sys.platform, sys.platform),
        "workingDir": os.getcwd(),
        "homeDir": os.path.expanduser("~"),
        "ffmpegPath": "",
        "ffprobePath": "",
    }


def _version(_: None, context: Context) -> dict[str, str]:
    return {
        "version": context.core.version,
        "hash": "cf3489efd",
        "build_time": "2026-01-11 18:07:53",
    }


def _plugin_tasks(context: Context) -> list[dict[str, Any]]:
    plugins = context.core.plugins
    return [
        task_value(manifest, task)
        for manifest in plugins.manifests
        if plugins.enabled(manifest)
        for task in manifest.tasks
    ]


def _find_job(
    _: None,
    context: Context,
    input: Mapping[str, Any],  # noqa: A002 - Stash's name
) -> Any:
    return context.core.jobs.find(number_of(input["id"]))


def _all_performers(_: None, context: Context) -> list[Any]:
    return sorted(context.core.library.performers.values(), key=lambda row: row.name)


def _directory(
    _: None,
    context: Context,
    path: str | None = None,
    locale: str = "en",
) -> dict[str, Any]:
    """List the folders in a folder; of a path that is not there, those beside it."""
    del context, locale
    shown = path or os.path.expanduser("~")
    folder = shown if os.path.exists(shown) else os.path.dirname(shown)
    try:
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    except OSError as error:
        raise StashError(f"open {folder}: {str(error.strerror).lower()}") from None
    if not os.path.exists(folder):
        raise StashError(f"open {folder}: no such file or directory")
    paths = [os.path.join(folder, name) for name in names]
    found = [one for one in paths if os.path.isdir(one)]
    return {"path": shown, "parent": os.path.dirname(shown.rstrip("/")), "directories": found}


QUERIES: Mapping[str, Resolver] = {
    "findScene": find_scene,
    "findSceneByHash": find_scene_by_hash,
    "findScenes": find_scenes,
    "findFiles": _find_many("file", "file_filter"),
    "findSceneMarkers": _find_many("marker", "scene_marker_filter"),
    "findPerformer": _find_one("performer"),
    "findPerformers": _find_many("performer", "performer_filter"),
    "findStudio": _find_one("studio"),
    "findStudios": _find_many("studio", "studio_filter"),
    "findTag": _find_one("tag"),
    "findTags": _find_many("tag", "tag_filter"),
    "findGroup": _find_one("group"),
    "findGroups": _find_many("group", "group_filter"),
    "allPerformers": _all_performers,
    "configuration": configuration,
    "version": _version,
    "systemStatus": _system_status,
    "directory": _directory,
    "stats": _stats,
    "logs": lambda _, context: context.core.journal.shown(),
    # Null and not an empty list where there are none, as Go has it (stash.md §4.1).
    "plugins": lambda _, context: context.core.plugins.manifests or None,
    "pluginTasks": lambda _, context: _plugin_tasks(context) or None,
    "jobQueue": lambda _, context: context.core.jobs.queue() or None,
    "findJob": _find_job,
}
