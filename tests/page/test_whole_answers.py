"""A few whole answers of the page's operations, in a calm and in a storm."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from stash2plex.errors import Unavailable
from stash2plex.store.holds import PAUSE, hold
from stash2plex.tasks.registry import find_task
from tests.harness.in_process import Desk
from tests.page.conftest import Page

QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "page": ("page", {}),
    "candidates": ("candidates", {"scene_id": 4}),
}
NOT_COMPARED = {"version", "days", "plugin_version", "pid", "ms"}
"""They depend on the day, on this process or machine, or on every other value."""


def watched_from_now(desk: Desk) -> None:
    """Replace the time of day at which the database was made; no clock of ours is asked for it."""
    db = desk.app.store.connection
    db.execute("UPDATE meta SET value = ? WHERE name = 'watched_since'", (str(desk.clock()),))


def harbour(desk: Desk) -> None:
    """Make one scene of each kind: in sync, waiting, given up, and excluded."""
    watched_from_now(desk)
    desk.clock.step(10.0)
    night = desk.stash.add_tag("Night")
    made = [
        desk.scene("pier.mp4", size=1, title="Pier", date="2024-06-01", rating100=80),
        desk.scene("quay.mp4", size=2, title="Quay", tags=[desk.stash.add_tag("Fog")]),
        desk.scene("lost.mp4", size=3, title="Lost"),
        desk.scene("ferry.mp4", size=4, title="Ferry", date="2024-06-01"),
        desk.scene("buoy.mp4", size=5, title="Buoy", tags=[night]),
    ]
    items = (("pier.mp4", 1), ("quay.mp4", 2), ("a/ferry.mp4", 4), ("b/ferry.mp4", 4))
    for path, size in (*items, ("buoy.mp4", 5), ("stranger.mp4", 6)):
        desk.item(path, size=size)
    for scene in made:
        desk.clock.step(60.0)
        desk.drain(scene)


def storm(desk: Desk) -> None:
    """Then Plex fails, a library and an endpoint with it, and the user pauses everything."""
    db = desk.app.store.connection
    now = desk.clock()
    library = {
        "section_id": "7", "title": "Old Harbour", "error": "It answers 500.", "since": now,
        "failures": 2, "retry_at": now + 60.0, "locations": [],
    }  # fmt: skip
    db.execute("INSERT INTO meta VALUES ('library_trouble 7', ?)", (json.dumps(library),))
    db.execute(
        "INSERT INTO endpoint VALUES ('posters', 3, ?, 1, ?, 'Plex answers 500.')", (now, now)
    )
    db.execute(
        "INSERT INTO server_trait SELECT value, 'loses', 'tagline', '1', ? FROM meta"
        " WHERE name = 'plex_machine_id'",
        (now,),
    )
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex rests."), 2)
    desk.clock.step(30.0)
    desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.add(desk.stash.scenes[1])
    hold(db, PAUSE, desk.clock())


def ask(desk: Desk) -> dict[str, Any]:
    """Return the answer to each question."""
    page = Page(desk.app)
    answers = {}
    for name, (mode, arguments) in QUESTIONS.items():
        output = find_task(mode).run(page.make_call(arguments))
        answers[name] = compared(json.loads(json.dumps(output)), desk)
    return answers


def compared(value: Any, desk: Desk) -> Any:
    """Return what is compared of a value: without this run's addresses."""
    if isinstance(value, dict):
        return {
            name: compared(one, desk) for name, one in value.items() if name not in NOT_COMPARED
        }
    if isinstance(value, list):
        return [compared(one, desk) for one in value]
    if isinstance(value, str):
        own = {
            desk.plex.url: "PLEX",
            desk.stash.url: "STASH",
            desk.plex.token: "TOKEN",
            desk.plex.machine_identifier: "MACHINE",
            desk.folder: "FOLDER",
        }
        for text, word in own.items():
            value = value.replace(text, word)
    return value


@contextmanager
def utc() -> Iterator[None]:
    """Show local times as those of UTC meanwhile."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def all_answers(folder: str) -> dict[str, dict[str, Any]]:
    """Return the answers in a calm and in a storm."""
    with utc(), ExitStack() as stack:
        desk = stack.enter_context(Desk(folder, max_retries=1, exclude_tags="Night"))
        harbour(desk)
        calm = ask(desk)
        storm(desk)
        return {"calm": calm, "storm": ask(desk)}


def test_a_few_whole_answers(tmp_path, approved):
    approved(all_answers(str(tmp_path)))
