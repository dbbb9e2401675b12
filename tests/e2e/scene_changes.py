"""Changes of scenes and of their files, by hand."""

from __future__ import annotations

from stash2plex.sync.apply import files_mark
from tests.e2e.shore import Rows

row = Rows()
"""What changes, by how soon it is learnt."""


@row("hook")
def edit_scene(shore):
    scene = shore.scene()
    yield
    shore.stage.edit(scene.id, title="Edited", rating100=80, details="Fog.")


@row("look")
def edit_scene_while_the_plugin_is_off(shore):
    scene = shore.scene()
    yield
    with shore.without_hooks():
        shore.stage.edit(scene.id, title=f"Unseen {scene.id}")


BULK = "mutation B($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }"


@row("hook")
def bulk_edit(shore):
    scenes = [shore.scene(), shore.scene()]
    yield
    shore.stage.graphql(BULK, input={"ids": [scene.id for scene in scenes], "rating100": 60})


@row("look")
def bulk_edit_whose_hooks_are_lost(shore):
    scenes = [shore.scene(), shore.scene()]
    yield
    with shore.without_hooks():
        shore.stage.graphql(BULK, input={"ids": [scene.id for scene in scenes], "rating100": 40})


@row("hook")
def create_by_hand(shore):
    yield
    path = shore.path()
    file = shore.library.add_file(path)
    shore.in_plex(path)
    made = shore.stage.graphql(
        "mutation C($input: SceneCreateInput!) { sceneCreate(input: $input) { id } }",
        input={"title": "By hand", "file_ids": [str(file.id)]},
    )
    shore.made.append(shore.library.scenes[int(made["sceneCreate"]["id"])])


DESTROY = "mutation D($input: SceneDestroyInput!) { sceneDestroy(input: $input) }"


@row("hook")
def delete_scene(shore):
    scene = shore.scene()
    yield
    shore.stage.graphql(DESTROY, input={"id": str(scene.id)})


@row("sweep")
def delete_scene_while_the_plugin_is_off(shore):
    scene = shore.scene()
    yield
    with shore.without_hooks():
        shore.stage.graphql(DESTROY, input={"id": str(scene.id)})


@row("sweep")
def merge_scenes(shore):
    # The destination is bumped and looked at; that the source is gone shows in a sweep.
    source, destination = shore.scene(), shore.scene()
    yield
    name = source.files[0].basename
    items = shore.stage.plex.all_items()
    shore.stage.plex.remove_item(next(one for one in items if one.parts[0].path.endswith(name)))
    shore.stage.operation("clear_match_cache")
    shore.stash.merge_scenes([source], destination)
    shore.look()
    (record,) = [shore.app.store.records.get(destination.id)]
    assert record.files == files_mark(shore.app.stash.scenes([destination.id])[destination.id])


@row("sweep")
def reassign_file(shore):
    one, two = shore.scene(more=[shore.path()]), shore.scene()
    yield
    shore.stash.assign_file(one.files[1], two)


@row("hook")
def split_file(shore):
    scene = shore.scene(more=[shore.path()])
    yield
    shore.in_plex(scene.files[1].path)
    made = shore.stage.graphql(
        "mutation C($input: SceneCreateInput!) { sceneCreate(input: $input) { id } }",
        input={"title": "Split off", "file_ids": [str(scene.files[1].id)]},
    )
    shore.made[:] = [shore.library.scenes[int(made["sceneCreate"]["id"])]]


@row("sweep")
def delete_secondary_file(shore):
    scene = shore.scene(more=[shore.path()])
    yield
    shore.stage.graphql(
        "mutation F($ids: [ID!]!) { deleteFiles(ids: $ids) }", ids=[str(scene.files[1].id)]
    )


@row("hook")
def set_primary_file(shore):
    scene = shore.scene(versions=[shore.path()])
    yield
    shore.stage.edit(scene.id, primary_file_id=str(scene.files[1].id))


@row("look")
def move_files(shore):
    scene = shore.scene()
    yield
    old, new = scene.files[0].path, shore.path("/data/lanterns")
    shore.moved_in_plex(old, new)
    shore.stash.move_file(scene.files[0], new)
