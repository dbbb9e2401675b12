"""One scene that Stash cannot show costs only itself, wherever scenes are read."""

from __future__ import annotations

import pytest

from stash2plex.app import make_stash
from stash2plex.errors import Transient, Unavailable
from stash2plex.servers import stash as stash_client
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash, Fault
from tests.harness.in_process import hasty

NUMBER = 60
KINDS = ["graphql_error", "status", "malformed", "empty", "html", "wrong_shape", "half", "reset"]
CONTENT = "SceneFields"
"""In every query that reads the content of scenes."""


@pytest.fixture
def stash(tmp_path):
    with FakeStash(root=str(tmp_path)) as server:
        for number in range(NUMBER):
            server.add_scene(title=f"Pier {number}", files=[f"/data/{number}.mp4"])
        yield server


@pytest.fixture
def client(stash):
    client = make_stash(StashAddress(stash.url))
    yield client
    client.close()


def spoil(stash, *ids, kind="graphql_error", operation="", **options):
    for id_ in ids:
        scene = stash.library.scenes[id_]
        order = Fault(
            kind, times=None, scene=scene, operation=operation,
            message="no such file or directory", **options,
        )  # fmt: skip
        stash.faults.add(order)


def asked(stash):
    return len(stash.requests)


# -- by id -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [[1], [30], [60], [7, 8, 41]])
def test_scenes_are_read_but_for_the_bad_ones_which_are_named(stash, client, kind, bad):
    spoil(stash, *bad, kind=kind)
    found = client.scenes(range(1, NUMBER + 1))
    assert sorted(found) == [id_ for id_ in range(1, NUMBER + 1) if id_ not in bad]
    assert sorted(found.unreadable) == bad
    for id_, error in found.unreadable.items():
        assert isinstance(error, Transient)
        assert f"Scene {id_} cannot be read" in error.what
    # A GraphQL error has its path, so it costs nothing more.
    most = 1 if kind == "graphql_error" else 6 + 12 * len(bad)
    assert asked(stash) <= most
    stash.clear_log()
    client.scenes(range(1, NUMBER + 1))
    assert asked(stash) <= 1 + 2 * len(bad), "what was bad is asked for alone the next time"


def test_a_bad_scene_alone_is_not_the_server(stash, client):
    spoil(stash, 5, kind="status")
    for _ in range(2):
        assert list(client.scenes([5]).unreadable) == [5]
    assert list(client.scenes([4])) == [4]
    assert list(client.scenes([5]).unreadable) == [5]
    assert client.scenes([999]) == {}
    assert client.scenes([]) == {}


@pytest.mark.parametrize("kind", ["status", "malformed", "empty", "html", "reset"])
def test_a_stash_that_answers_so_to_everything_is_the_server(stash, client, kind):
    client.scenes([3, 4])
    stash.faults.add(Fault(kind, times=None, path="^/graphql"))
    stash.clear_log()
    for ids in ([5], [3], list(range(1, 60))):
        with pytest.raises(Unavailable):
            client.scenes(ids)
    assert asked(stash) <= 3 * 6
    stash.clear_log()
    for read in (
        lambda: client.scene_page(0), lambda: list(client.scene_ids()),
        lambda: list(client.all_scenes()), lambda: client.glance("Stash2Plex", 0),
    ):  # fmt: skip
        with pytest.raises(Unavailable):
            read()
    assert asked(stash) <= 4 * 4


def test_a_locked_database_is_asked_once(stash, client):
    stash.faults.add(Fault("graphql_error", times=None, path="^/graphql"))
    with pytest.raises(Unavailable, match="locked"):
        client.scene_page(0)
    with pytest.raises(Unavailable, match="locked"):
        client.scenes([1, 2, 3])
    assert asked(stash) == 2


def test_a_scene_that_hangs(stash):
    patient = hasty(stash.url, 0.5)
    spoil(stash, 5, kind="hang")
    found = patient.scenes(list(range(1, 9)))
    assert sorted(found) == [1, 2, 3, 4, 6, 7, 8]
    assert list(found.unreadable) == [5]
    stash.faults.clear()
    patient.close()


# -- by page -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "kind"), [*((1_000, kind) for kind in KINDS), (7, "status")])
@pytest.mark.parametrize("bad", [[1], [30], [60], [7, 8, 41]])
def test_a_page_is_read_but_for_the_bad_scenes(stash, client, monkeypatch, size, kind, bad):
    monkeypatch.setattr(stash_client, "PAGE", size)
    spoil(stash, *bad, kind=kind, operation=CONTENT)
    pages = list(client.all_scenes())
    assert [scene.id for page in pages for scene in page.scenes] == [
        id_ for id_ in range(1, NUMBER + 1) if id_ not in bad
    ]
    assert sorted(id_ for page in pages for id_ in page.unreadable) == bad
    assert pages[-1].ended
    assert [id_ for page in client.scene_ids() for id_ in page] == list(range(1, NUMBER + 1))


@pytest.mark.parametrize(
    ("size", "kind"), [(1_000, "graphql_error"), (1_000, "malformed"), (7, "status")]
)
@pytest.mark.parametrize("bad", [[1], [30], [60], [7, 8, 41], [59, 60]])
def test_a_scene_that_spoils_its_list_of_ids_too(stash, client, monkeypatch, size, kind, bad):
    monkeypatch.setattr(stash_client, "PAGE", size)
    gone = [31, 32, 33]
    for id_ in gone:
        stash.library.destroy_scene(stash.library.scenes[id_])
    spoil(stash, *bad, kind=kind)
    pages = list(client.all_scenes())
    here = [id_ for id_ in range(1, NUMBER + 1) if id_ not in gone]
    assert [scene.id for page in pages for scene in page.scenes] == [
        id_ for id_ in here if id_ not in bad
    ]
    assert sorted(id_ for page in pages for id_ in page.unreadable) == bad
    assert sorted(id_ for page in client.scene_ids() for id_ in page) == here


def test_how_many_requests_a_bad_scene_costs(tmp_path):
    with FakeStash(root=str(tmp_path)) as stash:
        for number in range(2_000):
            stash.add_scene(title=f"Pier {number}", files=[f"/data/{number}.mp4"])
        client = make_stash(StashAddress(stash.url))
        spoil(stash, 700, kind="status", operation=CONTENT)
        for most in (28, 12):
            stash.clear_log()
            pages = list(client.all_scenes())
            assert [*pages[0].unreadable] == [700]
            assert sum(len(page.scenes) for page in pages) == 1_999
            assert asked(stash) <= most
        stash.faults.clear()
        spoil(stash, 1_700, kind="status")
        stash.clear_log()
        pages = list(client.all_scenes())
        assert [*pages[1].unreadable] == [1_700]
        assert asked(stash) <= 55
        client.close()


def test_a_filter_holds_for_a_page_with_a_bad_scene(stash, client):
    some = {"path": {"value": "/data/1", "modifier": "INCLUDES"}}
    for operation in (CONTENT, ""):
        stash.faults.clear()
        spoil(stash, 12, operation=operation)
        page = client.scene_page(0, some)
        assert {2, *range(13, 21)} <= {scene.id for scene in page.scenes}
        assert list(page.unreadable) == [12]
        assert (page.last, page.ended) == (20, True)


def test_lists_that_fail_while_scenes_are_shown_are_the_server(stash, client):
    stash.faults.add(Fault("status", times=None, path="^/graphql", operation="findScenes"))
    with pytest.raises(Unavailable):
        client.scene_page(0)
    assert asked(stash) <= 3


def test_a_library_in_which_every_scene_is_bad_is_the_server(stash, client):
    spoil(stash, *range(1, NUMBER + 1), kind="status")
    with pytest.raises(Unavailable):
        client.scene_page(0)
    assert asked(stash) <= 40


# -- samples and glances -----------------------------------------------------------------------


def test_a_sample_leaves_a_bad_scene_out(stash, client):
    spoil(stash, 9, operation=CONTENT)
    total, scenes = client.sample(NUMBER, 4)
    assert total == NUMBER
    assert {scene.id for scene in scenes} == {*range(1, NUMBER + 1)} - {9}


@pytest.mark.parametrize("kind", ["graphql_error", "status", "malformed"])
def test_a_glance_passes_over_a_newest_scene_that_is_bad(stash, client, kind):
    client.basics("Stash2Plex")
    library = stash.library
    for second, id_ in enumerate((20, 40)):
        library.scenes[id_].updated_at = library.time_text(2_000_000_000 + second)
    before = client.glance("Stash2Plex", 0)
    spoil(stash, 40, kind=kind)
    stash.clear_log()
    after = client.glance("Stash2Plex", 0)
    assert asked(stash) <= 9
    assert after.marks["scene"].newest == library.scenes[20].updated_at
    assert after.marks["scene"].count == NUMBER
    assert {**after.marks, "scene": 0} == {**before.marks, "scene": 0}
    assert after.configured == before.configured
    stash.clear_log()
    client.glance("Stash2Plex", 0)
    assert asked(stash) == 3, "the others are asked for together"
    stash.faults.clear()
    assert client.glance("Stash2Plex", 0) == before
    stash.clear_log()
    assert client.glance("Stash2Plex", 0) == before
    assert asked(stash) == 1
