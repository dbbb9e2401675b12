"""Defines a task or operation, and a call of one. Every argument from outside is checked here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from attrs import frozen

from stash2plex.app import App
from stash2plex.db import read_id
from stash2plex.errors import StoreError, UsageError
from stash2plex.operations.runs import running
from stash2plex.store.runs import Begun
from stash2plex.workqueue import Key

MAX_IDS = 10_000
"""How many scenes one call may name."""

MAX_ROWS = 1_000
"""How many rows one answer may have."""


@frozen
class Call:
    """A call of a task: the application, the caller's arguments, and where progress and lines go.

    `server_connection` is empty on a command line.
    """

    app: App
    arguments: Mapping[str, Any]
    server_connection: Mapping[str, Any]
    plugin_dir: str
    logger: logging.Logger
    stderr: TextIO

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number, or its text: Stash sends the numbers of a task's yml as text."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value) if not isinstance(value, (bool, float)) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not low <= number <= high:
            raise UsageError(f"“{name}” is {str(value)[:40]!r}; allowed: {low} to {high}.")
        return number

    def text(self, name: str, most: int = 1_000) -> str:
        """Read a text of up to `most` characters; empty if it is missing."""
        value = self.arguments.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > most:
            raise UsageError(f"“{name}” must be a text of at most {most:,} characters.")
        return value.strip()

    def flag(self, name: str) -> bool:
        """Read a yes or no; Stash may pass it as text."""
        return self.arguments.get(name) in (True, "true")

    def scene_id(self) -> int:
        """Read `scene_id`, which has to be there."""
        scene_id = read_id(self.arguments.get("scene_id"))
        if scene_id is None:
            raise UsageError("“scene_id” is missing; pass the id of a scene in Stash.")
        return scene_id

    def scene_keys(self) -> list[Key]:
        """Read `scene_ids` as keys."""
        ids = self.arguments.get("scene_ids")
        if not isinstance(ids, list) or len(ids) > MAX_IDS:
            raise UsageError(f"“scene_ids” must be a list of at most {MAX_IDS:,} scene ids.")
        keys: list[Key] = []
        for value in ids:
            scene_id = read_id(value)
            if scene_id is None:
                raise UsageError(f"“scene_ids” has {str(value)[:40]!r}, which is no scene id.")
            keys.append(("scene", scene_id))
        return keys

    @contextmanager
    def running(self, name: str) -> Iterator[Begun]:
        """Begin a run for the task `name`, and end it when the block ends."""
        with running(self.app, name, in_stash=bool(self.server_connection)) as begun:
            yield begun

    def report(self, text: str) -> str:
        """Log a sentence at info level and return it as the task's answer."""
        self.logger.info("%s", text)
        return text


def problem_json(what: str, fix: str | None, field: str = "") -> dict[str, Any]:
    """Return a failure as the page's operations answer it; `field` is what it is about."""
    problem = {"what": what, "do": fix or ""}
    return {"problem": {**problem, "field": field} if field else problem}


@frozen
class Task:
    """What a caller may ask for by its `mode`: a task of Stash, or an operation.

    `button` is the task's name in Stash, empty for an operation that no button starts. `run`
    returns the answer. `when` tells the user when to press the button, `arguments` tells callers
    what the operation takes. `without_store` answers if the database cannot be opened; if it is
    None, the error is the answer. A task that `reports` logs trouble with servers, settings and
    scenes in its own lines, so no notification repeats it. `for_page` means that only the page
    calls it: a failure is an output then, because Stash logs the arguments of an error.
    """

    mode: str
    button: str
    run: Callable[[Call], Any]
    meaning: str
    without_store: Callable[[StoreError, logging.Logger], Any] | None = None
    when: str = ""
    arguments: str = ""
    reports: bool = False
    for_page: bool = False

    @property
    def description(self) -> str:
        """What Stash shows beside the button."""
        return f"{self.meaning}. {self.when}"
