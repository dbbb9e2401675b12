"""What a worker asks and logs through changes that no hook reports."""

from __future__ import annotations

from contextlib import ExitStack

from tests.drains.test_whole_journal import LOOKS, Story
from tests.harness.in_process import Desk

UNSTEADY = (*LOOKS, " waits ", " put off")
"""How often a scene is looked up in vain depends on how fast the threads are."""


def work(desk: Desk, seconds: int) -> None:
    """Let a worker live for ten of every hundred seconds: it asks the clock, and nothing sleeps."""
    for _ in range(seconds // 100):
        desk.clock.step(90.0)
        desk.work(10)


def live(desk: Desk) -> dict[str, dict[str, list[str]]]:
    """Let a worker live through one change after the other."""
    story = Story(desk, UNSTEADY)
    library = desk.stash.library
    studio, tag = desk.stash.add_studio("Quay Works"), desk.stash.add_tag("Fog")
    other = desk.stash.add_tag("Ebb")
    performer = desk.stash.add_performer("Performer 17")
    for number in range(1, 4):
        values = {"studio": studio, "tags": [tag], "performers": [performer]}
        desk.scene(f"a/{number}.mp4", size=number, **values)
        desk.item(f"a/{number}.mp4", size=number)
    first, second, third = desk.stash.scenes
    story.tell("a first look", lambda: work(desk, 200))
    performer.name = "Performer 18"
    library.touch(performer)
    story.tell("a performer is renamed", lambda: work(desk, 200))
    library.merge_tags([tag], other)
    story.tell("a tag is merged into another", lambda: work(desk, 200))
    library.destroy_scene(third)
    story.tell("a scene is deleted", lambda: work(desk, 4_000))
    desk.scene("b/new.mp4", size=9)
    story.tell("a scene whose file Plex does not have", lambda: work(desk, 700))
    desk.item("b/new.mp4", size=9)
    story.tell("Plex has it", lambda: work(desk, 700))
    item = desk.plex.all_items()[0]
    item.title, item.updated_at = "By hand", int(desk.clock())
    story.tell("an edit in Plex, and an hour", lambda: work(desk, 4_000))
    desk.stash.configure_plugin("Stash2Plex", {"max_tags": 1})
    story.edit(second, title="Another title")
    story.tell("a setting is stored", lambda: work(desk, 200))
    desk.plex.down()
    story.edit(first, title="Later")
    story.tell("Plex is away", lambda: work(desk, 300))
    desk.plex.up()
    story.tell("Plex is back", lambda: work(desk, 300))
    desk.stash.down()
    story.tell("Stash is away", lambda: work(desk, 300))
    return story.told


def whole(folder: str) -> dict[str, dict[str, list[str]]]:
    settings = {"trigger_plex_scan": True, "reconcile_interval": "hourly"}
    with ExitStack() as stack:
        return live(stack.enter_context(Desk(folder, **settings)))


def test_a_whole_life(tmp_path, approved):
    approved(whole(str(tmp_path)))
