"""Runs a plugin's script inside the server, as Stash does with `interface: js` (stash.md §1.2).

Stash uses goja, this stand-in QuickJS: both read the script whole and strict, and keep nothing
between two runs. What a script gets is `input`, `gql`, `log` and `util`: no files, no network.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import quickjs

from stash2plex_testing.stash.criteria import StashError

Ask = Callable[[str, Mapping[str, Any]], tuple[int, dict[str, Any]]]
"""Answers a GraphQL query with a status and an answer."""

PRELUDE = """
var input = JSON.parse(__input);
var gql = { Do: function (query, variables) {
  var answer = JSON.parse(__ask(query, JSON.stringify(variables === undefined ? {} : variables)));
  if (answer.failure !== undefined) { throw new Error(answer.failure); }
  return answer.data;
} };
var log = {}, console = {};
["Trace", "Debug", "Info", "Warn", "Error"].forEach(function (level) {
  log[level] = function (value) {
    __log(level, typeof value === "object" ? JSON.stringify(value) : String(value));
  };
});
console.log = console.info = log.Info;
console.error = log.Error;
console.warn = log.Warn;
console.debug = log.Debug;
var util = { Sleep: __sleep };
"""


@dataclass(frozen=True)
class Result:
    """The value of a script's last expression: its fields `Output` and `Error`."""

    output: Any = None
    error: str | None = None


def run_script(
    path: str, given: Mapping[str, Any], ask: Ask, log: Callable[[str, str], None]
) -> Result:
    """Run a script. Raises StashError if it cannot be read or compiled.

    What it throws becomes its error. `log` takes a level and a text.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise StashError(f"failed to read file: open {path}: {error.strerror}") from error
    context = quickjs.Context()
    context.set("__input", json.dumps(given))
    context.add_callable("__ask", lambda query, variables: _answer(ask, query, variables))
    context.add_callable("__log", lambda level, line: log(level.lower(), line))
    context.add_callable("__sleep", lambda milliseconds: time.sleep(milliseconds / 1000))
    context.eval(PRELUDE)
    try:
        # A function that is never called: its text is compiled but not run.
        context.eval(f'(function () {{ "use strict"; {text}\n}})')
    except quickjs.JSException as error:
        raise StashError(f"SyntaxError: {path}: {_first_line(error)}") from error
    try:
        value = context.eval(f'"use strict"; {text}')
    except quickjs.JSException as error:
        return Result(error=_first_line(error))
    fields = json.loads(value.json()) if isinstance(value, quickjs.Object) else {}
    fields = fields if isinstance(fields, dict) else {}
    failure = fields.get("Error")
    return Result(fields.get("Output"), None if failure is None else str(failure))


def _answer(ask: Ask, query: str, variables: str) -> str:
    """Answer a script's query; what Stash would throw is returned as text."""
    status, answer = ask(query, json.loads(variables))
    if status != 200:
        shown = f"graphQL query failed: {status} - {json.dumps(answer)}. Query: {query}."
        return json.dumps({"failure": f"{shown} Variables: {variables}"})
    if "errors" in answer:
        return json.dumps({"failure": f"graphql error: {json.dumps(answer['errors'])}"})
    return json.dumps({"data": answer["data"]})


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
