"""FakeStash's library: finding, filtering, changing, and what each change bumps."""

import tracemalloc
from pathlib import Path

import pytest

from stash2plex_testing.stash import FakeStash, picture
from tests.harness.fake_library import START, Ask, ask, clock, ids, stash
from tests.support import ManualClock

__all__ = ["ask", "clock", "stash"]


def test_scene_shows_what_was_added(stash: FakeStash, ask: Ask) -> None:
    above = stash.add_studio("Above")
    scene = stash.add_scene(
        "Harbour",
        details="By the water",
        date="2020-05",
        rating100=80,
        studio=stash.add_studio("Studio", above),
        performers=[stash.add_performer("Performer 17", disambiguation="the younger")],
        tags=[stash.add_tag("b"), stash.add_tag("a"), stash.add_tag("c", sort_name="0")],
        groups=[stash.add_group("Collection")],
        files=["/data/x/one.mp4", "/data/y/two.mkv"],
        sizes=[5, 2**33],
    )
    data = ask(
        """query ($id: ID) { findScene(id: $id) {
          __typename id title details date rating100 organized code o_counter play_count urls url
          studio { name parent_studio { name parent_studio { name } } }
          performers { name disambiguation alias_list custom_fields } tags { name }
          groups { group { name } scene_index } stash_ids { endpoint }
          files { path basename size parent_folder { path } fingerprint(type: "oshash")
                  fingerprints { type } duration video_codec bit_rate } } }""",
        {"id": str(scene.id)},
    )["findScene"]
    assert data["studio"] == {
        "name": "Studio",
        "parent_studio": {"name": "Above", "parent_studio": None},
    }
    assert [tag["name"] for tag in data["tags"]] == ["c", "a", "b"]
    assert [(file["path"], file["size"]) for file in data["files"]] == [
        ("/data/x/one.mp4", 5),
        ("/data/y/two.mkv", 2**33),
    ]
    assert data["files"][0]["fingerprint"] == scene.files[0].oshash
    assert data["files"][0]["parent_folder"] == {"path": "/data/x"}
    assert (data["date"], data["rating100"], data["code"]) == ("2020-05", 80, "")
    assert data["groups"] == [{"group": {"name": "Collection"}, "scene_index": None}]


def test_invalid_documents_fail_whole(stash: FakeStash) -> None:
    client = stash.client()
    for text in ("{ findScene(id: 1) { id custom_fields } }", "{ findScene(", "{ nothing }"):
        answer = client.post(text)
        assert answer.status == 422
        assert answer.json()["errors"][0]["message"]
        assert answer.json()["data"] is None
    assert client.post("query ($id: ID!) { findScene(id: $id) { id } }").status == 422


def test_aliases_read_many_scenes_and_absent_ones_are_null(stash: FakeStash, ask: Ask) -> None:
    stash.generate(30)
    for first in (1, 11, 28):
        fields = " ".join(f"s{n}: findScene(id: {n}) {{ ...F }}" for n in range(first, first + 5))
        text = f"query Q {{ {fields} }} fragment F on Scene {{ id title }}"
        data = ask(text)
        assert list(data) == [f"s{n}" for n in range(first, first + 5)]
        for n in range(first, first + 5):
            expected = None
            if n <= 30:
                expected = {"id": str(n), "title": stash.library.scenes[n].title}
            assert data[f"s{n}"] == expected


def test_an_alias_inside_a_string_stays_text(stash: FakeStash, ask: Ask) -> None:
    stash.add_scene("a")
    data = ask(
        '{ a: findScene(id: 1) { id } b: findScenes(filter: {q: "c: findScene(id: 2)"}) { count } }'
    )
    assert data == {"a": {"id": "1"}, "b": {"count": 0}}


def test_quick_plan_and_executor_agree(stash: FakeStash) -> None:
    stash.generate(40)
    client = stash.client()
    text = """query ($f: FindFilterType) { findScenes(filter: $f) { count scenes {
      id title updated_at paths { screenshot } files { ...P size } studio { id name }
      performers { id name } tags { id } groups { group { id front_image_path } } } } }
      fragment P on VideoFile { path path basename }"""
    variables = {"f": {"per_page": 40, "sort": "path", "direction": "DESC"}}
    quick = client.post(text, variables).json()
    # A directive makes the real executor do it.
    slow = client.post(text.replace("count", "count @include(if: true)"), variables).json()
    assert quick == slow
    assert len(quick["data"]["findScenes"]["scenes"]) == 40


def test_ids_keep_their_order_and_a_missing_one_fails_all(stash: FakeStash, ask: Ask) -> None:
    stash.generate(5)
    found = ask("{ findScenes(ids: [3, 1]) { count scenes { id } } }")["findScenes"]
    assert found == {"count": 2, "scenes": [{"id": "3"}, {"id": "1"}]}
    for chosen, message in (
        ("[1, 99]", "scene with id 99 not found"),
        ("[1, 1]", "validating ids: duplicate id found: 1"),
        ('["x"]', 'converting ids: strconv.Atoi: parsing .*"x.*": invalid syntax'),
    ):
        with pytest.raises(ValueError, match=message):
            ask(f"{{ findScenes(ids: {chosen}) {{ count }} }}")


def test_paging(stash: FakeStash, ask: Ask) -> None:
    stash.generate(60)
    every = list(range(1, 61))
    assert ids(ask) == every
    assert ids(ask, per_page=None) == every[:25]
    assert ids(ask, per_page=0) == []
    assert ids(ask, per_page=20, page=3) == every[40:]
    assert ids(ask, per_page=7, direction="DESC") == every[:-8:-1]
    assert ids(ask, {"id": {"value": 55, "modifier": "GREATER_THAN"}}, per_page=2) == [56, 57]
    with pytest.raises(ValueError, match="invalid sort"):
        ids(ask, sort="nonsense")


@pytest.mark.parametrize(
    ("modifier", "value", "value2", "expected"),
    [
        ("EQUALS", 3, None, [3]),
        ("NOT_EQUALS", 3, None, [1, 2, 4, 5]),
        ("GREATER_THAN", 3, None, [4, 5]),
        ("LESS_THAN", 3, None, [1, 2]),
        ("BETWEEN", 2, 4, [2, 3, 4]),
        ("NOT_BETWEEN", 2, 4, [1, 5]),
        ("IS_NULL", 0, None, []),
        ("NOT_NULL", 0, None, [1, 2, 3, 4, 5]),
    ],
)
def test_id_criterion(
    stash: FakeStash, ask: Ask, modifier: str, value: int, value2: int | None, expected: list[int]
) -> None:
    stash.generate(5)
    criterion = {"value": value, "value2": value2, "modifier": modifier}
    assert ids(ask, {"id": criterion}) == expected
    assert ids(ask, {"AND": {"id": criterion}}) == expected


def test_relations_with_depth_and_excludes(stash: FakeStash, ask: Ask) -> None:
    top = stash.add_studio("top")
    middle = stash.add_studio("middle", top)
    low = stash.add_studio("low", middle)
    for studio in (top, middle, low, None):
        stash.add_scene(studio=studio)
    for depth, expected in ((None, [1]), (0, [1]), (1, [1, 2]), (-1, [1, 2, 3])):
        criterion = {"value": ["1"], "modifier": "INCLUDES", "depth": depth}
        assert ids(ask, {"studios": criterion}) == expected
    assert ids(ask, {"studios": {"modifier": "IS_NULL"}}) == [4]
    excluded = {"value": ["1"], "modifier": "INCLUDES", "depth": -1, "excludes": ["3"]}
    assert ids(ask, {"studios": excluded}) == [1, 2]
    assert ids(ask, {"performers": {"value": [], "modifier": "INCLUDES"}}) == [1, 2, 3, 4]


def test_one_chained_filter_a_level(stash: FakeStash, ask: Ask) -> None:
    stash.generate(6)
    one, two = ({"id": {"value": n, "modifier": "EQUALS"}} for n in (1, 2))
    assert ids(ask, {**one, "OR": {**two, "OR": {"id": {"value": 5, "modifier": "GREATER_THAN"}}}})
    assert ids(ask, {**one, "OR": two}) == [1, 2]
    assert ids(ask, {**one, "AND": two}) == []
    assert ids(ask, {"NOT": one}) == [2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="same filter"):
        ids(ask, {"OR": one, "NOT": two})


def test_times_are_local_text_and_compared_as_text(
    stash: FakeStash, ask: Ask, clock: ManualClock
) -> None:
    stash.library.utc_offset_minutes = 120
    scene = stash.add_scene("a")
    assert scene.updated_at == "2025-06-15T17:06:40+02:00"
    clock.now += 60
    stash.add_scene("b")

    def since(value: str, modifier: str = "GREATER_THAN", value2: str | None = None) -> list[int]:
        criterion = {"value": value, "value2": value2, "modifier": modifier}
        return ids(ask, {"updated_at": criterion})

    assert since(scene.updated_at) == [2]
    assert since("2025-06-15T17:06:40") == [1, 2], "a prefix sorts before: the second is included"
    # One second before both, in UTC: as text it is two hours off.
    assert since("2025-06-15T15:07:30Z") == [1, 2]
    assert since("2025-06-15 17:07:30") == [1, 2], "a blank sorts before T: the whole day fits"
    assert since("2025-06-15T17:07:00", "BETWEEN") == [2]
    assert since("", "IS_NULL") == []
    with pytest.raises(ValueError, match="Internal system error"):
        since("2025", "INCLUDES")
    stash.library.utc_offset_minutes = 0
    assert stash.add_scene().updated_at == "2025-06-15T15:07:40Z"
    assert ids(ask, sort="updated_at") == [3, 1, 2], "a changed zone sorts newer rows before"


def test_times_of_jobs_have_fractions(stash: FakeStash, ask: Ask, clock: ManualClock) -> None:
    found = "{ findJob(input: {id: %d}) { addTime } }"
    for moment, text in ((START, "15:06:40Z"), (START + 0.25, "15:06:40.25Z")):
        clock.now = moment
        job = stash.queue_job("scan", lambda _: None).wait()
        assert ask(found % job.id) == {"findJob": {"addTime": f"2025-06-15T{text}"}}


def test_related_filters_and_the_one_that_is_ignored(
    stash: FakeStash, ask: Ask, clock: ManualClock
) -> None:
    performer, studio, tag = stash.add_performer("p"), stash.add_studio("s"), stash.add_tag("t")
    group = stash.add_group("g")
    stash.add_scene(performers=[performer], files=["/data/a.mp4"])
    stash.add_scene(studio=studio, files=["/data/b.mp4"])
    stash.add_scene(tags=[tag], files=["/data/c.mp4"])
    stash.add_scene(groups=[group], files=["/data/d.mp4"])
    border = stash.library.now()
    newer = {"updated_at": {"value": border, "modifier": "GREATER_THAN"}}
    clock.now += 5
    for row in (performer, studio, tag, group):
        stash.library.touch(row)
    assert ids(ask, {"performers_filter": newer}) == [1]
    assert ids(ask, {"studios_filter": newer}) == [2]
    assert ids(ask, {"tags_filter": newer}) == [3]
    assert ids(ask, {"movies_filter": newer}) == [4]
    assert ids(ask, {"groups_filter": newer}) == [1, 2, 3, 4]
    stash.move_file(stash.scenes[1].files[0], "/data/e.mp4")
    assert ids(ask, {"files_filter": newer}) == [2]
    assert ids(ask, newer) == []


def test_other_lists(stash: FakeStash, ask: Ask) -> None:
    stash.generate(60)
    data = ask(
        '{ findPerformers(filter: {per_page: 2, sort: "name"}) { count performers { id name } }'
        " findTags(tag_filter: {parents: {value: [2], modifier: INCLUDES}}) { tags { name } }"
        " findStudios(ids: [2]) { studios { id parent_studio { id } } } findGroup(id: 1) { name }"
        " findPerformer(id: 99999) { id } findTag(id: 2) { children { id } }"
        " stats { scene_count } version { version } systemStatus { status } }"
    )
    assert data["findPerformers"]["count"] == len(stash.library.performers)
    assert data["findTags"]["tags"]
    assert data["findPerformer"] is None
    assert data["stats"]["scene_count"] == 60


def test_the_newest_file(stash: FakeStash, ask: Ask, clock: ManualClock) -> None:
    one = stash.add_scene(files=["/data/a.mp4"])
    clock.now += 5
    stash.add_scene(files=["/data/b.mp4"])
    query = (
        "query ($f: FindFilterType) { findFiles(filter: $f) { count files { path updated_at } } }"
    )
    newest = {"f": {"per_page": 1, "sort": "updated_at", "direction": "DESC"}}
    found = ask(query, newest)["findFiles"]
    assert (found["count"], found["files"][0]["path"]) == (2, "/data/b.mp4")
    clock.now += 5
    stash.move_file(one.files[0], "/data/c.mp4")
    assert ask(query, newest)["findFiles"]["files"][0]["path"] == "/data/c.mp4"


def test_generated_libraries_are_varied_and_the_same(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        stash = FakeStash(root=str(tmp_path / str(number)), clock=lambda: START)
        made.append(stash.generate(300, seed=4))
    assert [(s.title, s.date, s.cover) for s in made[0]] == [
        (s.title, s.date, s.cover) for s in made[1]
    ]
    scenes = made[0]
    assert {len(scene.date or "") for scene in scenes} == {0, 4, 7, 10}
    assert any(scene.title is None for scene in scenes)
    assert any(len(scene.files) > 1 for scene in scenes)
    assert any(not (scene.title or "").isascii() for scene in scenes)
    assert len({scene.files[0].folder.path for scene in scenes}) > 5
    assert any(studio.parent for studio in stash.library.studios.values())


def test_pictures_are_valid_and_distinct(tmp_path: Path) -> None:
    drawn = [picture(number) for number in range(200)]
    assert len(set(drawn)) == 200
    assert {data[:3] for data in drawn} == {b"\xff\xd8\xff", b"\x89PN"}
    for data in drawn[:4]:
        assert data.endswith((b"\xff\xd9", b"IEND\xaeB`\x82"))


def test_a_scene_takes_little_memory(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    tracemalloc.start()
    try:
        stash.generate(2000)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / 2000 < 3000, "100,000 scenes shall fit into 300 MB"
