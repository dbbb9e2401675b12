"""Every way in which a scene's face changes, by the table of stash.md §10: how soon it is learnt.

“hook”: the save itself queued a key. “look”: the next glance at Stash, at most a minute later.
“sweep”: the next full sweep. “nothing”: Plex shows nothing of it, and nothing is sent.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import Any

import pytest

from stash2plex.lock import drain_lock
from stash2plex.sync.apply import files_mark
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Silent
from stash2plex.sync.sweep import ChangeFilter
from stash2plex_testing.stash import picture
from tests.harness.process import Stage, open_stage
from tests.support import ManualClock, present

HARBOUR = "/data/harbour"
ROWS: list[Any] = []


def row(learnt):
    def take(steps):
        ROWS.append(pytest.param(learnt, steps, id=steps.__name__))
        return steps

    return take


class Shore:
    """One stage for all rows, an application in this process, and a clock of theirs."""

    def __init__(self, stage, clock):
        self.stage = stage
        self.clock = clock
        self.stash = stage.stash
        self.library = stage.stash.library
        self.number = 0
        self.made = []
        self.app = open_stage(stage, clock)

    # -- the library ----------------------------------------------------------------------

    def path(self, folder=HARBOUR):
        self.number += 1
        return f"{folder}/pier-{self.number}.mp4"

    def scene(self, *, path=None, more=(), versions=(), **values):
        """Add a scene; Plex has its first file, with `versions` of it, but not `more` files."""
        path = path or self.path()
        values.setdefault("title", f"Pier {self.number}")
        scene = self.stash.add_scene(files=[path, *versions, *more], **values)
        self.in_plex(path, *versions)
        self.made.append(scene)
        return scene

    def in_plex(self, *paths):
        files = [path.replace("/data", "/media/library", 1) for path in paths]
        return self.stage.plex.add_item(self.stage.section, files=files)

    def moved_in_plex(self, old, new):
        old, new = (path.replace("/data", "/media/library", 1) for path in (old, new))
        item = next(one for one in self.stage.plex.all_items() if one.parts[0].path == old)
        self.stage.plex.move_file(item, new)

    def job(self, description, work):
        self.stash.queue_job(description, lambda _: work()).wait()

    @contextmanager
    def without_hooks(self):
        """Switch the plugin off for a while: what happens then reaches no hook."""
        plugin = "mutation P($on: BoolMap!) { setPluginsEnabled(enabledMap: $on) }"
        self.stage.graphql(plugin, on={"Stash2Plex": False})
        yield
        self.stage.graphql(plugin, on={"Stash2Plex": True})

    # -- the plugin -----------------------------------------------------------------------

    def look(self, days=0.0, *, foreground=True):
        """Let time pass, then drain until nothing is due."""
        self.clock.now += days * 86_400 + 700
        goal = Foreground("a test") if foreground else Background("a test", idle=1.0)
        self.app.drain(goal, Silent(), lambda: False)

    def settle(self):
        self.app.store.queue.add_many([("scene", scene.id) for scene in self.made])
        self.look()
        self.look()

    def is_right(self):
        """Whether Plex shows what Stash shows, and the records say so too."""
        records = self.app.store.records
        change_filter = ChangeFilter(
            self.app.store.queue, records, self.app.settings(), self.app.store.scenes
        )
        found = self.app.stash.scenes(list({scene.id: 0 for scene in self.made}))
        for scene in self.made:
            if scene.id in found and change_filter.why_idle(found[scene.id]) is None:
                return False
            if scene.id not in found and records.get(scene.id) is not None:
                return False
        ids = {scene.id for scene in self.made}
        wrong = {int(present(re.search(r"\d+", text))[0]) for text in self.stage.wrong()}
        return not ids & wrong


@pytest.fixture(scope="module")
def shore(tmp_path_factory):
    # Keys of hooks are stored by the time of this machine, and have to be due.
    clock = ManualClock(time.time())
    with Stage(str(tmp_path_factory.mktemp("stash")), clock=clock) as stage:
        stage.install()
        shore = Shore(stage, clock)
        # With the lock in this process, hooks start no worker.
        lock = drain_lock(stage.data_dir)
        assert lock.acquire()
        shore.look()
        yield shore
        lock.release()
        shore.app.close()


# -- scenes -------------------------------------------------------------------------------


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


# -- scan, clean, tasks -------------------------------------------------------------------


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


# -- performers, studios, tags, groups ----------------------------------------------------


def update(shore, kind, entity, **values):
    name = kind.capitalize()
    shore.stage.graphql(
        f"mutation U($input: {name}UpdateInput!) {{ {kind}Update(input: $input) {{ id }} }}",
        input={"id": str(entity.id), **values},
    )


def destroy(shore, kind, entity):
    name = kind.capitalize()
    shore.stage.graphql(
        f"mutation D($input: {name}DestroyInput!) {{ {kind}Destroy(input: $input) }}",
        input={"id": str(entity.id)},
    )


@row("hook")
def performer_renamed(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    update(shore, "performer", performer, name=f"Performer {shore.number}, renamed")


@row("look")
def performer_renamed_in_a_stash_box_batch(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    change = lambda: shore.stash.stash_box_update(performer, name=f"Boxed {shore.number}")  # noqa: E731
    shore.job("Batch stash-box performer tag...", change)


@row("nothing")
def performer_favourite(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    update(shore, "performer", performer, favorite=True)


@row("hook")
def performer_destroyed(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer, shore.stash.add_performer(f"Other {shore.number}")])
    yield
    destroy(shore, "performer", performer)


@row("look")
def performer_destroyed_while_the_plugin_is_off(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer, shore.stash.add_performer(f"Other {shore.number}")])
    yield
    with shore.without_hooks():
        destroy(shore, "performer", performer)


@row("look")
def performers_merged(shore):
    one, two = (shore.stash.add_performer(f"{name} {shore.number}") for name in ("One", "Two"))
    shore.scene(performers=[one])
    shore.scene(performers=[two])
    yield
    shore.stash.merge_performers([one], two)


@row("hook")
def studio_renamed(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    update(shore, "studio", studio, name=f"Northern quay {shore.number}")


@row("look")
def studio_renamed_in_a_stash_box_batch(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    shore.stash.stash_box_update(studio, name=f"Boxed quay {shore.number}")


@row("nothing")
def studio_above_renamed(shore):
    above = shore.stash.add_studio(f"Port {shore.number}")
    shore.scene(studio=shore.stash.add_studio(f"Quay {shore.number}", above))
    yield
    update(shore, "studio", above, name=f"Northern port {shore.number}")


@row("hook")
def studio_destroyed(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    destroy(shore, "studio", studio)


@row("hook")
def tag_renamed(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag])
    yield
    update(shore, "tag", tag, name=f"Dense fog {shore.number}")


@row("look")
def tag_renamed_while_the_plugin_is_off(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag])
    yield
    with shore.without_hooks():
        update(shore, "tag", tag, name=f"Thin fog {shore.number}")


@row("hook")
def tag_destroyed(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag, shore.stash.add_tag(f"Tide {shore.number}")])
    yield
    destroy(shore, "tag", tag)


@row("hook")
def tags_merged(shore):
    one, two = (shore.stash.add_tag(f"{name} {shore.number}") for name in ("Ebb", "Flow"))
    shore.scene(tags=[one])
    yield
    shore.stash.merge_tags([one], two)
    assert queued(shore) == {("tag", one.id), ("tag", two.id)}


@row("look")
def tags_merged_while_the_plugin_is_off(shore):
    one, two = (shore.stash.add_tag(f"{name} {shore.number}") for name in ("Ebb", "Flow"))
    shore.scene(tags=[one])
    yield
    with shore.without_hooks():
        shore.stash.merge_tags([one], two)


@row("nothing")
def group_renamed_and_destroyed(shore):
    group = shore.stash.add_group(f"Fleet {shore.number}")
    shore.scene(groups=[group])
    yield
    update(shore, "group", group, name=f"Fleet at sea {shore.number}")
    destroy(shore, "group", group)


@row("nothing")
def sub_groups(shore):
    group, above = (shore.stash.add_group(f"{name} {shore.number}") for name in ("Boat", "Fleet"))
    shore.scene(groups=[group])
    yield
    group.containing = ((above, None),)


# -- the whole library --------------------------------------------------------------------


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


def queued(shore):
    return {(kind, id_) for kind, id_ in shore.stage.rows("SELECT kind, id FROM queue")}


@pytest.mark.parametrize(("learnt", "steps"), ROWS)
def test_a_change_reaches_plex(shore, learnt, steps):
    shore.made.clear()
    running = steps(shore)
    next(running)
    if learnt == "sweep":
        # Long ago, with something newer beside it: the overlap of a poll must not find it.
        shore.clock.step(5 * 3600)
        shore.scene()
    shore.settle()
    assert shore.is_right()
    shore.stage.plex.clear_log()
    shore.clock.step(5)
    assert next(running, "ended") == "ended"
    if learnt == "nothing":
        shore.look(1.0, foreground=False)
        assert shore.stage.plex.count("PUT") + shore.stage.plex.count("POST") == 0
        assert shore.is_right()
        return
    assert bool(queued(shore)) is (learnt == "hook")
    assert not shore.is_right()
    shore.look()
    assert shore.is_right() is (learnt != "sweep")
    shore.look(1.0, foreground=False)
    assert shore.is_right()
    assert queued(shore) == set()
