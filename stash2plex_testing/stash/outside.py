"""What happens to a library besides edits in the browser: scans, tasks, imports, players.

Each of these changes exactly the times in stash.md §10, and fires only the hooks listed there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stash2plex_testing.stash.core import Core, destroyed
from stash2plex_testing.stash.inputs import apply_entity, apply_scene
from stash2plex_testing.stash.plugins import Caller

if TYPE_CHECKING:
    from stash2plex_testing.stash.records import (
        Cover,
        Entity,
        Folder,
        Performer,
        Scene,
        Studio,
        Tag,
        VideoFile,
    )


class Outside:
    """Changes that no GraphQL mutation of the user made."""

    core: Core

    def _hook(self, trigger: str, number: int, given: Any = None, fields: Any = ()) -> None:
        self.core.plugins.run_hooks(trigger, number, Caller(), given=given, fields=fields)

    # -- scan -------------------------------------------------------------------------------

    def scan_new_file(self, path: str, *, size: int = 1_000_000, cover: Cover = None) -> Scene:
        """Find a new file. Scene.Create.Post runs first; the cover comes after it and bumps."""
        library = self.core.library
        scene = library.add_scene(files=[path], sizes=[size])
        self._hook("Scene.Create.Post", scene.id)
        if cover is not None:
            self.generate_cover(scene, cover)
        return scene

    def scan_duplicate_file(self, scene: Scene, path: str, *, size: int = 1_000_000) -> VideoFile:
        """Find a copy of a scene's file. Bumps the scene; Scene.Update.Post."""
        library = self.core.library
        with library.lock:
            file = library.add_file(path, size)
            scene.files += (file,)
            library.touch(scene)
        self._hook("Scene.Update.Post", scene.id)
        return file

    def scan_moved_file(self, file: VideoFile, path: str) -> None:
        """Find a file under another path. Bumps the file, not the scene; Scene.Update.Post."""
        self.core.library.move_file(file, path)
        self._hook_scene_of(file)

    def scan_changed_file(self, file: VideoFile, *, size: int | None = None) -> None:
        """Find a file with other content. Bumps the file, not the scene; Scene.Update.Post."""
        library = self.core.library
        with library.lock:
            file.content += 1
            file.size = file.size if size is None else size
            file.mod_time = library.now()
            library.touch(file)
        self._hook_scene_of(file)

    def scan_renamed_folder(self, folder: Folder | str, path: str) -> None:
        """Find a folder under another name. Nothing is bumped, no hook."""
        library = self.core.library
        row = library.add_folder(folder) if isinstance(folder, str) else folder
        library.rename_folder(row, path)

    def rescan(self) -> None:
        """Scan with `rescan`: nothing is bumped, Scene.Update.Post for every file's scene."""
        for scene in list(self.core.library.scenes.values()):
            for _ in scene.files:
                self._hook("Scene.Update.Post", scene.id)

    def clean_missing_file(self, file: VideoFile) -> None:
        """Clean a file that is gone from the disk.

        The last file takes its scene along, with Scene.Destroy.Post; one of several bumps the
        scene, no hook.
        """
        library = self.core.library
        with library.lock:
            scene = library.scene_of(file)
            told = destroyed(scene) if scene is not None else {}
            library.delete_file(file)
            if scene is None:
                return
            if scene.files:
                library.touch(scene)
                return
            library.destroy_scene(scene)
        given = {"id": "", "delete_file": None, "delete_generated": None, **told}
        self._hook("Scene.Destroy.Post", scene.id, given)

    def _hook_scene_of(self, file: VideoFile) -> None:
        scene = self.core.library.scene_of(file)
        if scene is not None:
            self._hook("Scene.Update.Post", scene.id)

    # -- files ------------------------------------------------------------------------------

    def move_file(self, file: VideoFile, path: str) -> None:
        """Move a file as a renamer plugin does. Bumps the file, not the scene; no hook."""
        self.core.library.move_file(file, path)

    def assign_file(self, file: VideoFile, scene: Scene) -> None:
        """Give a file to another scene. Nothing is bumped, no hook."""
        self.core.library.assign_file(file, scene)

    def delete_file(self, file: VideoFile) -> None:
        """Delete a secondary file. Nothing is bumped, no hook."""
        self.core.library.delete_file(file)

    # -- tasks ------------------------------------------------------------------------------

    def generate_cover(self, scene: Scene, cover: Cover) -> None:
        """Make a cover. Bumps the scene, no hook."""
        library = self.core.library
        with library.lock:
            scene.cover = cover
            library.touch(scene)

    def auto_tag(
        self,
        scene: Scene,
        *,
        performers: Iterable[Performer] = (),
        tags: Iterable[Tag] = (),
        studio: Studio | None = None,
    ) -> None:
        """Add what the file's name shows. Bumps the scene, no hook."""
        library = self.core.library
        with library.lock:
            scene.performers = tuple(dict.fromkeys((*scene.performers, *performers)))
            scene.tags = tuple(dict.fromkeys((*scene.tags, *tags)))
            scene.studio = scene.studio or studio
            library.touch(scene)

    def identify(self, scene: Scene, **values: Any) -> None:
        """Fill a scene from a stash-box, by input fields. Bumps it; Scene.Update.Post."""
        library = self.core.library
        with library.lock:
            apply_scene(library, scene, values)
        given = self.core.struct("SceneUpdateInput", {"id": str(scene.id), **values})
        self._hook("Scene.Update.Post", scene.id, given, values)

    def identify_multiple_match(self, scene: Scene, tag: Tag) -> None:
        """Put the tag for several matches on. Bumps the scene, no hook."""
        self.auto_tag(scene, tags=[tag])

    def stash_box_update(self, row: Entity, **values: Any) -> None:
        """Update a performer or studio in a batch. Bumps that one, no hook at all."""
        library = self.core.library
        with library.lock:
            apply_entity(library, row, values)

    # -- merges -----------------------------------------------------------------------------

    def merge_scenes(self, sources: Iterable[Scene], destination: Scene) -> None:
        """Merge scenes. Bumps the destination, no hook."""
        self.core.library.merge_scenes(list(sources), destination)

    def merge_performers(self, sources: Iterable[Performer], destination: Performer) -> None:
        """Merge performers. Bumps the destination performer, no scene; no hook."""
        self.core.library.merge_performers(list(sources), destination)

    def merge_tags(self, sources: Iterable[Tag], destination: Tag) -> None:
        """Merge tags. Nothing is bumped; Tag.Merge.Post for the destination."""
        listed = list(sources)
        self.core.library.merge_tags(listed, destination)
        given = {"source": [str(tag.id) for tag in listed], "destination": str(destination.id)}
        self._hook("Tag.Merge.Post", destination.id, given)

    # -- players ----------------------------------------------------------------------------

    def play(self, scene: Scene) -> None:
        """Count a play. Nothing is bumped, no hook."""
        scene.plays += (self.core.library.now(),)

    def count_o(self, scene: Scene) -> None:
        """Count an O. Nothing is bumped, no hook."""
        scene.orgasms += (self.core.library.now(),)

    # -- imports ----------------------------------------------------------------------------

    def import_scene(self, scene: Scene, updated_at: float, **values: Any) -> None:
        """Import a scene's JSON over it: the time (epoch seconds) is the file's; no hook."""
        library = self.core.library
        with library.lock:
            apply_scene(library, scene, values)
            scene.updated_at = library.time_text(updated_at)

    def full_import(self) -> None:
        """Wipe and import everything: every id is another one, no hook."""
        library = self.core.library
        with library.lock:
            # By path: the order of the exported files.
            scenes = sorted(
                library.scenes.values(),
                key=lambda scene: scene.files[0].path if scene.files else "",
                reverse=True,
            )
            library.scenes.renumber(scenes)
            library.performers.renumber(list(library.performers.values())[::-1])
            library.studios.renumber(list(library.studios.values())[::-1])
            library.tags.renumber(list(library.tags.values())[::-1])
            library.groups.renumber(list(library.groups.values())[::-1])
            library.files.renumber([file for scene in scenes for file in scene.files])
