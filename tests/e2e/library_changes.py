"""Changes of the whole library at once."""

from __future__ import annotations

from tests.e2e.shore import Rows

row = Rows()
"""What changes, by how soon it is learnt."""


@row("sweep")
def import_of_objects(shore):
    scene = shore.scene()
    yield
    shore.stash.import_scene(scene, shore.clock.now - 400 * 86_400, title="Imported")


@row("look")
def full_import(shore):
    shore.scene(title="Kept through the import")
    shore.scene(title="And this one")
    yield
    shore.job("Importing...", shore.stash.full_import)
    shore.made[:] = list(shore.library.scenes.values())


@row("look")
def database_restored(shore):
    scene = shore.scene(title="As it was")
    yield
    shore.library.touch(scene)
    scene.title = "Lost with the backup"
    shore.look()
    scene.title = "As it was in the backup"
    scene.updated_at = shore.library.time_text(shore.clock.now - 40 * 86_400)
