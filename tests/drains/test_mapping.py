"""The path mapping that works itself out, over a whole drain."""

from __future__ import annotations

from stash2plex.store.path_rules import inferred_rules
from stash2plex.sync.finder import explain_scene


def explained(desk, scene):
    read = desk.app.stash.scenes([scene.id])[scene.id]
    return explain_scene(desk.app.store, desk.app.settings(), read)


def test_roots_are_learnt_and_tell_files_of_equal_ends_apart(make_desk):
    desk = make_desk()
    known = [desk.scene(f"a/{n}.mp4", size=n) for n in range(1, 5)]
    for number in range(1, 5):
        desk.item(f"a/{number}.mp4", size=number)
    scene = desk.scene("a/pier.mp4", size=50)
    twins = [
        desk.plex.add_item(desk.films, path, size=50)
        for path in ("/media/a/pier.mp4", "/media/copy/a/pier.mp4")
    ]
    desk.drain(scene)
    assert desk.dead() == {scene.id: "ambiguous"}
    assert explained(desk, scene).reason == "ambiguous"
    desk.drain(*known)
    (rule,) = inferred_rules(desk.app.store.connection)
    assert (rule.rule, rule.support, rule.contradictions) == (("/data", "/media"), 4, 0)
    desk.drain(scene)
    assert [item.title for item in twins] == [scene.title, "pier"]
    found = explained(desk, scene)
    assert (found.rule, found.rule_inferred, found.confidence) == (rule.rule, True, "certain")
    assert [one.why for one in found.candidates] == [
        "",
        "another one fits better, by the whole path",
    ]


def test_a_set_path_map_goes_before_what_was_worked_out(make_desk):
    desk = make_desk()
    for number in range(1, 5):
        desk.item(f"a/{number}.mp4", size=number)
    desk.drain(*[desk.scene(f"a/{n}.mp4", size=n) for n in range(1, 5)])
    desk.restart(path_map="/data=>/media/copy")
    scene = desk.scene("a/pier.mp4", size=50)
    copy = desk.plex.add_item(desk.films, "/media/copy/a/pier.mp4", size=50)
    original = desk.plex.add_item(desk.films, "/media/a/pier.mp4", size=50)
    desk.drain(scene)
    assert (copy.title, original.title) == (scene.title, "pier")


def test_rules_follow_a_library_that_moved(make_desk):
    desk = make_desk()
    for number in range(1, 5):
        desk.item(f"a/{number}.mp4", size=number)
    scenes = [desk.scene(f"a/{n}.mp4", size=n) for n in range(1, 5)]
    desk.drain(*scenes)
    for item in desk.plex.all_items():
        item.parts[0].path = item.parts[0].path.replace("/media", "/volume/films")
    desk.films.locations[:] = ["/volume/films"]
    desk.plex._library.touch(desk.films)
    desk.clock.step(700)
    for scene in scenes:
        scene.title = f"Again {scene.id}"
    desk.drain(*scenes)
    assert desk.titles() == [scene.title for scene in scenes]
    (rule,) = inferred_rules(desk.app.store.connection)
    assert rule.rule == ("/data", "/volume/films")


def test_a_file_of_another_size_is_refused_and_the_reason_is_said(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4", size=50)
    item = desk.plex.add_item(desk.films, "/media/other/a/pier.mp4", size=51)
    desk.drain(scene)
    assert item.title == "pier"
    found = explained(desk, scene)
    assert found.reason == "not_in_plex"
    assert [one.why for one in found.candidates] == ["its size differs: 51 bytes, 50 in Stash"]
