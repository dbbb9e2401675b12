"""What servers are asked and what is logged in each step of a story.

A request more or less, another parameter, or another line shows here.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from stash2plex.operations.health.report import read_health
from stash2plex.operations.preview import preview_all
from stash2plex.operations.undo import Chosen, queue_undo
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from tests.harness.in_process import Desk

LOOKS = ("changed in Stash unseen", "nothing has changed")
"""Lines about what a look at Stash found: a scene of the step before."""


class Journal(logging.Handler):
    """Keeps what is logged, with its level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


class Story:
    """A desk, and what each step on it has asked and logged."""

    def __init__(self, desk: Desk, unsteady: tuple[str, ...] = LOOKS) -> None:
        self.desk = desk
        self.unsteady = unsteady
        self.journal = Journal()
        desk.app.logs.logger.addHandler(self.journal)
        self.told: dict[str, dict[str, list[str]]] = {}
        self.edits = 0

    def tell(self, name: str, step: Callable[[], object]) -> None:
        """Take a step, and keep what was asked and logged meanwhile."""
        desk = self.desk
        desk.clock.step(2.0)
        desk.plex.clear_log()
        desk.stash.clear_log()
        self.journal.lines.clear()
        step()
        # Several threads ask at once, and a batch may be read in two parts: neither the order nor
        # the number is always the same. A look at Stash that has not ended shows in the next step.
        self.told[name] = {
            "plex": sorted(set(self.of_plex())),
            "stash": sorted(set(self.of_stash())),
            "log": sorted(set(self.of_log())),
        }

    def of_log(self) -> list[str]:
        return [
            self.plain(line)
            for line in self.journal.lines
            if not any(look in line for look in self.unsteady)
        ]

    def of_plex(self) -> list[str]:
        return [
            self.plain(f"{one.method} {one.path} {json.dumps(one.query, sort_keys=True)}")
            for one in self.desk.plex.requests
        ]

    def of_stash(self) -> list[str]:
        return [
            f"{one.method} {one.path} {one.operation}".strip()
            for one in self.desk.stash.requests
            if not any(look in one.operation for look in ("Glance", "ScenePage"))
        ]

    def plain(self, text: str) -> str:
        """Take this run's addresses out of a text."""
        desk = self.desk
        for own, word in (
            (desk.plex.url, "PLEX"),
            (desk.stash.url, "STASH"),
            (str(desk.stash.port), "PORT"),
            (desk.plex.machine_identifier, "MACHINE"),
            (desk.folder, "FOLDER"),
        ):
            text = text.replace(own, word)
        return re.sub(r" is back after .*", " is back after a while.", text)

    def edit(self, scene: Any, **values: Any) -> None:
        """Save a scene in Stash."""
        for name, value in values.items():
            setattr(scene, name, value)
        self.edits += 1
        scene.updated_at = f"2027-02-01T00:00:{self.edits:02}Z"


def reconcile(desk: Desk) -> None:
    run = desk.app.make_reconciliation(desk.app.open_session())
    list(run.pages())
    desk.drain()


def put_back(desk: Desk) -> None:
    begun = desk.app.store.runs.begin("Put Plex Back", None, 20.0)
    queue_undo(desk.app, Chosen(everything=True), run_id=begun.id)
    desk.app.drain(Foreground("a test", run_id=begun.id), Silent(), lambda: False)
    desk.app.store.runs.end(begun.id)


def tell(desk: Desk) -> dict[str, dict[str, list[str]]]:
    """Take every step of the story; returns what was asked and logged in each."""
    story = Story(desk)
    pier = desk.scene(
        "a/pier.mp4",
        size=1,
        date="2024-06-01",
        rating100=70,
        studio=desk.stash.add_studio("Quay Works"),
        performers=[desk.stash.add_performer("Performer 17")],
        tags=[desk.stash.add_tag("Fog"), desk.stash.add_tag("Ebb")],
        cover=picture(1),
    )
    item = desk.item("a/pier.mp4", size=1)
    item.tags["genre"] = ["Favourites"]
    story.tell("a first sync", lambda: desk.drain(pier))
    story.tell("nothing has changed", lambda: desk.drain(pier))
    story.edit(pier, title="Another title", rating100=None)
    story.tell("a title and a rating that was removed", lambda: desk.drain(pier))
    story.edit(pier, tags=[], cover=picture(2))
    story.tell("a new cover and no tags", lambda: desk.drain(pier))
    item.title = "By hand"
    item.updated_at = int(desk.clock())
    story.tell("a comparison after an edit in Plex", lambda: reconcile(desk))

    lost = desk.scene("b/lost.mp4", size=2)
    story.tell("a file that Plex does not have", lambda: desk.drain(lost))
    desk.item("b/lost.mp4", size=2)
    story.tell("it is there", lambda: desk.drain(lost))
    twins = desk.scene("ferry.mp4", size=3)
    for folder in ("c", "d"):
        desk.item(f"{folder}/ferry.mp4", size=3)
    story.tell("two items fit", lambda: desk.drain(twins))

    many = [desk.scene(f"e/{number}.mp4", size=number) for number in range(10, 13)]
    for number in range(10, 13):
        desk.item(f"e/{number}.mp4", size=number)
    for one in many:
        desk.drain(one)
    for one in many:
        story.edit(one, tags=[desk.stash.library.tags[1]])
    story.tell("one tag for three scenes", lambda: desk.drain(*many))

    fault = desk.plex.faults.add(Fault("status", times=None, **scopes.item(item, "read")))
    story.edit(pier, title="Not now")
    story.tell("an item that cannot be read", lambda: desk.drain(pier))
    desk.plex.faults.remove(fault)
    desk.clock.step(600.0)
    desk.plex.down()
    story.edit(lost, title="Later")
    desk.add(lost)
    story.tell(
        "Plex is away",
        lambda: desk.app.drain(Foreground("a test", patience=30.0), Silent(), lambda: False),
    )
    desk.plex.up()
    desk.clock.step(60.0)
    story.tell("and is back", desk.drain)
    desk.stash.down()
    desk.add(pier)
    story.tell(
        "Stash is away",
        lambda: desk.app.drain(Foreground("a test", patience=30.0), Silent(), lambda: False),
    )
    desk.stash.up()
    desk.clock.step(60.0)
    story.tell("and is back as well", desk.drain)
    story.tell("Health Check", lambda: read_health(desk.app))
    story.tell("Preview Changes", lambda: preview_all(desk.app))
    story.tell("Put Plex Back", lambda: put_back(desk))
    return story.told


def whole(folder: str) -> dict[str, dict[str, list[str]]]:
    with ExitStack() as stack:
        return tell(stack.enter_context(Desk(folder, skip_fields="")))


def test_a_whole_story(tmp_path, approved):
    approved(whole(str(tmp_path)))
