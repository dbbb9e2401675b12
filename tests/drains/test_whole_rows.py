"""What each step of a story leaves in the database, beside what it asks and logs.

The steps are the ones that seldom happen: pictures that fail, items that follow, keys that end
without a write. Each row that a step adds, changes or removes shows here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from stash2plex.operations.undo import Chosen, queue_undo
from stash2plex.rules.policy import MAX_INTERRUPTIONS
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.sync.picture_lane import MAX_BEGUN
from stash2plex_testing.plex import Fault, Traits, scopes
from stash2plex_testing.stash import picture
from tests.drains.test_whole_journal import Story
from tests.harness.in_process import Desk

TABLES = (
    "breaker", "contested_item", "dead_letter", "endpoint", "failure", "first_state", "follower",
    "history", "metric", "missing_news", "orphan", "outage", "own_collection", "picture_check",
    "queue", "run", "scene", "scene_link", "scene_record", "server_trait", "undo",
    "waiting_picture", "write_run",
)  # fmt: skip
UNSTEADY = {"pid", "lease_id", "lease_generation", "lease_expires_at", "generation"}
UNSTEADY_ROWS = (("run", 0, ""), ("metric", "scenes", "skipped"))
"""A look at Stash that ends late finds a scene of the step before once more."""

TIMES = {
    "added_at", "at", "began_at", "due_at", "ended_at", "first_failed_at", "key_at",
    "last_failed_at", "next_probe_at", "next_try_at", "since", "started_at", "synced_at",
    "undone_at",
}  # fmt: skip
HEX = re.compile(r"[0-9a-f]{16,}")
"""A digest: its beginning shows as much."""

ALWAYS_ASKED = ("excludeElements", "excludeFields", "includeGuids", "skipRefresh", "sort", "type")


class Rows:
    """Shows how the database changed since the last question."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.began = story.desk.clock()
        self.known: dict[str, dict[str, Any]] = {}

    def changes(self) -> list[str]:
        """List the rows that are new, with their values, those that changed, and those gone."""
        now = self._read()
        lines = [f"- {row}" for row in self.known.keys() - now.keys()]
        for row, values in now.items():
            old = self.known.get(row, {})
            changed = {
                name: values.get(name)
                for name in sorted(old.keys() | values.keys())
                if old.get(name) != values.get(name)
            }
            if changed or row not in self.known:
                sign = "=" if row in self.known else "+"
                lines.append(f"{sign} {row} {json.dumps(changed, ensure_ascii=False)}")
        self.known = now
        return sorted(HEX.sub(lambda found: found[0][:4], line) for line in lines)

    def _read(self) -> dict[str, dict[str, Any]]:
        rows = {}
        for table in TABLES:
            database = self.story.desk.app.store.connection
            keys = {row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[5]}
            cursor = database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                values = dict(zip(names, row, strict=True))
                if (table, *row[:2]) not in UNSTEADY_ROWS and row[0] != "edit_seconds":
                    key = " ".join(str(values.pop(name)) for name in names if name in keys)
                    rows[self._named(f"{table} {key}")] = self._plain(values)
        return rows

    def _named(self, text: str) -> str:
        return text.replace(self.story.desk.plex.machine_identifier, "MACHINE")

    def _plain(self, values: dict[str, Any]) -> dict[str, Any]:
        """Leave out what is empty or unsteady; times are seconds since the beginning."""
        plain = {
            name: round(value - self.began) if name in TIMES and value else value
            for name, value in values.items()
            if name not in UNSTEADY and value not in ("", 0, None, "{}", "[]")
        }
        return {
            name: unpacked(self._named(value)) if isinstance(value, str) else value
            for name, value in plain.items()
        }


def unpacked(text: str) -> Any:
    """Return a value that is stored as JSON; any other text as it is."""
    if not text.startswith(("{", "[")):
        return text
    values = json.loads(text)
    if isinstance(values, dict):
        values.pop("synced_at", None)
        return {name: one for name, one in values.items() if one not in ("", 0, {}, [])}
    return values


def short(request: Any) -> str:
    """Return a request without the parameters that each of its kind has."""
    query = {name: one for name, one in request.query.items() if name not in ALWAYS_ASKED}
    return f"{request.method} {request.path} {json.dumps(query, sort_keys=True)}"


def tell(desk: Desk) -> dict[str, dict[str, list[str]]]:
    """Take every step of the story; returns what each asked, logged and left."""
    story = Story(desk)
    # The look at a library that nobody has seen yet takes its own time.
    desk.drain()
    rows = Rows(story)

    def step(name: str, *deeds: Callable[[], object]) -> None:
        story.tell(name, lambda: [deed() for deed in deeds])
        story.told[name]["plex"] = sorted(
            {one for one in map(short, desk.plex.requests) if " /library/sections" not in one}
        )
        del story.told[name]["stash"]
        story.told[name]["rows"] = rows.changes()

    def save(scene: Any, **values: Any) -> None:
        story.edit(scene, **values)
        desk.drain(scene)

    store, queue = desk.app.store, desk.app.store.queue
    other = desk.plex.add_section("All Films", locations=["/media/a"])
    fog, ebb = desk.stash.add_tag("Fog"), desk.stash.add_tag("Ebb")
    pier = desk.scene("a/pier.mp4", size=1, tags=[fog], rating100=70, cover=picture(1))
    item = desk.item("a/pier.mp4", size=1)
    follower = desk.plex.add_item(other, "/media/a/pier.mp4", size=1)
    follower.tags["genre"] = ["Favourites"]
    step("a file in two libraries", lambda: desk.drain(pier))
    step("what was written is read back", desk.drain)

    fault = desk.plex.faults.add(
        Fault("status", status=500, times=None, **scopes.item(follower, "edit"))
    )
    step("the second library takes no edit", lambda: save(pier, title="Second"))
    desk.plex.faults.remove(fault)
    step("and takes it again", queue.redrive, desk.drain)

    fault = desk.plex.faults.add(
        Fault("status", status=500, times=None, **scopes.uploads("posters"))
    )
    step("no poster is taken", lambda: save(pier, cover=picture(2)))
    desk.clock.step(100.0)
    step("it is tried again", desk.drain)
    desk.clock.step(100.0)
    step("and once more", desk.drain)
    desk.plex.faults.remove(fault)
    desk.clock.step(100.0)
    step("posters go through again", desk.drain)
    step("and are looked at", desk.drain)

    fault = desk.plex.faults.add(Fault("status", status=403, times=None, **scopes.uploads("arts")))
    step("backgrounds are refused", lambda: save(pier, cover=picture(3)))
    desk.plex.faults.remove(fault)
    desk.clock.step(100.0)
    step("backgrounds are taken", desk.drain)
    large = picture(1) + b"\0" * 11_000_000
    step("a cover that is too large", lambda: save(pier, cover=large))
    desk.stash.faults.add("status", path="/screenshot", status=500, times=None)
    step("Stash gives no cover", lambda: save(pier, cover=picture(4)))
    desk.stash.faults.clear()
    desk.clock.step(100.0)
    step("Stash gives it", desk.drain)
    fault = desk.plex.faults.add(
        Fault("status", status=400, times=None, **scopes.uploads("posters"))
    )
    step("Plex does not take this poster", lambda: save(pier, cover=picture(5)))
    desk.plex.faults.remove(fault)

    quay = desk.scene("b/quay.mp4", size=2, tags=[ebb], cover=picture(6))
    second = desk.item("b/quay.mp4", size=2)
    desk.plex.traits = Traits(ignores_field=frozenset({"thumb"}))
    step(
        "a poster that is not kept",
        lambda: desk.drain(quay),
        partial(desk.clock.step, 5.0),
        desk.drain,
    )
    desk.plex.traits = Traits()
    with store.connection:
        store.pictures.add(quay.id, quay.updated_at)
        store.connection.execute("UPDATE waiting_picture SET begun = ?", (MAX_BEGUN,))
    step("pictures that ended the worker", desk.drain)
    step("they are asked for again", queue.redrive, desk.drain)

    step("a tag that both libraries show", partial(queue.add, "tag", fog.id), desk.drain)
    queue.add("scene", quay.id)
    store.connection.execute("UPDATE queue SET interruptions = ?", (MAX_INTERRUPTIONS,))
    step("a key that ended the worker", desk.drain)
    queue.clear_dead()
    fault = desk.plex.faults.add(Fault("status", status=400, times=None, **scopes.field("title")))
    step("a title that is not taken", lambda: save(quay, title="Third", details="Seen again."))
    desk.plex.faults.remove(fault)
    step("and is taken", queue.redrive, desk.drain)
    fault = desk.plex.faults.add(
        Fault("status", status=500, times=None, **scopes.item(second, "edit"))
    )
    step("an item that cannot be edited", lambda: save(quay, title="Fourth"))
    desk.plex.faults.remove(fault)
    desk.plex.remove_item(second)
    step("an item that is gone", queue.redrive, desk.drain)
    desk.stash.faults.add(
        "graphql_error", operation=rf"s{quay.id}: findScene", message="unexpected null", times=None
    )
    desk.clock.step(700.0)
    step("a scene that cannot be read", partial(queue.add, "scene", quay.id), desk.drain)
    desk.stash.faults.clear()
    desk.stash.library.destroy_scene(quay)
    step("a scene that is gone", partial(queue.add, "scene", quay.id), desk.drain)

    desk.restart(preserve_plex_edits=True, skip_not_found=True, exclude_tags="Ebb")
    desk.app.logs.logger.addHandler(story.journal)
    store, queue = desk.app.store, desk.app.store.queue
    step("other settings", desk.drain, partial(desk.clock.step, 60.0), desk.drain)
    item.title = "By hand"
    step("an edit in Plex that stays", lambda: save(pier, title="Fifth", details="Again."))
    desk.scene("c/buoy.mp4", size=3)
    step("a scene that may be missing", lambda: desk.drain(desk.stash.scenes[-1]))
    step("a scene that is left out", lambda: save(pier, tags=[ebb]))
    step("it comes back", lambda: save(pier, tags=[fog]))

    def put_back(**chosen: Any) -> None:
        begun = store.runs.begin("Put Plex Back", None, 20.0)
        queue_undo(desk.app, Chosen(**chosen), run_id=begun.id)
        desk.app.drain(Foreground("a test", run_id=begun.id), Silent(), lambda: False)
        store.runs.end(begun.id)

    fault = desk.plex.faults.add(
        Fault("status", status=500, times=None, **scopes.item(item, "edit"))
    )
    step("what cannot be put back now", lambda: put_back(everything=True))
    desk.plex.faults.remove(fault)
    step("is put back later", queue.redrive, desk.drain)
    return story.told


def whole(folder: str) -> dict[str, dict[str, list[str]]]:
    with ExitStack() as stack:
        return tell(stack.enter_context(Desk(folder, skip_fields="", max_retries=4)))


def test_a_whole_story_and_its_rows(tmp_path, approved):
    approved(whole(str(tmp_path)))
