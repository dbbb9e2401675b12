"""Mutations of scenes, files and markers, with the hooks that they fire (stash.md §3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stash2plex_testing.stash.core import Context, destroyed, foreign
from stash2plex_testing.stash.criteria import Panic, StashError, number_of
from stash2plex_testing.stash.entity_mutations import sources_of
from stash2plex_testing.stash.fields import Resolver
from stash2plex_testing.stash.inputs import apply_bulk, apply_scene
from stash2plex_testing.stash.records import Marker, Scene

Values = Mapping[str, Any]

UPDATED = "Scene.Update.Post"


def scene_create(_: None, context: Context, input: Values) -> Scene:  # noqa: A002
    """Create a scene; the hook gets no input (stash.md §3.4)."""
    library = context.core.library
    with library.lock:
        files = foreign(library.files, input.get("file_ids"))
        if not files and not (input.get("title") or "").strip():
            raise StashError("title must be set if scene has no files")
        scene = library.add_scene()
        try:
            values = {k: v for k, v in input.items() if k != "file_ids"}
            apply_scene(library, scene, values, lenient=True)
        except StashError:
            library.scenes.undo(scene)
            raise
        for file in files:
            library.assign_file(file, scene)
    context.hook("Scene.Create.Post", scene.id, None)
    return scene


def scene_update(_: None, context: Context, input: Values) -> Scene | None:  # noqa: A002
    """Update a scene, run the hooks, read it again: it shows what hooks changed (§3.2)."""
    library = context.core.library
    with library.lock:
        scene = context.row(library.scenes, input["id"], "scene")
        apply_scene(library, scene, input)
    context.hook(UPDATED, scene.id, context.core.struct("SceneUpdateInput", input), input)
    return library.scenes.get(scene.id)


def scenes_update(_: None, context: Context, input: list[Values]) -> list[Any] | None:  # noqa: A002
    """Update several; every hook gets the whole list (stash.md §3.4). Null for none at all."""
    library = context.core.library
    with library.lock:
        rows = [context.row(library.scenes, values["id"], "scene") for values in input]
        for scene, values in zip(rows, input, strict=True):
            apply_scene(library, scene, values)
    given = [context.core.struct("SceneUpdateInput", values) for values in input]
    for scene, values in zip(rows, input, strict=True):
        context.hook(UPDATED, scene.id, given, values)
    return [library.scenes.get(scene.id) for scene in rows] or None


def bulk_scene_update(_: None, context: Context, input: Values) -> list[Any] | None:  # noqa: A002
    """Update all first, then run the hooks one by one; a lost client ends that loop (§3.2).

    Null for none at all.
    """
    library = context.core.library
    with library.lock:
        numbers = _numbers(input.get("ids") or ())
        if not all(number in library.scenes for number in numbers):
            raise StashError("sql: no rows in result set")
        rows = [library.scenes[number] for number in numbers]
        for scene in rows:
            apply_bulk(library, scene, input)
    given = context.core.struct("BulkSceneUpdateInput", input)
    for scene in rows:
        context.hook(UPDATED, scene.id, given, input)
    return [scene for scene in rows if scene.id in library.scenes] or None


def _numbers(texts: Iterable[str]) -> list[int]:
    try:
        return [number_of(text) for text in texts]
    except StashError as error:
        raise StashError(f"converting ids: {error}") from None


def scene_destroy(_: None, context: Context, input: Values) -> bool:  # noqa: A002
    """Destroy a scene; the hook's input has its path (stash.md §3.4)."""
    return _destroy(context, [input["id"]], context.core.struct("SceneDestroyInput", input))


def scenes_destroy(_: None, context: Context, input: Values) -> bool:  # noqa: A002
    """Destroy several; each hook gets that scene's path."""
    return _destroy(context, input["ids"], context.core.struct("ScenesDestroyInput", input))


def _destroy(context: Context, ids: list[str], given: dict[str, Any]) -> bool:
    library = context.core.library
    with library.lock:
        rows = [context.row(library.scenes, id_, "scene") for id_ in ids]
        told = {scene.id: destroyed(scene) for scene in rows}
        for scene in rows:
            library.destroy_scene(scene)
    for number, values in told.items():
        # Unlike an update's loop this one goes on when the client is gone (§3.2).
        context.core.plugins.run_hooks(
            "Scene.Destroy.Post", number, context.caller, given={**given, **values}
        )
    return True


def scene_merge(_: None, context: Context, input: Values) -> Scene:  # noqa: A002
    """Merge scenes. No hook at all (stash.md §3.4)."""
    library = context.core.library
    with library.lock:
        if number_of(input["destination"]) not in library.scenes:
            raise Panic("runtime error: invalid memory address or nil pointer dereference")
        destination: Scene = context.row(library.scenes, input["destination"], "scene")
        sources = sources_of(context, library.scenes, input["source"], "scene")
        if destination in sources:
            raise StashError("destination scene cannot be in source list")
        library.merge_scenes(sources, destination)
        for source in sources:
            if input.get("play_history"):
                destination.plays += source.plays
            if input.get("o_history"):
                destination.orgasms += source.orgasms
        values = {k: v for k, v in (input.get("values") or {}).items() if k != "id"}
        apply_scene(library, destination, values)
    return destination


def scene_assign_file(_: None, context: Context, input: Values) -> bool:  # noqa: A002
    """Give a file to another scene. No hook, nothing bumped (stash.md §10)."""
    library = context.core.library
    with library.lock:
        scene = context.row(library.scenes, input["scene_id"], "scene")
        library.assign_file(context.row(library.files, input["file_id"], "file"), scene)
    return True


def move_files(_: None, context: Context, input: Values) -> bool:  # noqa: A002
    """Move files, as renamer plugins do. No hook; only the files are bumped (§10)."""
    library = context.core.library
    with library.lock:
        folder = input.get("destination_folder")
        if folder is None:
            number = input.get("destination_folder_id")
            folder = context.row(library.folders, number, "folder").path
        for id_ in input["ids"]:
            file = context.row(library.files, id_, "file")
            name = input.get("destination_basename") or file.basename
            library.move_file(file, f"{folder.rstrip('/')}/{name}")
    return True


def delete_files(_: None, context: Context, ids: list[str]) -> bool:
    """Delete secondary files. No hook, no scene bumped (stash.md §10)."""
    library = context.core.library
    with library.lock:
        files = [context.row(library.files, id_, "file") for id_ in ids]
        for file in files:
            scene = library.scene_of(file)
            if scene is not None and scene.files[0] is file:
                raise StashError(f"cannot delete primary file entry {file.path}")
        for file in files:
            library.delete_file(file)
    return True


def _history(name: str) -> Resolver:
    def resolve(
        _: None,
        context: Context,
        id: str,  # noqa: A002 - Stash's name
        times: list[str] | None = None,
    ) -> dict[str, Any]:
        """Add to a history; nothing is bumped, no hook (stash.md §10)."""
        library = context.core.library
        with library.lock:
            scene = context.row(library.scenes, id, "scene")
            history = getattr(scene, name) + tuple(times or [library.now()])
            setattr(scene, name, history)
        return {"count": len(history), "history": sorted(history, reverse=True)}

    return resolve


def save_activity(
    _: None,
    context: Context,
    id: str,  # noqa: A002 - Stash's name
    resume_time: float | None = None,
    playDuration: float | None = None,  # noqa: N803 - Stash's name
) -> bool:
    """Save the place in a film; nothing is bumped, no hook (stash.md §10)."""
    library = context.core.library
    with library.lock:
        scene = context.row(library.scenes, id, "scene")
        scene.resume_time = scene.resume_time if resume_time is None else resume_time
        scene.play_duration += playDuration or 0.0
    return True


def generate_screenshot(
    _: None,
    context: Context,
    id: str,  # noqa: A002 - Stash's name
    at: float | None = None,
) -> str:
    """Queue the making of a cover. No hook; bumps the scene (stash.md §10)."""
    library = context.core.library
    scene: Scene = context.row(library.scenes, id, "scene")

    def work(_: object) -> None:
        with library.lock:
            scene.cover = hash((scene.id, at, library.now())) & 0x7FFFFFFF
            library.touch(scene)

    context.core.jobs.add(f"Generating screenshot for scene {id}", work)
    return "todo"


def marker_create(_: None, context: Context, input: Values) -> Marker:  # noqa: A002
    """Create a marker; the scene is not bumped (stash.md §10)."""
    library = context.core.library
    with library.lock:
        scene = context.row(library.scenes, input["scene_id"], "scene")
        tag = foreign(library.tags, [input["primary_tag_id"]])[0]
        marker = library.add_marker(scene, input["title"], input["seconds"], tag)
        _apply_marker(context, marker, input)
    given = context.core.struct("SceneMarkerCreateInput", input)
    context.hook("SceneMarker.Create.Post", marker.id, given)
    return marker


def marker_update(_: None, context: Context, input: Values) -> Marker:  # noqa: A002
    """Update a marker; the marker is bumped, not the scene."""
    library = context.core.library
    with library.lock:
        marker: Marker = context.row(library.markers, input["id"], "scene marker")
        _apply_marker(context, marker, input)
        library.touch(marker)
    given = context.core.struct("SceneMarkerUpdateInput", input)
    context.hook("SceneMarker.Update.Post", marker.id, given, input)
    return marker


def marker_destroy(_: None, context: Context, id: str) -> bool:  # noqa: A002
    """Destroy a marker; the hook does not name the scene (stash.md §3.5)."""
    library = context.core.library
    with library.lock:
        marker: Marker = context.row(library.markers, id, "scene marker")
        library.markers.drop(marker)
    context.hook("SceneMarker.Destroy.Post", number_of(id), [id])
    return True


def _apply_marker(context: Context, marker: Marker, values: Values) -> None:
    library = context.core.library
    marker.title = values.get("title") or marker.title
    marker.seconds = values.get("seconds", marker.seconds)
    marker.end_seconds = values.get("end_seconds", marker.end_seconds)
    if values.get("scene_id"):
        marker.scene = context.row(library.scenes, values["scene_id"], "scene")
    if values.get("primary_tag_id"):
        marker.primary_tag = foreign(library.tags, [values["primary_tag_id"]])[0]
    if "tag_ids" in values:
        marker.tags = foreign(library.tags, values["tag_ids"])


SCENE_MUTATIONS: Mapping[str, Resolver] = {
    "sceneCreate": scene_create,
    "sceneUpdate": scene_update,
    "scenesUpdate": scenes_update,
    "bulkSceneUpdate": bulk_scene_update,
    "sceneDestroy": scene_destroy,
    "scenesDestroy": scenes_destroy,
    "sceneMerge": scene_merge,
    "sceneAssignFile": scene_assign_file,
    "moveFiles": move_files,
    "deleteFiles": delete_files,
    "sceneAddPlay": _history("plays"),
    "sceneAddO": _history("orgasms"),
    "sceneSaveActivity": save_activity,
    "sceneGenerateScreenshot": generate_screenshot,
    "sceneMarkerCreate": marker_create,
    "sceneMarkerUpdate": marker_update,
    "sceneMarkerDestroy": marker_destroy,
}
