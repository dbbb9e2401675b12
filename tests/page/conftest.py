"""The page's operations in one process, and the schema that their answers must fit."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import jsonschema
import pytest
from attrs import define, field

from stash2plex.errors import Stash2PlexError
from stash2plex.tasks.registry import find_task
from stash2plex.tasks.task import Call, problem_json
from tests.harness.in_process import Desk

SCHEMA_PATH = os.path.join(os.path.dirname(__file__), "operations.schema.json")


def read_schema() -> dict[str, Any]:
    with open(SCHEMA_PATH, encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)
    return schema


def check(mode: str, output: Any) -> None:
    """Fail if an operation's answer does not fit the schema."""
    schema = read_schema()
    whole = {"$ref": f"#/$defs/{mode}/properties/output", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(whole).validate(output)


def check_arguments(mode: str, arguments: dict[str, Any]) -> None:
    """Fail if the arguments of a call do not fit the schema."""
    schema = read_schema()
    whole = {"$ref": f"#/$defs/{mode}/properties/args", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(whole).validate(arguments)


@define
class Page:
    """Calls operations as Stash does, and holds arguments and answers against the schema."""

    app: Any
    stderr: io.StringIO = field(factory=io.StringIO)

    def make_call(self, arguments: dict[str, Any]) -> Call:
        """Return a call with any arguments."""
        return Call(self.app, arguments, {}, "", self.app.logs.logger, self.stderr)

    def call(self, mode: str, **arguments: Any) -> Any:
        check_arguments(mode, arguments)
        task = find_task(mode)
        call = self.make_call(arguments)
        try:
            output = task.run(call)
        except Stash2PlexError as error:
            output = problem_json(error.what, error.fix)
        check(mode, output)
        return json.loads(json.dumps(output))


@pytest.fixture
def make_desk(tmp_path: Any) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Desk(str(tmp_path), **settings))
