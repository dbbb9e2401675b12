"""Every operation and button, answer by answer: fresh, at work, in a storm, with a server away."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import ExitStack
from typing import Any

import pytest

from stash2plex.errors import Stash2PlexError
from stash2plex.model import Field
from stash2plex.rules.scene_states import STATES
from stash2plex.store.surveys import SurveyKind, Surveys
from stash2plex.tasks import worker
from stash2plex.tasks.registry import find_task
from stash2plex.tasks.task import Call
from tests.harness.in_process import Desk, listen
from tests.page.test_whole_answers import compared, harbour, storm, utc, watched_from_now

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("nowhere", {}),
    ("purge_dlq", {"days": -1}),
    ("purge_dlq", {"days": 36_501}),
    ("purge_dlq", {"days": 1.5}),
    ("purge_dlq", {"days": True}),
    ("purge_dlq", {"days": "x" * 50}),
    ("retry_dlq", {"reason": "fog"}),
    ("retry_dlq", {"reason": 7}),
    ("retry_reason", {}),
    ("discard_reason", {"reason": "fog"}),
    ("dead_letters", {"limit": 0}),
    ("dead_letters", {"limit": 1_001}),
    ("dead_letters", {"offset": -1}),
    ("dead_letters", {"search": "x" * 1_001}),
    ("dead_letters", {"search": 7}),
    ("retry", {}),
    ("retry", {"scene_ids": "7"}),
    ("retry", {"scene_ids": [1, "fog"]}),
    ("retry", {"scene_ids": list(range(1, 10_002))}),
    ("discard", {"scene_ids": [0]}),
    ("sync", {"scene_ids": [None]}),
    ("history", {"limit": 1_001}),
    ("history", {"scene_id": 1, "run_id": 1}),
    ("history", {"run_id": -1}),
    ("undo", {}),
    ("undo", {"all": True, "left_out": True}),
    ("undo", {"run_id": 99}),
    ("undo", {"all": True, "fields": ["fog"]}),
    ("undo", {"rating_keys": "7"}),
    ("undo", {"rating_keys": ["a b"]}),
    ("undo", {"fields": ["w"] * 10_001}),
    ("scene", {}),
    ("preview", {"scene_id": 99}),
    ("candidates", {}),
    ("candidates", {"scene_id": 99}),
    ("choose_item", {"scene_id": 4}),
    ("choose_item", {"scene_id": 4, "rating_key": "99"}),
    ("forget_choice", {"scene_id": "fog"}),
    ("check_settings", {}),
    ("save_settings", {"values": [1]}),
    ("tags", {"limit": 101}),
    ("sign_in_poll", {"id": -1}),
    ("connect", {"url": "harbour", "token": "t"}),
    ("connect", {"url": "http://127.0.0.1:1", "token": "a\nb"}),
    ("connect", {"url": "http://127.0.0.1:1"}),
    ("scenes", {"state": "fog"}),
    ("scenes", {"state": "left_out", "reason": "fog"}),
    ("not_in_plex", {"limit": 1_001}),
    ("entity", {}),
    ("entity", {"tag_id": 1, "studio_id": 2}),
    ("entity", {"tag_id": "fog"}),
    ("runs", {"limit": 0}),
    ("paths", {"path_map": "fog"}),
    ("paths", {"path_map": 7}),
    ("preview_some", {"scene_ids": [99, 98]}),
    ("preview_some", {"limit": 0}),
    ("unknown_files", {"limit": 1_001}),
    ("compare", {"field": "fog"}),
    ("survey", {}),
    ("survey", {"kind": "changes", "word": "fog"}),
    ("hold", {"step": "fog"}),
    ("outages", {"limit": -1}),
    ("process_queue", {"max_wait": -1}),
]

FRESH: list[tuple[str, dict[str, Any]]] = [
    ("page", {}),
    ("wake", {}),
    ("status", {}),
    ("queue_status", {}),
    ("library", {}),
    ("outages", {}),
    ("outage_summary", {}),
    ("trouble", {}),
    ("paths", {}),
    ("preview", {}),
    ("scene", {"scene_id": 1}),
    ("history", {}),
    ("history", {"runs": True}),
    ("dead_letters", {}),
    ("count_changes", {}),
    ("compare", {}),
    ("put_back", {}),
    ("settings", {}),
]

SEEN: list[tuple[str, dict[str, Any]]] = [
    *(("scenes", {"state": state}) for state in STATES),
    *(("scene", {"scene_id": scene_id}) for scene_id in (1, 2, 3, 4, 5, 6)),
    ("scenes", {"state": "left_out", "reason": "excluded"}),
    ("scenes", {"state": "left_out", "reason": "no_metadata"}),
    ("not_in_plex", {}),
    ("libraries", {}),
    ("library", {}),
    ("unknown_files", {}),
    ("unknown_files", {"section_id": "1", "search": "A/", "limit": 1, "offset": 0}),
    ("trouble", {}),
    ("entity", {"tag_id": 1}),
    ("entity", {"tag_id": 2}),
    ("entity", {"studio_id": 1}),
    ("entity", {"performer_id": 1}),
    ("runs", {}),
    ("runs", {"limit": 2, "offset": 1}),
    ("status", {"stored": True}),
    ("status", {}),
    ("queue_status", {}),
    ("outages", {"limit": 1}),
    ("outage_summary", {}),
    ("paths", {}),
    ("paths", {"path_map": "/data=>/media"}),
    ("paths", {"path_map": "/data=>/elsewhere"}),
    ("preview", {}),
    ("preview", {"scene_id": 1}),
    ("preview_some", {}),
    ("preview_some", {"scene_ids": [3, 4], "limit": 1}),
    ("history", {"limit": 2}),
    ("history", {"scene_id": 1}),
    ("history", {"run_id": 1}),
    ("history", {"runs": True, "limit": 2, "offset": 1}),
    ("dead_letters", {}),
    ("dead_letters", {"reason": "ambiguous", "search": "FERRY"}),
    ("dead_letters", {"reason": "fault"}),
    ("candidates", {"scene_id": 4}),
    ("candidates", {"scene_id": 3}),
    ("undo", {"all": True, "dry_run": True}),
    ("undo", {"left_out": True, "dry_run": True}),
    ("undo", {"rating_keys": ["1", "99"], "dry_run": True}),
    ("undo", {"run_id": 1, "dry_run": True, "fields": ["title"]}),
    ("tags", {"search": "g", "limit": 1}),
    ("count_changes", {}),
    ("compare", {}),
    ("wake", {}),
]

AWAY: list[tuple[str, dict[str, Any]]] = [
    ("page", {}),
    ("scenes", {"state": "given_up"}),
    ("not_in_plex", {}),
    ("libraries", {}),
    ("library", {}),
    ("trouble", {}),
    ("status", {}),
    ("queue_status", {}),
    ("paths", {}),
    ("preview", {}),
    ("scene", {"scene_id": 1}),
    ("scene", {"scene_id": 4}),
    ("candidates", {"scene_id": 4}),
    ("undo", {"all": True, "dry_run": True}),
    ("tags", {}),
    ("settings", {}),
    ("count_changes", {"start": True}),
    ("compare", {"start": True}),
    ("start", {}),
    ("connect", {"url": "PLEX", "token": "t"}),
]

BUTTONS: list[tuple[str, dict[str, Any]]] = [
    ("stop", {}),
    ("queue_status", {}),
    ("resume", {}),
    ("stop", {}),
    ("pause", {}),
    ("pause", {}),
    ("hold", {"step": "files"}),
    ("resume", {}),
    ("hold", {"step": "files"}),
    ("choose_item", {"scene_id": 4, "rating_key": "4"}),
    ("candidates", {"scene_id": 4}),
    ("process_queue", {}),
    ("scene", {"scene_id": 4}),
    ("forget_choice", {"scene_id": 4}),
    ("forget_choice", {"scene_id": 4}),
    ("process_queue", {}),
    ("retry_dlq", {"reason": "fault"}),
    ("retry_dlq", {"reason": "ambiguous"}),
    ("process_queue", {}),
    ("retry_reason", {"reason": "ambiguous"}),
    ("process_queue", {}),
    ("recover_outage_jobs", {}),
    ("discard_reason", {"reason": "ambiguous"}),
    ("discard", {"scene_ids": [4]}),
    ("retry_dlq", {}),
    ("sync", {"scene_ids": [1, "2", 2]}),
    ("clear_queue", {}),
    ("clear_queue", {}),
    ("all", {}),
    ("recent", {}),
    ("reconcile_recent", {}),
    ("reconcile_all", {}),
    ("reconcile_7days", {}),
    ("reconcile_missing_metadata", {}),
    ("queue_status", {}),
    ("purge_dlq", {}),
    ("purge_dlq", {"days": "0"}),
    ("clear_dlq", {}),
    ("clear_match_cache", {}),
    ("put_back", {}),
    ("put_back", {}),
    ("history", {"runs": True}),
    ("scenes", {"state": "left_out", "reason": "undone"}),
    ("undo", {"left_out": True, "dry_run": True}),
    ("undo", {"scene_ids": [1], "dry_run": True}),
    ("sync", {"scene_ids": [1]}),
    ("undo", {"scene_ids": [1]}),
    ("import_legacy", {}),
    ("runs", {}),
]

CHECKED: list[dict[str, Any]] = [
    {},
    {"only_organized": True},
    {"exclude_tags": "Night", "only_organized": "true"},
    {"exclude_tags": "Nowhere"},
    {"exclude_tags": "Fog, Night", "max_tags": 0, "plex_token": "light"},
    {"skip_fields": "title fog", "max_tags": 501, "fog": 1, "plex_url": "harbour"},
    {"background_worker": "sometimes", "max_retries": 1.5, "obfuscate_paths": "perhaps"},
    {"only_organized": "", "exclude_tags": "", "plex_token": ""},
]


UNSTEADY = re.compile("nothing has changed|changed in Stash unseen|Every scene was compared")
"""Lines about a look at Stash, which may or may not meet a key on its way."""


def steady(value: Any) -> Any:
    """Return an answer without what depends on which of two threads is first."""
    if isinstance(value, list):
        return [steady(one) for one in value]
    if not isinstance(value, dict):
        return value
    known = {name: steady(one) for name, one in value.items() if name != "skipped"}
    if "changes" in known:
        known["changes"].sort(key=lambda change: (change["at"], change["scene_id"]))
    return known


def news(before: Any, now: Any) -> Any:
    """Return what is new in an answer since the same question was asked before."""
    if before == now:
        return "as before"
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        before, now = dict(enumerate(before)), dict(enumerate(now))
    if not isinstance(before, dict) or not isinstance(now, dict):
        return now
    found = {str(name): "no more" for name in before if name not in now}
    for name, value in now.items():
        if name not in before:
            found[str(name)] = value
        elif value != before[name]:
            found[str(name)] = news(before[name], value)
    return found


class Tour:
    """Asks one thing after the other, and keeps what is answered, logged, started and shown."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.told: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.started = 0
        self.lines = listen(desk)
        monkeypatch.setattr(worker, "start_worker", self.start)

    def start(self, *_: object) -> bool:
        self.started += 1
        return True

    def ask(self, head: str, mode: str, arguments: dict[str, Any]) -> None:
        """Ask once; a failure is an answer too."""
        desk = self.desk
        self.lines.clear()
        self.started = 0
        own = {"Port": desk.stash.port, "Host": "127.0.0.1"}
        given = {
            name: desk.plex.url if value == "PLEX" else value for name, value in arguments.items()
        }
        call = Call(desk.app, given, own, "", desk.app.logs.logger, io.StringIO())
        try:
            answer = find_task(mode).run(call)
        except Stash2PlexError as error:
            answer = {"error": error.what, "fix": error.fix}
        told: dict[str, Any] = {"answer": json.loads(json.dumps(answer))}
        if lines := sorted(line for line in self.lines if not UNSTEADY.search(line)):
            told["log"] = lines
        if self.started:
            told["started"] = self.started
        question = f"{mode} {json.dumps(arguments)[:80]}"
        name = f"{head}: {question}"
        while name in self.told:
            name += "'"
        shown = steady(compared(told, desk))
        self.told[name] = news(self.last.get(question), shown)
        self.last[question] = shown

    def ask_all(self, head: str, questions: list[tuple[str, dict[str, Any]]]) -> None:
        for mode, arguments in questions:
            self.ask(head, mode, arguments)


def survey(tour: Tour, mode: str, kind: SurveyKind) -> None:
    """Begin a survey, do what Stash's job does, and ask for the result."""
    tour.ask("survey", mode, {"start": True})
    tour.ask("survey", mode, {})
    known = Surveys(tour.desk.app.store.connection).read(kind)
    assert known is not None
    tour.ask("survey", "survey", {"kind": str(kind), "word": known.word})
    # Each word is used once, and is random.
    tour.told = {name.replace(known.word, "WORD"): told for name, told in tour.told.items()}
    tour.ask("survey", mode, {})


def furnish(desk: Desk) -> None:
    """Give Plex libraries of other kinds, and a film that no scene has."""
    quay = desk.plex.add_section("Quay Films", locations=["/quay"])
    desk.plex.add_item(quay, "/quay/elsewhere.mp4", size=12)
    for kind in ("show", "artist", "photo", "fog"):
        desk.plex.add_section(f"Harbour {kind}", type=kind, locations=[f"/{kind}"])


def moor(desk: Desk) -> None:
    """Add a scene with every field, one without metadata, one of two files, and sync them."""
    stash, tag = desk.stash, desk.stash.add_tag("Ebb")
    values = {
        "studio": stash.add_studio("Harbour Pictures"),
        "performers": [stash.add_performer("Performer 17"), stash.add_performer("Performer 18")],
        "director": "Captain", "rating100": 55, "date": "2023-05-06", "tags": [tag],
    }  # fmt: skip
    full = desk.scene("jetty/a.mp4", size=7, title="Jetty", **values)
    bare = desk.scene("jetty/b.mp4", size=8, title="", details="")
    twice = desk.stash.add_scene(
        files=["/data/lost/c.mp4", "/data/jetty/c.mp4"], sizes=[9, 10], title="Twice"
    )
    desk.item("jetty/a.mp4", size=7)
    desk.item("jetty/b.mp4", size=8)
    desk.item("jetty/c.mp4", size=10)
    desk.clock.step(60.0)
    desk.drain(full, bare, twice)


def by_head(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the answers as a part for each head."""
    parts: dict[str, dict[str, Any]] = {}
    for name, answer in told.items():
        head, _, question = name.partition(": ")
        parts.setdefault(head, {})[question] = answer
    return parts


def full_tour(folder: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    with utc(), ExitStack() as stack:
        settings = {"max_retries": 1, "exclude_tags": "Night"}
        desk = stack.enter_context(Desk(folder, **settings))
        watched_from_now(desk)
        gate = threading.Event()
        stack.callback(gate.set)

        def busy(_: Any) -> None:
            gate.wait(60)

        # Stash's jobs wait behind it; the test does the work of those that matter.
        desk.stash.jobs.add("Another task", busy)
        tour = Tour(desk, monkeypatch)
        furnish(desk)
        tour.ask_all("fresh", FRESH)
        harbour(desk)
        moor(desk)
        tour.ask_all("calm", SEEN)
        tour.ask_all("wrong", WRONG)
        for values in CHECKED:
            tour.ask("settings", "check_settings", {"values": values})
            tour.ask("settings", "save_settings", {"values": values})
        first = desk.stash.scenes[0]
        first.title, first.details = "Pier by day", ""
        items = desk.plex.all_items()
        items[1].title, items[1].tags["genre"] = "By hand", ["Own"]
        tour.ask_all("changed", SEEN)
        survey(tour, "count_changes", SurveyKind.CHANGES)
        survey(tour, "compare", SurveyKind.COMPARISON)
        tour.ask("survey", "compare", {"field": str(Field.TITLE), "limit": 1})
        tour.ask("survey", "compare", {"field": str(Field.STUDIO)})
        storm(desk)
        tour.ask_all("storm", SEEN)
        tour.ask_all("then", BUTTONS)
        for head, server in (("no Plex", desk.plex), ("no Stash", desk.stash)):
            server.down()
            tour.ask_all(head, AWAY)
            server.up()
        return tour.told


def test_every_answer_of_a_day_is_as_approved(tmp_path, monkeypatch, approved):
    approved(by_head(full_tour(str(tmp_path), monkeypatch)))
