"""A bad item or a bad library stops nothing else, and is named (issue 21, point 1)."""

from __future__ import annotations

import pytest

from stash2plex.operations.health.report import read_health
from stash2plex.operations.rebuild_index import rebuild_index
from stash2plex.store.reports import ReportBook
from stash2plex.sync.scheduled_reconcile import ScheduledReconcile
from stash2plex_testing.plex import Fault, scopes
from tests.harness.in_process import listen
from tests.support import present

BROKEN = [
    ("status", 500), ("status", 404), ("malformed", 200), ("close", 0), ("empty", 200),
    ("html", 200),
]  # fmt: skip
DAY = 86_400.0
ODD = b"Caf\xe9 am Kai".decode(errors="surrogateescape")


def pairs(desk, number, section=None, root="/media"):
    """Add scenes, and Plex items of their files."""
    made = []
    for one in range(number):
        path = f"{root.strip('/')}/{one}/pier-{one}.mp4"
        scene = desk.scene(path, size=1000 + len(desk.plex.all_items()))
        size = scene.files[0].size
        made.append((scene, desk.plex.add_item(section or desk.films, f"/{path}", size=size)))
    return made


def in_plex(made):
    return [item.title == scene.title for scene, item in made]


# -- bytes -------------------------------------------------------------------------------------


def test_a_title_and_a_path_with_a_byte_that_is_no_utf_8(make_desk):
    desk = make_desk()
    made = pairs(desk, 5)
    scene = desk.stash.add_scene(
        title="Caf\ufffd am Kai",
        details="Seen.",
        files=["/data/kai/Caf\ufffd am Kai.mp4"],
        sizes=[7],
    )
    odd = desk.plex.add_item(desk.films, f"/media/kai/{ODD}.mp4", size=7, title=ODD)
    desk.drain(*(one for one, _ in made), scene)
    assert in_plex(made) == [True] * 5
    # The title is the same already: both servers show it in this way.
    assert (odd.title, odd.texts["summary"]) == (ODD, "Seen.")
    assert desk.plex.count("GET", "/library/metadata/") == 2  # read, and read back
    desk.drain(*(one for one, _ in made), scene)
    assert desk.plex.count("PUT") == 6


# -- one item ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), BROKEN)
@pytest.mark.parametrize("bad", [[0], [5], [1, 4]])
def test_an_item_whose_details_cannot_be_read_costs_its_own_scene_attempts(
    make_desk, kind, status, bad
):
    desk = make_desk(max_retries=2)
    made = pairs(desk, 6)
    for place in bad:
        item = made[place][1]
        desk.plex.faults.add(
            Fault(
                kind,
                times=None,
                status=status,
                item=item.rating_key,
                method="GET",
                path="^/library/metadata/",
            )
        )
    desk.add(*(scene for scene, _ in made))
    desk.work(5)
    assert in_plex(made) == [place not in bad for place in range(6)]
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.work(1200, grain=1.0)
    assert desk.rows("SELECT 1 FROM outage") == []
    if (kind, status) == ("status", 404):
        return
    assert desk.dead().keys() == {made[place][0].id for place in bad}
    for place in bad:
        scene, item = made[place]
        assert f"“{item.parts[0].path}” cannot be read in Plex" in desk.errors()[scene.id]
        assert f"Item {item.rating_key} " in desk.errors()[scene.id]


def test_a_good_save_beside_a_bad_item_and_the_bad_one_alone(make_desk):
    desk = make_desk(max_retries=2)
    (bad, item), (good, other) = pairs(desk, 2)
    fault = desk.plex.faults.add(
        Fault("status", times=None, item=item.rating_key, path="^/library/metadata/")
    )
    desk.add(bad)
    desk.work(600)
    assert desk.dead() == {bad.id: "transient"}
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.drain(good)
    assert other.title == good.title
    desk.plex.faults.remove(fault)
    desk.app.store.queue.redrive()
    desk.drain()
    assert item.title == bad.title


def test_an_item_whose_details_name_no_library_is_written_in_the_one_that_lists_it(make_desk):
    desk = make_desk()
    made = pairs(desk, 3)
    desk.drain(*(scene for scene, _ in made))
    item = made[1][1]
    body = b'{"MediaContainer":{"Metadata":[%s]}}' % b",".join(
        b'{"ratingKey":"%d","Media":[{"Part":[{"file":"%s"}]}]%s}'
        % (
            one.rating_key,
            one.parts[0].path.encode(),
            b"" if one is item else b',"librarySectionID":1',
        )
        for _, one in made
    )
    for scene, _ in made:
        scene.title += ", again"
    desk.plex.faults.add(Fault("status", status=200, body=body, path="^/library/metadata/"))
    desk.drain(*(scene for scene, _ in made))
    assert in_plex(made) == [True] * 3


@pytest.mark.parametrize(("kind", "status"), BROKEN)
def test_an_item_that_spoils_its_list_page_is_named_and_the_others_are_listed(
    make_desk, kind, status
):
    desk = make_desk()
    made = pairs(desk, 6)
    heard = listen(desk)
    fault = Fault(kind, times=None, status=status, item=made[3][1].rating_key, path="/all$")
    desk.plex.faults.add(fault)
    desk.drain(*(scene for scene, _ in made))
    # Its details can be read, but nothing gives its key.
    assert in_plex(made) == [True, True, True, False, True, True]
    (named,) = [line for line in heard if "cannot be read" in line]
    assert "“Harbour Films”" in named
    assert f"item number 4 of the list, the one listed after “{made[2][1].parts[0].path}”" in named
    assert desk.rows("SELECT reason, attempts FROM queue") == [("not_in_plex", 0)]


def test_a_row_that_only_its_files_spoil_is_read_by_its_details(make_desk):
    desk = make_desk()
    made = pairs(desk, 4)
    desk.plex.faults.add(
        Fault(
            "malformed", times=None, item=made[2][1].rating_key, path="/all$",
            query={"excludeElements": "Genre,Country,Director,Writer,Producer,Role,Collection,Guid,"
                   "Rating,Image,UltraBlurColors,Label,Field,Similar"},
        )
    )  # fmt: skip
    desk.drain(*(scene for scene, _ in made))
    assert in_plex(made) == [True] * 4


def test_an_item_that_was_listed_before_is_kept_while_its_row_cannot_be_read(make_desk):
    desk = make_desk()
    made = pairs(desk, 4)
    desk.drain(*(scene for scene, _ in made))
    desk.plex.faults.add(Fault("status", "GET", "/all$", times=None, item=made[1][1].rating_key))
    desk.clock.step(2 * DAY)
    for scene, _ in made:
        scene.title += ", again"
    desk.restart()
    desk.drain(*(scene for scene, _ in made))
    assert in_plex(made) == [True] * 4


# -- a library ---------------------------------------------------------------------------------


@pytest.fixture(params=["", "Harbour Films, Old Harbour"], ids=["every library", "named"])
def two(request, make_desk):
    """Return a desk of two libraries with three scenes each."""
    desk = make_desk(plex_library=request.param, read_timeout=1)
    old = desk.plex.add_section("Old Harbour", locations=["/old"])
    return desk, old, pairs(desk, 3), pairs(desk, 3, old, "/old")


def spoil(desk, section, kind="status", status=500):
    return desk.plex.faults.add(Fault(kind, times=None, status=status, **scopes.library(section)))


def counts(desk):
    return desk.rows("SELECT attempts, snoozes, reason FROM queue ORDER BY id")


@pytest.mark.parametrize(("kind", "status"), [*BROKEN, ("hang", 0)])
@pytest.mark.parametrize("which", ["first", "second"])
def test_a_library_whose_list_fails_is_named_and_the_other_is_synced(two, kind, status, which):
    desk, old, new_scenes, old_scenes = two
    bad, good_ones, waiting = old, new_scenes, old_scenes
    if which == "first":
        bad, good_ones, waiting = desk.films, old_scenes, new_scenes
    fault = spoil(desk, bad, kind, status)
    heard = listen(desk)
    desk.add(*(scene for scene, _ in [*new_scenes, *old_scenes]))
    desk.work(60)
    assert in_plex(good_ones) == [True] * 3
    assert in_plex(waiting) == [False] * 3
    assert counts(desk) == [(0, 0, "library")] * 3
    assert desk.rows("SELECT 1 FROM outage") == []
    assert len([line for line in heard if f"does not list “{bad.title}”" in line]) == 1
    check = next(one for one in read_health(desk.app) if one.name == "Plex library")
    assert not check.ok
    assert f"“{bad.title}” cannot be listed" in check.detail
    desk.plex.faults.remove(fault)
    desk.plex.faults.released.set()
    desk.work(320)
    assert in_plex(waiting) == [True] * 3
    assert desk.rows("SELECT 1 FROM queue") == []
    assert any(f"lists “{bad.title}” again" in line for line in heard)
    assert next(one for one in read_health(desk.app) if one.name == "Plex library").ok
    assert desk.rows("SELECT 1 FROM meta WHERE name LIKE 'library_trouble%'") == []


@pytest.mark.parametrize("edits", ["edits go on", "edits fail too"])
def test_a_library_that_fails_later_keeps_the_items_that_are_known(two, edits):
    desk, old, made, old_made = two
    desk.drain(*(scene for scene, _ in [*made, *old_made]))
    spoil(desk, old).method = "GET" if edits == "edits go on" else None
    desk.clock.step(2 * DAY)
    late_scene = desk.scene("old/late.mp4", size=77)
    late_item = desk.plex.add_item(old, "/old/late.mp4", size=77)
    for scene, _ in [*made, *old_made]:
        scene.title += ", again"
    desk.add(late_scene, *(scene for scene, _ in [*made, *old_made]))
    desk.work(30)
    everything = [*made, *old_made]
    assert in_plex(everything) == [True] * 3 + [edits == "edits go on"] * 3
    waiting = 1 if edits == "edits go on" else 4
    assert counts(desk) == [(0, 0, "library")] * waiting
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.work(3 * 3600, grain=5.0)
    assert counts(desk) == [(0, 0, "library")] * waiting, "as long as the library"
    desk.plex.faults.clear()
    desk.work(320)
    assert in_plex([*everything, (late_scene, late_item)]) == [True] * 7


def test_a_scene_of_a_listed_library_is_not_taken_for_one_of_the_other(two):
    desk, old, made, _ = two
    spoil(desk, old)
    stray = desk.scene("media/stray.mp4", size=9)
    desk.restart(path_map="/data=>/")
    desk.drain(stray, *(scene for scene, _ in made))
    assert desk.rows("SELECT snoozes, reason FROM queue") == [(1, "not_in_plex")]


def test_skip_not_found_does_not_drop_what_waits_for_a_library(two):
    desk, old, made, old_made = two
    desk.restart(skip_not_found=True)
    spoil(desk, old)
    desk.drain(*(scene for scene, _ in [*made, *old_made]))
    assert counts(desk) == [(0, 0, "library")] * 3
    desk.plex.faults.clear()
    desk.work(320)
    assert in_plex(old_made) == [True] * 3


def test_rebuild_index_lists_the_other_library_and_names_the_bad_one(two):
    desk, old, made, old_made = two
    desk.drain(*(scene for scene, _ in [*made, *old_made]))
    spoil(desk, old)
    rebuilt = rebuild_index(desk.app)
    assert rebuilt.items == 3
    assert "“Old Harbour”" in rebuilt.unlisted[0].words()
    desk.plex.faults.clear()
    assert rebuild_index(desk.app).items == 6
    assert rebuild_index(desk.app).unlisted == ()


def test_a_reconcile_compares_the_other_library_and_names_the_bad_one(two):
    desk, old, made, old_made = two
    desk.drain(*(scene for scene, _ in [*made, *old_made]))
    spoil(desk, old).method = "GET"
    made[0][1].title = old_made[0][1].title = "Edited in Plex"
    late = desk.scene("old/late.mp4", size=77)
    reconcile = ScheduledReconcile(desk.app.store, desk.app.make_reconciliation, clock=desk.clock)
    session = desk.app.open_session()
    assert not reconcile.step(session)
    desk.clock.step(DAY)
    while reconcile.step(session):
        pass
    report = present(ReportBook(desk.app.store.connection).last())
    assert report["complete"]
    assert len(report["unread"]) == 1
    assert "“Old Harbour”" in report["unread"][0]
    desk.drain()
    assert in_plex([*made, *old_made]) == [True] * 6
    assert counts(desk) == [(0, 0, "library")]
    item = desk.plex.add_item(old, "/old/late.mp4", size=77)
    desk.plex.faults.clear()
    desk.work(320)
    assert item.title == late.title


def test_edits_of_a_library_that_fails_before_its_list_was_asked_for(two):
    desk, old, made, old_made = two
    everything = [*made, *old_made]
    desk.drain(*(scene for scene, _ in everything))
    fault = spoil(desk, old)
    for scene, _ in everything:
        scene.title += ", again"
    desk.add(*(scene for scene, _ in everything))
    desk.work(30)
    assert in_plex(everything) == [True] * 3 + [False] * 3
    assert counts(desk) == [(0, 0, "library")] * 3
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.plex.faults.remove(fault)
    desk.work(60)
    assert in_plex(everything) == [True] * 6


def test_a_library_that_takes_no_shared_edit_has_each_scene_wait_under_its_title(make_desk):
    desk = make_desk()
    lamps = desk.plex.add_section("Lamps", locations=["/lamps"])
    desk.item("other.mp4", size=77)
    scenes = [desk.scene(f"{at}.mp4", size=at) for at in range(1, 4)]
    items = [desk.plex.add_item(lamps, f"/lamps/{at}.mp4", size=at) for at in range(1, 4)]
    desk.drain(*scenes)
    assert [item.title for item in items] == [scene.title for scene in scenes]
    fog = desk.stash.add_tag("Fog")
    for scene in scenes:
        scene.tags = [fog]
    desk.plex.faults.add(Fault("status", times=None, **scopes.library(lamps)))
    desk.drain(*scenes)
    assert desk.rows("SELECT id, reason FROM queue ORDER BY id") == [
        (scene.id, "library") for scene in scenes
    ]
    errors = dict(desk.rows("SELECT id, error FROM failure"))
    assert [errors[scene.id].partition(",")[0] for scene in scenes] == [
        f"“{scene.title}” waits for “Lamps”" for scene in scenes
    ]
    assert desk.rows("SELECT 1 FROM outage") == []


def test_a_single_library_that_was_never_listed_is_an_outage_with_its_name(make_desk):
    desk = make_desk()
    made = pairs(desk, 2)
    fault = spoil(desk, desk.films)
    summary = desk.drain(*(scene for scene, _ in made))
    assert "“Harbour Films”" in str(summary.error)
    assert counts(desk) == [(0, 0, "")] * 2
    desk.plex.faults.remove(fault)
    desk.work(120)
    assert in_plex(made) == [True] * 2
