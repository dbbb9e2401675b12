"""FakeStash's library: changing it, and what each change bumps."""

import base64
from collections.abc import Callable

import pytest

from stash2plex_testing.stash import FakeStash, picture
from tests.harness.fake_library import START, Ask, ask, clock, ids, stash
from tests.support import ManualClock

__all__ = ["ask", "clock", "stash"]


def stamps(stash: FakeStash) -> dict[int, str]:
    return {scene.id: scene.updated_at for scene in stash.scenes}


def bumped(stash: FakeStash, clock: ManualClock, change: Callable[[], object]) -> list[int]:
    before = stamps(stash)
    clock.now += 10
    change()
    return [id_ for id_, stamp in stamps(stash).items() if stamp != before.get(id_)]


def test_what_bumps_a_scene(stash: FakeStash, ask: Ask, clock: ManualClock) -> None:
    performers = [stash.add_performer(name) for name in "pq"]
    tags = [stash.add_tag(name) for name in "tu"]
    studio = stash.add_studio("s")
    one, two = (
        stash.add_scene(files=[f"/data/{n}/a.mp4", f"/data/{n}/b.mp4"], performers=performers[:1],
                        tags=tags[:1], studio=studio)
        for n in "12"
    )  # fmt: skip

    def change(what: Callable[[], object]) -> list[int]:
        return bumped(stash, clock, what)

    assert change(lambda: ask("mutation { sceneUpdate(input: {id: 1}) { id } }")) == [1]
    assert change(lambda: ask('mutation { performerUpdate(input: {id: 1, name: "n"}) { id } }')
                  ) == []  # fmt: skip
    assert performers[0].updated_at == stash.library.now()
    assert change(lambda: ask('mutation { studioUpdate(input: {id: 1, name: "n"}) { id } }')) == []
    assert change(lambda: ask("mutation { sceneAddPlay(id: 1) { count } }")) == []
    assert change(lambda: ask('mutation { moveFiles(input: {ids: [1], destination_folder: "/data/n"'
                              "}) }")) == []  # fmt: skip
    assert one.files[0].path == "/data/n/a.mp4"
    assert one.files[0].updated_at == stash.library.now()
    assert change(lambda: stash.scan_renamed_folder("/data/2", "/data/zwei")) == []
    assert two.files[0].path == "/data/zwei/a.mp4"
    assert change(lambda: stash.scan_moved_file(one.files[0], "/data/m.mp4")) == []
    assert change(lambda: stash.scan_changed_file(one.files[0])) == []
    assert change(lambda: stash.scan_duplicate_file(one, "/data/o.mp4")) == [1]
    assert change(lambda: stash.auto_tag(two, tags=tags)) == [2]
    assert change(lambda: stash.generate_cover(two, 5)) == [2]
    assert change(lambda: stash.clean_missing_file(two.files[1])) == [2]
    assert change(lambda: stash.play(two)) == []
    clock.now += 10
    assert change(lambda: ask("mutation { tagsMerge(input: {source: [1], destination: 2}) { id } }")
                  ) == []  # fmt: skip
    assert tags[1].updated_at != stash.library.now(), "a merge does not bump its destination"
    assert tags[1].aliases == ("t",)
    assert one.tags == two.tags == (tags[1],)
    assert change(lambda: ask("mutation { performerMerge(input: {source: [1], destination: 2})"
                              " { id } }")) == []  # fmt: skip
    assert one.performers == (performers[1],)
    assert performers[1].updated_at == stash.library.now()
    assert change(lambda: ask("mutation { studioDestroy(input: {id: 1}) }")) == []
    assert one.studio is None
    merge = "mutation { sceneMerge(input: {source: [2], destination: 1}) { id } }"
    assert change(lambda: ask(merge)) == [1]
    assert ids(ask) == [1]
    assert len(one.files) == 4


def test_updating_a_scene(stash: FakeStash, ask: Ask) -> None:
    stash.generate(3)
    data = ask(
        "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { title date performers { id }"
        " tags { id } paths { screenshot } } }",
        {"i": {"id": "1", "title": "  Kites ", "date": "2021", "performer_ids": ["2", "1"],
               "tag_ids": [], "cover_image": "data:image/jpeg;base64,"
               + base64.b64encode(picture(7)).decode()}},
    )["sceneUpdate"]  # fmt: skip
    assert data["title"] == "Kites"
    assert data["date"] == "2021"
    assert [row["id"] for row in data["performers"]] == ["1", "2"], "by id, however they were set"
    assert stash.client().get(data["paths"]["screenshot"]).body == picture(7)
    for bad in ({"date": "soon"}, {"performer_ids": ["999"]}, {"cover_image": "*"}):
        with pytest.raises(ValueError, match=r".+"):
            ask("mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }",
                {"i": {"id": "1", "title": "no", **bad}})  # fmt: skip
    assert stash.scenes[0].title == "Kites"
    answer = stash.client().post("mutation { sceneUpdate(input: {id: 77}) { id } }").json()
    assert answer["data"] == {"sceneUpdate": None}
    assert answer["errors"] == [{"message": "scene with id 77 not found", "path": ["sceneUpdate"]}]


def test_bulk_modes(stash: FakeStash, ask: Ask) -> None:
    tags = [stash.add_tag(name) for name in "abc"]
    stash.add_scene(tags=tags[:1])
    stash.add_scene(tags=tags[1:])

    def bulk(mode: str, chosen: list[str]) -> list[list[int]]:
        ask(
            "mutation ($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }",
            {"i": {"ids": ["1", "2"], "tag_ids": {"mode": mode, "ids": chosen}, "organized": True}},
        )
        return [[tag.id for tag in scene.tags] for scene in stash.scenes]

    assert bulk("ADD", ["2"]) == [[1, 2], [2, 3]]
    assert bulk("REMOVE", ["2"]) == [[1], [3]]
    assert bulk("SET", ["3", "1"]) == [[3, 1], [3, 1]]
    assert all(scene.organized for scene in stash.scenes)


def test_full_import_renumbers(stash: FakeStash, ask: Ask) -> None:
    stash.generate(10)
    before = {scene.files[0].path: scene.id for scene in stash.scenes}
    stash.full_import()
    after = {scene.files[0].path: scene.id for scene in stash.scenes}
    assert sorted(after.values()) == list(range(1, 11))
    assert before != after
    assert ids(ask) == list(range(1, 11))


def test_imported_times_may_be_old(stash: FakeStash, ask: Ask) -> None:
    scene = stash.add_scene("a")
    stash.import_scene(scene, START - 86400, title="b")
    assert scene.updated_at == "2025-06-14T15:06:40Z"
    assert ask("{ findScene(id: 1) { title } }") == {"findScene": {"title": "b"}}
