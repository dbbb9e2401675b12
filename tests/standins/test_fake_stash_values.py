"""What FakeStash answers to values that are odd or wrong, word for word, and how it orders rows.

Each answer was compared with that of Stash v0.30.1 to the same request.
"""

from pathlib import Path
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash
from stash2plex_testing.stash.gotext import parse_date

JSON = {"Content-Type": "application/json"}
VERSION = b'{"query": "{ version { version } }"}'


@pytest.fixture
def stash(stash: FakeStash) -> FakeStash:
    stash.add_scene(files=["/data/a.mp4"])
    return stash


# -- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2020-05-06", "2020-05-06"),
        ("2020-05-06T10:00:00Z", "2020-05-06"),
        ("2020-05-06 10:00:00", "2020-05-06"),
        ("2020-05", "2020-05"),
        ("2020", "2020"),
        ("0000", "0000"),
    ],
)
def test_dates(text: str, stored: str) -> None:
    assert parse_date(text) == stored


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("2020-99-99", ('parsing time "2020-99-99": month out of range '
                       'parsing time "2020-99-99": extra text: "-99-99"')),
        ("2020-02-30", ('parsing time "2020-02-30": extra text: "-30" '
                       'parsing time "2020-02-30": extra text: "-02-30"')),
        ("2020-1-1", ('parsing time "2020-1-1" as "2006-01": cannot parse "1-1" as "01" '
                     'parsing time "2020-1-1": extra text: "-1-1"')),
        ("soon", ('parsing time "soon" as "2006-01": cannot parse "soon" as "2006" '
                 'parsing time "soon" as "2006": cannot parse "soon" as "2006"')),
    ],
)  # fmt: skip
def test_dates_that_are_refused(stash: FakeStash, text: str, problems: str) -> None:
    save = "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    answer = stash.client().post(save, {"i": {"id": "1", "date": text}}).json()
    assert answer["errors"] == [
        {
            "message": f'converting date: failed to parse date "{text}": '
            f"[ParseDateStringAsTime failed: dateString <{text}> {problems}]",
            "path": ["sceneUpdate"],
        }
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "x"}, 'converting id: strconv.Atoi: parsing "x": invalid syntax'),
        ({"id": "99"}, "scene with id 99 not found"),
        ({"organized": None}, ("Internal system error. Error <null value not allowed in "
                              "optional bool>")),
        ({"performer_ids": ["x"]}, ('converting performer ids: strconv.Atoi: parsing "x": '
                                   "invalid syntax")),
        ({"studio_id": ""}, ('converting studio id: converting  to int: strconv.Atoi: parsing "": '
                            "invalid syntax")),
        ({"primary_file_id": "99"}, "file with id 99 not associated with scene"),
        ({"cover_image": "*"}, 'processing cover image: Get "*": unsupported protocol scheme ""'),
        ({"cover_image": "data:image/jpeg;base64,*"}, ("processing cover image: illegal base64 "
                                                      "data at input byte 0")),
    ],
)  # fmt: skip
def test_updates_that_are_refused(stash: FakeStash, values: dict[str, Any], message: str) -> None:
    save = "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    answer = stash.client().post(save, {"i": {"id": "1", "title": "no", **values}})
    assert answer.status == 200
    assert answer.json()["errors"] == [{"message": message, "path": ["sceneUpdate"]}]
    assert stash.library.scenes[1].title is None


def test_a_scene_without_files_needs_a_title(stash: FakeStash) -> None:
    client = stash.client()
    made = client.query('mutation { sceneCreate(input: {title: "by hand"}) { id } }')
    assert made == {"sceneCreate": {"id": "2"}}
    message = "title must be set if scene has no files"
    for text in (
        "mutation { sceneCreate(input: {}) { id } }",
        'mutation { sceneUpdate(input: {id: 2, title: ""}) { id } }',
    ):
        assert client.post(text).json()["errors"][0]["message"] == message
    client.query('mutation { bulkSceneUpdate(input: {ids: [2], title: ""}) { id } }')
    assert stash.library.scenes[2].title is None, "a bulk edit does not look"


def test_lists_of_nothing(stash: FakeStash) -> None:
    ask = stash.client().query
    assert ask("mutation { scenesUpdate(input: []) { id } }") == {"scenesUpdate": None}
    assert ask("mutation { bulkSceneUpdate(input: {ids: []}) { id } }") == {"bulkSceneUpdate": None}
    assert ask("{ plugins { id } pluginTasks { name } }") == {"plugins": None, "pluginTasks": None}
    with pytest.raises(ValueError, match="no rows in result set"):
        ask("mutation { bulkSceneUpdate(input: {ids: [1, 99]}) { id } }")


def test_what_is_not_set_is_an_empty_text(stash: FakeStash) -> None:
    stash.add_performer("p"), stash.add_studio("s"), stash.add_tag("t"), stash.add_group("g")
    answer = stash.client().post(
        "{ findScene(id: 1) { title code details director date play_duration resume_time }"
        " findPerformer(id: 1) { disambiguation country details birthdate }"
        " findStudio(id: 1) { details } findTag(id: 1) { sort_name description }"
        " findGroup(id: 1) { aliases director synopsis date duration } }"
    )
    data = answer.json()["data"]
    texts = dict.fromkeys(("title", "code", "details", "director"), "")
    assert data["findScene"] == {**texts, "date": None, "play_duration": 0, "resume_time": 0}
    assert b'"play_duration":0,' in answer.body, "not 0.0"
    assert data["findPerformer"] == {
        "disambiguation": "", "country": "", "details": "", "birthdate": None,
    }  # fmt: skip
    assert data["findStudio"] == {"details": ""}
    assert data["findTag"] == {"sort_name": "", "description": ""}
    assert data["findGroup"] == {
        "aliases": "", "director": "", "synopsis": "", "date": None, "duration": None,
    }  # fmt: skip


# -- order --------------------------------------------------------------------------------


def test_scenes_without_a_sort_come_by_studio(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    one, two = stash.add_studio("b"), stash.add_studio("a")
    for studio in (two, None, one, two, None):
        stash.add_scene(studio=studio)
    with stash:
        ask = stash.client().query
        asked = ask("{ findScenes { scenes { id } } }")
        assert [row["id"] for row in asked["findScenes"]["scenes"]] == ["2", "5", "3", "1", "4"]
        paged = ask("{ findScenes(filter: {page: 2, per_page: 2}) { scenes { id } } }")
        assert [row["id"] for row in paged["findScenes"]["scenes"]] == ["3", "1"]


def test_names_are_ordered_naturally(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    tags = [stash.add_tag(name) for name in ("Wood", "apple", "tag 10", "tag 9")]
    tags.append(stash.add_tag("Zebra", sort_name="000"))
    people = [stash.add_performer(name) for name in ("Performer 17", "Anna", "performer 2")]
    stash.add_scene(tags=tags, performers=people[::-1])
    with stash:
        data = stash.client().query(
            "{ findScene(id: 1) { tags { name } performers { name } } findTags { tags { name } }"
            " findPerformers { performers { name } } allPerformers { name } }"
        )
    ordered = [{"name": name} for name in ("Zebra", "apple", "tag 9", "tag 10", "Wood")]
    assert data["findScene"]["tags"] == data["findTags"]["tags"] == ordered
    assert data["findPerformers"]["performers"] == [
        {"name": name} for name in ("Anna", "performer 2", "Performer 17")
    ]
    by_id = [{"name": name} for name in ("Performer 17", "Anna", "performer 2")]
    assert data["findScene"]["performers"] == by_id


def test_equal_values_are_ordered_by_id_then_by_title(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path), clock=lambda: 1_750_000_000.0)
    for title in ("Part 10", None, "5", "part 9", None):
        stash.add_scene(title)
    with stash:
        for direction in ("ASC", "DESC"):
            paging = f'{{sort: "updated_at", direction: {direction}, per_page: 3, page: 2}}'
            both = stash.client().query(
                f'{{ a: findScenes(filter: {{sort: "updated_at", direction: {direction}}})'
                f" {{ scenes {{ id }} }} b: findScenes(filter: {paging}) {{ scenes {{ id }} }} }}"
            )
            shown = [[int(row["id"]) for row in both[name]["scenes"]] for name in "ab"]
            assert shown == [[2, 5, 3, 4, 1], [4, 1]]


def test_random_orders_are_those_of_the_seed(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    for number in range(7):
        stash.add_scene(f"{number}")
    with stash:
        ask = stash.client().query
        for seed, expected in (("12", "4751263"), ("99999999999", "2364715")):
            found = ask(
                f'{{ findScenes(filter: {{sort: "random_{seed}"}}) {{ scenes {{ id }} }} }}'
            )
            assert "".join(row["id"] for row in found["findScenes"]["scenes"]) == expected
        with pytest.raises(ValueError, match="invalid random seed: x"):
            ask('{ findScenes(filter: {sort: "random_x"}) { count } }')
