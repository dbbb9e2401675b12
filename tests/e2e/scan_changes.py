"""What scans, cleans and other tasks of Stash change."""

from __future__ import annotations

from stash2plex_testing.stash import picture
from tests.e2e.shore import Rows

row = Rows()
"""What changes, by how soon it is learnt."""


@row("hook")
def scan_new_file(shore):
    yield
    path = shore.path()
    shore.in_plex(path)
    scene = shore.stash.scan_new_file(path)
    scene.title = "Found by a scan"
    shore.made.append(scene)


@row("look")
def scan_makes_the_cover_afterwards(shore):
    scene = shore.scene()
    yield
    shore.clock.step(5)
    shore.stash.generate_cover(scene, picture(3))
    shore.look()
    item = shore.stage.item_of({"files": [{"path": scene.files[0].path}]}, shore.stage.items())
    assert shore.stage.plex.item(item.ratingKey).images["posters"]
    with shore.without_hooks():
        shore.stage.edit(scene.id, title="With a cover")


@row("hook")
def scan_moved_file(shore):
    scene = shore.scene()
    yield
    old, new = scene.files[0].path, shore.path("/data/lanterns")
    shore.moved_in_plex(old, new)
    shore.stash.scan_moved_file(scene.files[0], new)


@row("hook")
def scan_changed_file(shore):
    scene = shore.scene()
    yield
    shore.stash.scan_changed_file(scene.files[0], size=77)


@row("look")
def scan_changed_file_while_the_plugin_is_off(shore):
    scene = shore.scene()
    yield
    with shore.without_hooks():
        shore.stash.scan_changed_file(scene.files[0], size=78)


@row("hook")
def scan_duplicate_file(shore):
    scene = shore.scene()
    yield
    shore.stash.scan_duplicate_file(scene, shore.path())


@row("look")
def scan_renamed_folder(shore):
    # The job tells of it: a scan has ended, so everything is compared.
    folder = shore.path("/data/old").removesuffix(".mp4")
    scene = shore.scene(path=f"{folder}/buoy-{shore.number}.mp4")
    yield
    shore.moved_in_plex(scene.files[0].path, scene.files[0].path.replace(folder, f"{folder}-new"))
    shore.job("Scanning...", lambda: shore.stash.scan_renamed_folder(folder, f"{folder}-new"))


@row("sweep")
def renamed_folder_whose_scan_nobody_saw(shore):
    folder = shore.path("/data/old").removesuffix(".mp4")
    scene = shore.scene(path=f"{folder}/buoy-{shore.number}.mp4")
    yield
    shore.moved_in_plex(scene.files[0].path, scene.files[0].path.replace(folder, f"{folder}-new"))
    shore.stash.scan_renamed_folder(folder, f"{folder}-new")


@row("nothing")
def rescan(shore):
    shore.scene()
    yield
    shore.stash.rescan()


@row("hook")
def clean_last_file(shore):
    scene = shore.scene()
    yield
    shore.stash.clean_missing_file(scene.files[0])


@row("look")
def clean_one_of_several_files(shore):
    scene = shore.scene(more=[shore.path()])
    yield
    shore.stash.clean_missing_file(scene.files[1])


@row("hook")
def identify(shore):
    scene = shore.scene()
    yield
    shore.stash.identify(scene, title="Identified", date="2024-05")


@row("look")
def identify_multiple_match(shore):
    scene, tag = shore.scene(), shore.stash.add_tag(f"Several {shore.number}")
    yield
    shore.stash.identify_multiple_match(scene, tag)


@row("look")
def auto_tag(shore):
    scene = shore.scene()
    yield
    tag = shore.stash.add_tag(f"Lantern {shore.number}")
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    work = lambda: shore.stash.auto_tag(scene, tags=[tag], studio=studio)  # noqa: E731
    shore.job("Auto-tagging...", work)


@row("nothing")
def heatmap(shore):
    scene = shore.scene()
    yield
    shore.library.touch(scene)


@row("nothing")
def plays_and_counts(shore):
    scene = shore.scene()
    yield
    shore.stash.play(scene)
    shore.stash.count_o(scene)
    shore.stage.edit(scene.id, resume_time=5.0)


@row("nothing")
def markers(shore):
    scene, tag = shore.scene(), shore.stash.add_tag(f"Moment {shore.number}")
    yield
    made = shore.stage.graphql(
        "mutation M($input: SceneMarkerCreateInput!) { sceneMarkerCreate(input: $input) { id } }",
        input={
            "scene_id": str(scene.id),
            "title": "Fog",
            "seconds": 5.0,
            "primary_tag_id": str(tag.id),
        },
    )
    shore.stage.graphql(
        "mutation M($id: ID!) { sceneMarkerDestroy(id: $id) }", id=made["sceneMarkerCreate"]["id"]
    )
