"""How the fields of objects are read; all others are attributes of the same name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from stash2plex_testing.stash.collation import natural
from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.library import unix_seconds
from stash2plex_testing.stash.manifest import Hook, Manifest, Task
from stash2plex_testing.stash.records import (
    Cover,
    Entity,
    Group,
    Marker,
    Performer,
    Scene,
    Studio,
    Tag,
    VideoFile,
)

Resolver = Callable[..., Any]
"""Takes the object, the context and the field's arguments by name."""


def tag_key(tag: Tag) -> str:
    """Order tags as Stash does: by sort name if there is one, else by name."""
    return natural(tag.sort_name or tag.name)


def _tags(row: Any, _: Context) -> list[Tag]:
    return sorted(row.tags, key=tag_key)


def _marker_tags(marker: Marker, _: Context) -> list[Tag]:
    return sorted(marker.tags, key=lambda tag: tag.id)


def _parents(tag: Tag, _: Context) -> list[Tag]:
    return sorted(tag.parents, key=tag_key)


def _text(name: str) -> Resolver:
    """Read a text that is empty, not null, where nothing is set."""
    return lambda row, _: getattr(row, name) or ""


def _text_or_null(name: str) -> Resolver:
    return lambda row, _: getattr(row, name) or None


def _performers(scene: Scene, context: Context) -> Sequence[Performer]:
    if not context.core.shuffle_performers:
        # No order is asked of the database, so they come as the index has them.
        return sorted(scene.performers, key=lambda row: row.id)
    return tuple(random.sample(scene.performers, len(scene.performers)))


def _first_url(row: Scene | Entity, _: Context) -> str | None:
    return row.urls[0] if row.urls else None


def _scene_paths(scene: Scene, context: Context) -> SimpleNamespace:
    start = f"{context.base}/scene/{scene.id}"
    key = context.core.sessions.api_key
    return SimpleNamespace(
        screenshot=f"{start}/screenshot?t={unix_seconds(scene.updated_at)}",
        preview=f"{start}/preview",
        # With the key in it, as Stash does: a client must not log or store it (§5.4).
        stream=f"{start}/stream" + (f"?apikey={key}" if key else ""),
        webp=f"{start}/webp",
        vtt=f"{start}_thumbs.vtt",
        sprite=f"{start}_sprite.jpg",
        funscript=f"{start}/funscript",
        interactive_heatmap=f"{start}/interactive_heatmap",
        caption=f"{start}/caption",
    )


def _markers(scene: Scene, context: Context) -> list[Marker]:
    rows = list(context.core.library.markers.values())
    return sorted((row for row in rows if row.scene is scene), key=lambda row: row.seconds)


def _image(kind: str) -> Resolver:
    end = "frontimage" if kind == "group" else "image"

    def resolve(row: Entity, context: Context) -> str:
        default = "" if row.image is not None else "&default=true"
        stamp = unix_seconds(row.updated_at)
        return f"{context.base}/{kind}/{row.id}/{end}?t={stamp}{default}"

    return resolve


def _back_image(group: Group, context: Context) -> str | None:
    cover: Cover = group.back_image
    if cover is None:
        return None
    return f"{context.base}/group/{group.id}/backimage?t={unix_seconds(group.updated_at)}"


def _scenes_with(row: Entity, context: Context) -> list[Scene]:
    scenes = list(context.core.library.scenes.values())
    if isinstance(row, Performer):
        return [scene for scene in scenes if row in scene.performers]
    if isinstance(row, Tag):
        return [scene for scene in scenes if row in scene.tags]
    if isinstance(row, Studio):
        return [scene for scene in scenes if scene.studio is row]
    return [scene for scene in scenes if any(link.group is row for link in scene.groups)]


def _scene_count(row: Entity, context: Context, **_: Any) -> int:
    return len(_scenes_with(row, context))


def _children(tag: Tag, context: Context) -> list[Tag]:
    rows = [row for row in list(context.core.library.tags.values()) if tag in row.parents]
    return sorted(rows, key=tag_key)


def _child_studios(studio: Studio, context: Context) -> list[Studio]:
    return [row for row in list(context.core.library.studios.values()) if row.parent is studio]


def _described(group: Group | None, description: str | None) -> SimpleNamespace:
    return SimpleNamespace(group=group, containing_group=group, description=description)


def _sub_groups(group: Group, context: Context) -> list[SimpleNamespace]:
    rows = list(context.core.library.groups.values())
    return [
        _described(row, text) for row in rows for above, text in row.containing if above is group
    ]


def _fingerprints(file: VideoFile, _: Context) -> list[dict[str, str]]:
    return [{"type": "oshash", "value": file.oshash}, {"type": "phash", "value": file.phash}]


def _fingerprint(file: VideoFile, _: Context, type: str) -> str | None:  # noqa: A002 - Stash's name
    return {"oshash": file.oshash, "phash": file.phash}.get(type)


def _stamp(name: str) -> Resolver:
    def resolve(row: Any, context: Context) -> str | None:
        moment = getattr(row, name)
        return None if moment is None else context.core.library.exact_text(moment)

    return resolve


def _constant(value: Any) -> Resolver:
    return lambda _row, _context: value


def _plugin_enabled(manifest: Manifest, context: Context) -> bool:
    return context.core.plugins.enabled(manifest)


def _plugin_tasks(manifest: Manifest, _: Context) -> list[dict[str, Any]] | None:
    return [task_value(manifest, task) for task in manifest.tasks] or None


def task_value(manifest: Manifest, task: Task) -> dict[str, Any]:
    """Return a task as the API shows it."""
    return {"name": task.name, "description": task.description, "plugin": manifest}


def _plugin_hooks(manifest: Manifest, _: Context) -> list[dict[str, Any]] | None:
    return [_hook_value(manifest, hook) for hook in manifest.hooks] or None


def _hook_value(manifest: Manifest, hook: Hook) -> dict[str, Any]:
    return {**task_value(manifest, hook), "hooks": list(hook.triggered_by)}


def _plugin_settings(manifest: Manifest, _: Context) -> list[SimpleNamespace]:
    return [SimpleNamespace(**setting.__dict__) for setting in manifest.settings]


def _plugin_paths(manifest: Manifest, context: Context) -> dict[str, list[str] | None]:
    start = f"{context.base}/plugin/{manifest.id}"
    ui = manifest.ui
    return {
        "javascript": [f"{start}/javascript"] if ui.javascript else None,
        "css": [f"{start}/css"] if ui.css else None,
    }


FIELDS: Mapping[str, Mapping[str, Resolver]] = {
    "Scene": {
        **{name: _text(name) for name in ("title", "code", "details", "director")},
        "url": _first_url,
        "o_counter": lambda scene, _: len(scene.orgasms),
        "o_history": lambda scene, _: sorted(scene.orgasms, reverse=True),
        "play_count": lambda scene, _: len(scene.plays),
        "play_history": lambda scene, _: sorted(scene.plays, reverse=True),
        "last_played_at": lambda scene, _: max(scene.plays, default=None),
        "interactive": _constant(False),
        "interactive_speed": _constant(None),
        "paths": _scene_paths,
        "scene_markers": _markers,
        "tags": _tags,
        "performers": _performers,
    },
    "VideoFile": {
        "parent_folder": lambda file, _: file.folder,
        "parent_folder_id": lambda file, _: file.folder.id,
        "fingerprints": _fingerprints,
        "fingerprint": _fingerprint,
        "format": lambda file, _: file.basename.rpartition(".")[2],
        "video_codec": _constant("h264"),
        "audio_codec": _constant("aac"),
        "frame_rate": _constant(25.0),
        "bit_rate": lambda file, _: int(file.size * 8 / max(file.duration, 1)) % 2**31,
    },
    "SceneMarker": {
        "tags": _marker_tags,
        "stream": lambda row, context: _marker_path(row, context, "stream"),
        "preview": lambda row, context: _marker_path(row, context, "preview"),
        "screenshot": lambda row, context: _marker_path(row, context, "screenshot"),
    },
    "Performer": {
        **{name: _text(name) for name in ("disambiguation", "country", "details")},
        "scene_count": _scene_count,
        "scenes": _scenes_with,
        "tags": _tags,
        "image_path": _image("performer"),
    },
    "Studio": {
        "details": _text("details"),
        "scene_count": _scene_count,
        "tags": _tags,
        "parent_studio": lambda studio, _: studio.parent,
        "child_studios": _child_studios,
        "image_path": _image("studio"),
    },
    "Tag": {
        **{name: _text(name) for name in ("sort_name", "description")},
        "parents": _parents,
        "scene_count": _scene_count,
        "children": _children,
        "parent_count": lambda tag, _: len(tag.parents),
        "child_count": lambda tag, context: len(_children(tag, context)),
        "image_path": _image("tag"),
    },
    "Group": {
        **{name: _text(name) for name in ("aliases", "director", "synopsis")},
        "scene_count": _scene_count,
        "scenes": _scenes_with,
        "tags": _tags,
        "containing_groups": lambda group, _: [_described(*item) for item in group.containing],
        "sub_groups": _sub_groups,
        "front_image_path": _image("group"),
        "back_image_path": _back_image,
    },
    "FindScenesResultType": {
        "scenes": lambda found, _: found.rows,
        "duration": lambda found, _: sum(
            scene.files[0].duration for scene in found.all_rows if scene.files
        ),
        "filesize": lambda found, _: float(
            sum(scene.files[0].size for scene in found.all_rows if scene.files)
        ),
    },
    "FindPerformersResultType": {"performers": lambda found, _: found.rows},
    "FindStudiosResultType": {"studios": lambda found, _: found.rows},
    "FindTagsResultType": {"tags": lambda found, _: found.rows},
    "FindGroupsResultType": {"groups": lambda found, _: found.rows},
    "FindFilesResultType": {"files": lambda found, _: found.rows},
    "FindSceneMarkersResultType": {"scene_markers": lambda found, _: found.rows},
    "Job": {
        "subTasks": _constant(None),
        # 0 and not null before the first value comes (stash.md §4.1).
        "progress": lambda job, _: job.progress or 0.0,
        "startTime": _stamp("start_time"),
        "endTime": _stamp("end_time"),
        "addTime": _stamp("add_time"),
    },
    "LogEntry": {
        "time": _stamp("time"),
        "level": lambda line, _: line.level.capitalize(),
    },
    "Plugin": {
        "name": lambda manifest, _: manifest.name or manifest.id,
        **{name: _text_or_null(name) for name in ("description", "url", "version")},
        "enabled": _plugin_enabled,
        "tasks": _plugin_tasks,
        "hooks": _plugin_hooks,
        "settings": _plugin_settings,
        "requires": lambda manifest, _: list(manifest.ui.requires) or None,
        "paths": _plugin_paths,
    },
}


def _marker_path(marker: Marker, context: Context, end: str) -> str:
    return f"{context.base}/scene/{marker.scene.id}/scene_marker/{marker.id}/{end}"
