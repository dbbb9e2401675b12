"""What becomes of scenes whose items are looked for: whole answers, reads of Plex, and rows."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import Ambiguous, LibraryUnread, NotInPlexYet, Transient, Unavailable
from stash2plex.model import Match, PlexFile, Record, Section, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.desired import desired_state
from stash2plex.rules.matching import Level
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.path_inference import PathPair
from stash2plex.rules.policy import Done
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.store.item_choices import ItemChoice
from stash2plex.store.progress import Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.finder import Failure, Finder, explain_scene
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.session import Session, Wanted
from stash2plex.workqueue import URGENT
from tests.support import ManualClock, make_item, make_scene, present

FILMS = Section("1", "u1", "Films", "movie", "a", ("/media",), refreshing=False)
ATTIC = Section("2", "u2", "Attic", "movie", "b", ("/attic", "/media"), refreshing=False)
MAPPED = Settings(path_map=(("/data", "/media"),), trigger_plex_scan=True)
NOBODY: Any = None  # no test of this file asks Stash


class Shelf(Plex):
    """A Plex of listed files; it keeps what it is asked."""

    def __init__(self):
        self.files: list[PlexFile] = []
        self.details: dict[str, Any] = {}
        self.libraries = [FILMS]
        self.fails: set[str] = set()
        self.error: Exception | None = None
        self.asked: list[Any] = []

    def sections(self):
        self.asked.append("sections")
        if self.error is not None:
            raise self.error
        return list(self.libraries)

    def list_files(self, section_id, added_after=None):
        if section_id in self.fails:
            raise Transient("Plex", "Plex answered with an error.")
        files = [file for file in self.files if file.section_id == section_id]
        yield ListPage(tuple(files), 1, len(files), len(files))

    def items(self, rating_keys, witness=""):
        self.asked.append(list(rating_keys))
        return ReadItems({key: self.details[key] for key in rating_keys if key in self.details})


class Desk:
    """A finder with all that it uses, on a clock that the test moves."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.store = open_store(folder, self.clock, Random(1))
        self.plex = Shelf()
        self.index = PlexIndex(self.store.plex_files, self.plex, self.clock)
        clock, monotonic = self.clock, self.clock.monotonic
        evidence = Evidence(self.store, Pacer(), clock=clock, monotonic=monotonic)
        self.hand = KeysInHand(
            self.store,
            Tally("test", clock),
            evidence,
            random=Random(1),
            clock=clock,
            monotonic=monotonic,
        )
        self.finder = Finder(self.store, self.hand, clock=clock, monotonic=monotonic)
        self.use(MAPPED)

    def use(self, settings):
        self.settings = settings
        self.finder.session = Session(settings, NOBODY, self.plex, self.index)

    def list(self, *files):
        """Let Plex list files, and read its lists."""
        self.plex.files += files
        self.index.refresh(self.settings.plex_library, retry=True)
        self.plex.asked.clear()

    def claim(self, *scenes):
        """Claim the keys of scenes; returns these as wanted."""
        for scene in scenes:
            self.store.queue.add("scene", scene.id, priority=URGENT)
        claims = {key.claim.id: key.claim for key in self.hand.claim(99)}
        return [
            Wanted(
                claims[scene.id],
                scene,
                desired_state(scene, self.settings),
                self.store.records.get(scene.id),
                0,
            )
            for scene in scenes
        ]

    def find(self, *scenes):
        """Look for the items of scenes; ends the keys of those that have none."""
        found = self.finder.find(self.claim(*scenes))
        ended = [one.wanted for one in found.failed] + [one.wanted for one in found.needless]
        for wanted in ended:
            self.hand.finish(wanted.claim, Done("it waits"))
        return found

    def end(self, *matches):
        for matched in matches:
            self.hand.finish(matched.claim, Done("written"))

    def sync(self, scene, key, path):
        self.store.records.put(
            Record(scene.id, key, "1", path, "the whole path", "f", {"title": scene.title}), scene
        )

    def awaited(self):
        rows = self.store.connection.execute(
            "SELECT scene_id, path, section_id, folder FROM missed_file ORDER BY scene_id, path"
        )
        return [tuple(row) for row in rows]

    def queued(self):
        rows = self.store.connection.execute("SELECT id, priority FROM queue ORDER BY id")
        return [tuple(row) for row in rows]


@pytest.fixture
def desk(data_folder):
    made = Desk(str(data_folder))
    yield made
    made.store.connection.close()


def scene(id_, *paths, title="", size=9):
    files = tuple(StashFile(path, size) for path in paths)
    return make_scene(id_, title=title or f"Scene {id_}", files=files)


def row(key, path, size=9, section="1"):
    return PlexFile(section, key, path, size)


def errors(found):
    return {failure.wanted.scene.id: failure.error for failure in found.failed}


def keys(found):
    return {each.scene.id: each.match.file.rating_key for each in found.matched}


PIER, QUAY = row("1", "/media/pier.mp4"), row("2", "/media/quay.mp4")


def test_each_scene_of_a_batch_has_its_own_answer(desk):
    desk.list(PIER, QUAY, row("3", "/media/1/x/tie.mp4"), row("4", "/media/2/x/tie.mp4"))
    tied = scene(3, "/more/x/tie.mp4")
    desk.store.awaited_files.note(3, tied.files, [])
    desk.store.awaited_files.note(2, [StashFile("/data/quay.mp4", 9)], [])
    found = desk.find(
        tied,
        scene(5, "/data/lost/none.mp4"),
        scene(1, "/data/pier.mp4"),
        scene(6, "/other/none.mp4"),
        scene(2, "/data/quay.mp4"),
    )
    assert keys(found) == {1: "1", 2: "2"}
    assert found.needless == ()
    said = errors(found)
    assert {id_: type(error) for id_, error in said.items()} == {
        3: Ambiguous, 5: NotInPlexYet, 6: NotInPlexYet,
    }  # fmt: skip
    assert str(said[5]) == (
        "“Scene 5” is not in Plex yet. No Plex file fits “/data/lost/none.mp4”."
    )
    # A tie waits for no file; what Plex lacks does, and a folder of a library is to be scanned.
    assert desk.awaited() == [
        (5, "/data/lost/none.mp4", "1", "/media/lost"),
        (6, "/other/none.mp4", "", ""),
    ]
    assert [(scan.section_id, scan.folder) for scan in desk.store.scans.waiting()] == [
        ("1", "/media/lost")
    ]


def test_a_folder_is_asked_for_in_each_library_once_and_only_if_the_user_wants_it(desk):
    desk.plex.libraries = [FILMS, ATTIC]
    desk.list()
    lost = scene(5, "/data/x/none.mp4", "/other/z.mp4")
    desk.find(lost)
    assert [scan.section_id for scan in desk.store.scans.waiting()] == ["1", "2"]
    assert desk.awaited() == [
        (5, "/data/x/none.mp4", "2", "/media/x"), (5, "/other/z.mp4", "", ""),
    ]  # fmt: skip
    desk.store.scans.clear()
    desk.find(lost)
    assert desk.store.scans.waiting() == []
    desk.use(evolve(MAPPED, trigger_plex_scan=False))
    desk.find(scene(6, "/data/y/none.mp4"))
    assert (desk.store.scans.waiting(), desk.awaited()[-1]) == (
        [],
        (6, "/data/y/none.mp4", "", ""),
    )


def test_a_miss_makes_plex_be_asked_at_most_every_ten_seconds(desk):
    desk.list(PIER)

    def looks(seconds, *scenes):
        desk.clock.step(seconds)
        desk.plex.asked.clear()
        desk.end(*desk.find(*scenes).matched)
        return desk.plex.asked.count("sections")

    lost = scene(5, "/data/none.mp4")
    assert looks(0.0, scene(1, "/data/pier.mp4")) == 0
    assert [looks(0.0, lost), looks(9.9, lost), looks(0.1, lost)] == [1, 0, 1]
    assert looks(9.9, lost, scene(6, "/data/no.mp4")) == 0
    # A wrong item shows that the list is outdated.
    (wanted,) = desk.claim(scene(1, "/data/pier.mp4"))
    (matched,) = desk.finder.find([wanted]).matched
    desk.finder.learn_wrong(matched, None)
    desk.end(matched)
    assert looks(0.0, lost) == 1


def test_a_look_finds_what_was_added_since(desk):
    desk.list(PIER)
    desk.plex.libraries = [evolve(FILMS, change_mark="c")]
    desk.plex.files = [row("7", "/media/new.mp4")]
    found = desk.find(scene(5, "/data/none.mp4"), scene(7, "/data/new.mp4"))
    assert (keys(found), list(errors(found))) == ({7: "7"}, [5])
    assert [id_ for id_, *_ in desk.awaited()] == [5]


def test_the_items_that_missed_scenes_had_are_read_once(desk):
    desk.list(row("30", "/media/old/a.mp4"), row("4", "/media/old/b.mp4"))
    moved, binned, gone, never = (
        scene(id_, f"/data/new/{name}.mp4")
        for id_, name in ((1, "p"), (2, "q"), (3, "r"), (4, "s"))
    )
    for each, key in ((moved, "30"), (binned, "4"), (gone, "5")):
        desk.sync(each, key, f"/media/old/{key}.mp4")
    desk.plex.details = {
        "30": make_item(rating_key="30", paths=("/media/new/p.mp4",), sizes=(9,)),
        "4": make_item(rating_key="4", paths=("/media/new/q.mp4",), sizes=(9,), trashed=True),
    }
    found = desk.find(moved, binned, gone, never)
    assert (keys(found), sorted(errors(found))) == ({1: "30"}, [2, 3, 4])
    assert desk.plex.asked == ["sections", ["30", "4", "5"]]
    desk.end(*found.matched)
    desk.plex.asked.clear()
    desk.store.queue.add("scene", 3, priority=URGENT)
    desk.store.connection.execute("UPDATE queue SET snoozes = 1 WHERE id = 3")
    assert desk.finder.find(desk.claim(gone)).failed
    assert desk.plex.asked == []


def test_a_plex_that_fails_during_the_look_fails_those_that_were_missed(desk):
    desk.list(PIER)
    desk.plex.error = Unavailable("Plex", "Plex is away.")
    found = desk.find(scene(5, "/data/none.mp4"), scene(1, "/data/pier.mp4"), scene(6, "/x/n.mp4"))
    assert (keys(found), errors(found)) == (
        {1: "1"},
        {5: desk.plex.error, 6: desk.plex.error},
    )
    assert desk.awaited() == []


def test_a_scene_may_wait_for_a_library_that_plex_does_not_list(desk):
    desk.plex.libraries = [FILMS, ATTIC]
    desk.plex.fails = {"2"}
    desk.list(PIER)
    desk.use(evolve(MAPPED, path_map=(("/data", "/media"), ("/loft", "/attic"))))
    found = desk.find(scene(5, "/loft/none.mp4"), scene(1, "/data/pier.mp4"))
    error = errors(found)[5]
    assert isinstance(error, LibraryUnread)
    assert str(error) == (
        "“Scene 5” waits for “Attic”, which Plex does not list: Plex answered with an error."
    )
    assert (desk.awaited(), desk.store.scans.waiting()) == ([(5, "/loft/none.mp4", "", "")], [])


def test_a_scene_of_a_library_that_is_not_chosen_needs_nothing_but_is_awaited(desk):
    desk.plex.libraries = [FILMS, evolve(ATTIC, locations=("/attic",))]
    rules = (("/data", "/media"), ("/loft", "/attic"))
    desk.use(evolve(MAPPED, path_map=rules, plex_library=NameList.of("Films")))
    desk.list(PIER)
    found = desk.find(
        scene(5, "/loft/none.mp4"), scene(6, "/data/none.mp4"), scene(7, "/loft/no.mp4")
    )
    why = "its file is in “Attic”, a Plex library that is not chosen"
    assert [(one.wanted.scene.id, one.why, one.standing) for one in found.needless] == [
        (5, why, "library"), (7, why, "library"),
    ]  # fmt: skip
    assert list(errors(found)) == [6]
    assert [id_ for id_, *_ in desk.awaited()] == [5, 6, 7]


def test_what_is_surely_the_same_file_teaches_the_path_rules_unless_the_user_set_them(desk):
    files = [row(str(n), f"/media/a/{n}.mp4", n) for n in range(1, 6)]
    desk.list(*files)
    scenes = [scene(n, f"/lake/a/{n}.mp4", f"/lake/b/{n}.mp4", size=n) for n in range(1, 5)]

    def known():
        return desk.store.connection.execute(
            "SELECT stash_path, plex_path FROM path_pair ORDER BY scene_id"
        ).fetchall()

    desk.end(*desk.find(*scenes).matched)
    assert known() == []
    desk.use(Settings())
    desk.end(*desk.find(*scenes).matched)
    pairs = [PathPair(*pair) for pair in known()]
    assert pairs == [PathPair(f"/lake/a/{n}.mp4", f"/media/a/{n}.mp4") for n in range(1, 5)]
    assert desk.store.path_rules.usable() == (("/lake", "/media"),)


# -- items that were read -----------------------------------------------------------------


def matched(desk, *scenes):
    return list(desk.finder.find(desk.claim(*scenes)).matched)


def test_items_are_verified_one_by_one(desk):
    names = ("gone", "odd", "moved", "bin", "good", "bare")
    desk.list(*(row(str(n), f"/media/{name}.mp4") for n, name in enumerate(names, 1)))
    matches = matched(desk, *(scene(n, f"/data/{name}.mp4") for n, name in enumerate(names, 1)))
    assert len(matches) == 6
    desk.sync(matches[4].scene, "5", "/media/good.mp4")
    record = present(desk.store.records.get(5))
    matches[4] = evolve(matches[4], record=record)
    matches[5] = evolve(matches[5], record=record)

    def item(key, name, **values):
        return make_item(
            rating_key=key, paths=("/media/other.mp4", f"/media/{name}.mp4"), sizes=(1, 9), **values
        )

    items = ReadItems(
        {
            "3": item("3", "elsewhere"), "4": item("4", "bin", trashed=True),
            "5": item("5", "good", section_id="2"), "6": item("6", "bare", section_id=""),
        },
        {"2": Transient("Plex", "Item 2 is odd.", "Look at it.")},
    )  # fmt: skip
    found = desk.finder.verify(matches, items)
    assert [(job.scene.id, job.item.section_id, job.record, job.followers)
            for job in found.jobs] == [
        (5, "2", record, ()), (6, "1", None, ()),
    ]  # fmt: skip
    gone, odd, moved, binned = found.wrong
    assert isinstance(odd, Failure)
    assert (odd.error.what, odd.error.fix) == (
        "“/media/odd.mp4” cannot be read in Plex. Item 2 is odd.",
        "Look at it.",
    )
    for wanted, id_ in ((gone, 1), (moved, 3), (binned, 4)):
        assert isinstance(wanted, Wanted)
        assert (wanted.scene.id, wanted.rounds) == (id_, 1)
    index = desk.store.plex_files
    assert [len(index.of_item(str(n))) for n in range(1, 7)] == [0, 1, 2, 0, 1, 1]


def test_too_many_wrong_items_make_a_scene_wait(desk):
    desk.list(PIER)
    (match,) = matched(desk, scene(1, "/data/pier.mp4"))
    again = desk.finder.learn_wrong(evolve(match, rounds=2), None)
    assert isinstance(again, Wanted)
    assert again.rounds == 3
    failure = desk.finder.learn_wrong(evolve(match, rounds=3), None)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, NotInPlexYet)
    assert str(failure.error) == ("“Scene 1” is being moved in Plex; it is looked up again later.")


def test_items_of_other_libraries_follow_if_they_hold_the_file(desk):
    desk.plex.libraries = [evolve(FILMS, id=str(n), title=f"Films {n}") for n in range(1, 6)]
    desk.list(*(row(str(10 + n), "/media/pier.mp4", 9, str(n)) for n in range(1, 6)))
    pier = scene(1, "/data/pier.mp4")
    (match,) = matched(desk, pier)
    assert [file.rating_key for file in match.match.also] == ["12", "13", "14", "15"]

    def item(key, path="/media/pier.mp4", **values):
        return make_item(rating_key=key, paths=(path,), sizes=(9,), **values)

    followed = Record(1, "12", "2", "/media/pier.mp4", "the whole path", "g", {})
    desk.store.followers.put(1, [followed])
    items = ReadItems(
        {"11": item("11"), "12": item("12", section_id=""), "14": item("14", "/media/x.mp4")},
        {"13": Transient("Plex", "Item 13 is odd.")},
    )
    (job,) = desk.finder.verify([match], items).jobs
    (follower,) = job.followers
    assert (follower.item.section_id, follower.file.rating_key) == ("2", "12")
    assert present(follower.record).fingerprint == "g"
    index = desk.store.plex_files
    assert [[file.path for file in index.of_item(str(key))] for key in range(11, 16)] == [
        ["/media/pier.mp4"], ["/media/pier.mp4"], ["/media/pier.mp4"], ["/media/x.mp4"], [],
    ]  # fmt: skip


# -- one item, one scene ------------------------------------------------------------------


def test_a_better_match_gets_the_item_and_the_other_waits_for_its_own(desk):
    desk.list(PIER)
    copy, original = scene(2, "/copies/pier.mp4"), scene(1, "/data/pier.mp4")
    found = desk.find(copy, original)
    assert keys(found) == {1: "1"}
    error = errors(found)[2]
    assert isinstance(error, NotInPlexYet)
    assert str(error) == (
        "“Scene 2” is not in Plex yet. The only file that fits, “/media/pier.mp4”, is that of "
        "scene 1 “Scene 1”, by the whole path."
    )
    assert [id_ for id_, *_ in desk.awaited()] == [2]
    # Both were decided together, so nobody has to look again.
    assert [id_ for id_, _ in desk.queued()] == [1]


TWO = "scene 1 “Scene 1”, scene 2 “Scene 2”"


def test_equal_claims_are_all_refused_or_the_lowest_id_wins(desk):
    desk.list(PIER)
    twins = [scene(2, "/data/pier.mp4"), scene(1, "/data/pier.mp4")]
    desk.store.awaited_files.note(1, twins[1].files, [])
    found = desk.find(*twins)
    assert (keys(found), sorted(errors(found))) == ({}, [1, 2])
    said = (
        f"One Plex item has files of several scenes: {TWO}. It holds “/media/pier.mp4”. Plex can "
        "show only one of them: split the item in Plex, or remove the surplus file, then retry; "
        "with Loose matching the scene with the lowest id is shown."
    )
    assert [str(error) for error in errors(found).values()] == [said, said]
    assert {type(error) for error in errors(found).values()} == {Ambiguous}
    assert desk.awaited() == []
    desk.use(evolve(MAPPED, loose_matching=True))
    found = desk.find(*twins)
    assert keys(found) == {1: "1"}
    (needless,) = found.needless
    assert (needless.wanted.scene.id, needless.why, needless.standing) == (
        2,
        "its Plex item shows scene 1 “Scene 1”",
        "other_scene",
    )


def test_scenes_in_sync_must_come_to_the_same_answer(desk):
    desk.list(PIER, QUAY)
    first, second, third = (scene(n, "/data/pier.mp4") for n in (1, 2, 3))
    for each in (first, second):
        desk.sync(each, "1", "/media/pier.mp4")
    assert desk.finder.is_disputed(present(desk.store.records.get(1)))
    found = desk.find(third)
    assert isinstance(errors(found)[3], Ambiguous)
    assert [id_ for id_, _ in desk.queued()] == [1, 2]
    desk.store.queue.clear_waiting()
    # It is refused already; when it leaves the item, nothing is left to decide.
    desk.find(first)
    assert [id_ for id_, _ in desk.queued()] == [2]
    desk.store.queue.clear_waiting()
    desk.finder.leave_out(3)
    assert [id_ for id_, _ in desk.queued()] == [1]


def test_an_item_that_another_scene_has_or_leads_does_not_follow(desk):
    libraries = [evolve(FILMS, id=str(n), title=f"Films {n}") for n in range(1, 5)]
    desk.plex.libraries = libraries
    desk.list(*(row(str(10 + n), "/media/pier.mp4", 9, str(n)) for n in range(1, 5)))
    other, lower = scene(8, "/data/pier.mp4"), scene(2, "/data/quay.mp4")
    desk.sync(other, "12", "/media/pier.mp4")
    desk.store.followers.put(
        2, [Record(2, "13", "3", "/media/pier.mp4", "the whole path", "g", {})]
    )
    (match,) = matched(desk, scene(5, "/data/pier.mp4"))
    assert match.match.file.rating_key == "11"
    assert [file.rating_key for file in match.match.also] == ["14"]
    assert lower.id == 2


def test_a_scene_keeps_the_item_that_it_had_as_the_first_of_several(desk):
    desk.plex.libraries = [FILMS, evolve(ATTIC, locations=("/media",))]
    desk.list(PIER, row("20", "/media/pier.mp4", 9, "2"))
    pier = scene(1, "/data/pier.mp4")
    desk.sync(pier, "20", "/media/pier.mp4")
    (match,) = matched(desk, pier)
    assert match.match == Match(row("20", "/media/pier.mp4", 9, "2"), Level.WHOLE_PATH, (PIER,))


def test_the_item_that_the_user_chose_is_taken_by_the_file_that_was_chosen_for(desk):
    desk.list(PIER, QUAY)
    both = scene(1, "/data/pier.mp4", "/data/second.mp4")
    choices = desk.store.choices
    choices.keep(ItemChoice("/data/second.mp4", "/media/quay.mp4", 1, 5.0))
    found = explain_scene(desk.store, desk.settings, both)
    assert (present(found.match).file, found.file, found.confidence) == (
        QUAY,
        both.files[1],
        "certain",
    )
    assert present(found.match).matched_by is Level.CHOSEN
    choices.keep(ItemChoice("/data/second.mp4", "/media/none.mp4", 1, 5.0))
    assert present(explain_scene(desk.store, desk.settings, both).match).file == PIER


def test_an_explanation_counts_the_claims_of_others(desk):
    desk.list(PIER)
    original, copy = scene(1, "/data/pier.mp4"), scene(2, "/copies/pier.mp4")
    desk.sync(original, "1", "/media/pier.mp4")
    refused = explain_scene(desk.store, desk.settings, copy)
    assert (refused.match, refused.confidence, refused.reason, refused.shared_with) == (
        None,
        "",
        "not_in_plex",
        (1,),
    )
    assert refused.refusal == (
        "“Scene 2” is not in Plex yet. The only file that fits, “/media/pier.mp4”, is that of "
        "scene 1 “Scene 1”, by the whole path."
    )
    twin = explain_scene(desk.store, desk.settings, scene(2, "/data/pier.mp4"))
    assert (twin.match, twin.reason) == (None, "ambiguous")
    assert f"several scenes: {TWO}. It holds “/media/pier.mp4”." in twin.refusal
    nameless = evolve(original, title="")
    desk.sync(nameless, "1", "/media/pier.mp4")
    again = explain_scene(desk.store, desk.settings, scene(2, "/data/pier.mp4"))
    assert "several scenes: scene 1, scene 2 “Scene 2”." in again.refusal
