"""Writes docs/reference from the code, so that the two always agree."""

from __future__ import annotations

import inspect
import os
import re
import sys

import click
import yaml

from stash2plex import errors
from stash2plex.cli import main as cli
from stash2plex.config import LEGACY_FLAGS, SPECS
from stash2plex.tasks.registry import TASKS
from stash2plex.version import VERSION
from stash2plex_testing.faultcases import COUNTS, SETUPS, Outcome, rows
from stash2plex_testing.scopecases import PARTS
from tools.database_page import database_page
from tools.licences_page import licences_page
from tools.site_address import with_address

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ADDRESSED = ("README.md", "docs/guides/install.md")
"""The documents that name the address of the index."""
VERSIONED = ("plugin/Stash2Plex.yml", "plugin/Stash2PlexHooks.yml")

HEAD = "<!-- Written by `make docs` from the code; change the code, not this page. -->\n\n"


def main() -> int:
    """Write every page, and the version and the address wherever they are repeated."""
    for name, text in pages().items():
        _write(os.path.join("docs", "reference", name), text)
    for name in ADDRESSED:
        _write(name, with_address(_read(name)))
    for name in VERSIONED:
        _write(name, re.sub(r"(?m)^version: .*$", f"version: {VERSION}", _read(name)))
    return 0


def _read(name: str) -> str:
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def _write(name: str, text: str) -> None:
    path = os.path.join(ROOT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def pages() -> dict[str, str]:
    """Return every page: its file name and its text."""
    return {
        "settings.md": settings_page(),
        "tasks.md": tasks_page(),
        "errors.md": errors_page(),
        "command-line.md": command_line_page(),
        "faults.md": faults_page(),
        "database.md": HEAD + database_page(),
        "licences.md": HEAD + licences_page(),
    }


def settings_page() -> str:
    """Return a table of the settings in the plugin's yml, and what the old ones mean now."""
    with open(os.path.join(ROOT, "plugin", "Stash2Plex.yml"), encoding="utf-8") as file:
        shown = yaml.safe_load(file)["settings"]
    lines = [
        "# Settings",
        "",
        (
            "In Stash under Settings › Plugins › Stash2Plex. Anything left empty or unticked "
            "takes its default."
        ),
        "",
        "| Key | Default | Allowed | Meaning |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{spec.key}` | {spec.default} | {spec.allowed.replace('|', '/')} | {spec.meaning} |"
        for spec in SPECS
        if spec.key in shown
    ]
    flags = ", ".join(f"`{name}`" for name in LEGACY_FLAGS)
    lines += [
        "",
        "## Settings of Stash2Plex 1.x",
        "",
        (
            "What an older version stored keeps its meaning: `enabled=false` stops everything, "
            "`strict_matching=false` is `loose_matching`, `reconcile_missing=false` is "
            "`skip_not_found`, `sync_master=false` skips every field, and each of "
            f"{flags} stored as false adds its field to `skip_fields`."
        ),
    ]
    return HEAD + "\n".join(lines) + "\n"


def tasks_page() -> str:
    """Return the lists of tasks and operations, and what each way to call them answers."""
    lines = [
        "# Tasks and operations",
        "",
        (
            "Tasks are buttons in Stash under Settings › Tasks, in this order. What a task finds "
            "is in Stash's log."
        ),
        "",
        "| Task | Mode | What it does | When to press it |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {task.button} | `{task.mode}` | {task.meaning}. | {task.when} |"
        for task in TASKS
        if task.button
    ]
    lines += ["", "## Operations", "", OPERATIONS, "", "| Mode | Answer | Arguments |"]
    lines += ["| --- | --- | --- |"]
    lines += [
        f"| `{task.mode}` | {task.button or f'{task.meaning}.'} | {task.arguments or '–'} |"
        for task in sorted(TASKS, key=lambda task: bool(task.button))
        if not task.button or task.arguments
    ]
    return HEAD + "\n".join(lines) + "\n"


OPERATIONS = """\
Every task is also an operation. An operation runs at once, beside the tasks, and answers its
caller. Through Stash the answer is the output itself:

```graphql
mutation {
  runPluginOperation(plugin_id: "Stash2Plex", args: {mode: "sync", scene_ids: [12, 15]})
}
```

```json
{"data": {"runPluginOperation": {"changed": 2}}}
```

An error comes as a GraphQL error:

```json
{"errors": [{"message": "“scene_ids” must be a list of at most 10,000 scene ids.",
             "path": ["runPluginOperation"]}],
 "data": {"runPluginOperation": null}}
```

Between Stash and the process there is one more layer, which scripts that start
`stash2plex_plugin.py` themselves see: one JSON object on standard output, `{"output": …}` or
`{"error": "…"}`. The first of the two examples is `{"output": {"changed": 2}}` there.

Two more operations are for the script that Stash runs as our hook, and for nothing else: `record`
stores the ids of an edit, `session` hands over the log-in for a worker. Their failures are outputs,
`{"recorded": 0, "error": "…"}`."""


def errors_page() -> str:
    """Return the error tree as the code draws it."""
    lines = ["# Errors", "", "```text", inspect.cleandoc(errors.__doc__ or ""), "```", ""]
    lines += ["| Reason | Error | Meaning |", "| --- | --- | --- |"]
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.Stash2PlexError):
            meaning = inspect.cleandoc(value.__doc__ or "").splitlines()[0]
            lines.append(f"| `{value.reason}` | {name} | {meaning} |")
    return HEAD + "\n".join(lines) + "\n"


def command_line_page() -> str:
    """Return the help of every command."""
    lines = ["# Command line", ""]

    def add(command: click.Command, path: list[str], parent: click.Context | None) -> None:
        context = click.Context(
            command, info_name=path[-1], parent=parent, terminal_width=88, max_content_width=88
        )
        lines.extend(
            [f"## `{' '.join(path)}`", "", "```text", command.get_help(context), "```", ""]
        )
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                if found is not None:
                    add(found, [*path, name], context)

    add(cli.cli, ["stash2plex"], None)
    return HEAD + "\n".join(lines).rstrip() + "\n"


def faults_page() -> str:
    """Return the outcome of every fault at every stage, as the fault suite tests it."""
    found: dict[tuple[str, Outcome], list[str]] = {}
    number = 0
    for case, stage, _, outcome in rows():
        number += 1
        found.setdefault((case.name, outcome), []).append(f"{stage.server} {stage.name}")
    lines = [
        "# Faults",
        "",
        (
            f"The outcome of each of {number} pairs of a fault and a stage. The tests run every "
            "pair against the stand-ins. They check the kind, the sentence, the attempts, and that "
            "everything is in sync once the server works again (dead letters after **Retry Dead "
            "Letters**)."
        ),
        "",
        (
            "Stages of Plex: token, libraries and list come before anything is claimed; then "
            "details, edit and upload. Stages of Stash: settings, scenes, fan-out (the scenes of "
            "a performer, studio, tag or group) and cover. A cover never holds up the texts."
        ),
        "",
        "| Fault | At | Reason | Outcome | Attempts | What the user reads |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (name, outcome), stages in found.items():
        says = outcome.says.format(
            server="(server)",
            at="(address)",
            deed="(request)",
            title="(title)",
            path="(path)",
            library="(library)",
            scene="(id)",
        )
        reason = f"`{outcome.reason}`" if outcome.reason else "–"
        cells = (
            name,
            ", ".join(stages),
            reason,
            outcome.ends,
            str(COUNTS[outcome.ends]),
            says or "–",
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += scopes_table()
    lines += [
        "",
        "## Faults of the set-up",
        "",
        "| Fault | Reason | Outcome | What the user reads |",
    ]
    lines += ["| --- | --- | --- | --- |"]
    for name, outcome in SETUPS.items():
        says = outcome.says.format(at="(address)")
        lines.append(f"| {name} | `{outcome.reason}` | {outcome.ends} | {says} |")
    return HEAD + "\n".join(lines) + "\n"


def scopes_table() -> list[str]:
    """Show what becomes of a part of a server that fails alone, as the fault suite tests it."""
    lines = [
        "",
        "## Faults of one part",
        "",
        (
            "A failure has a scope: a field, an item, an endpoint, a library, or the whole server. "
            f"The tests run {sum(len(part.inside) for part in PARTS)} pairs of a fault and a part "
            "with four new scenes that have covers. Everything outside the part arrives, no outage "
            "is recorded, and the message names the part. All is in sync once the part is well "
            "again. *Requests* are the most that the fault may cost beside the usual 40."
        ),
        "",
        "| Scope | Part | Fault | What comes of the part | Requests |",
        "| --- | --- | --- | --- | --- |",
    ]
    for part in PARTS:
        by_end: dict[str, list[str]] = {}
        for name, end in part.inside.items():
            by_end.setdefault(end, []).append(name)
        for name, why in part.never.items():
            by_end.setdefault(f"cannot be: {why}", []).append(name)
        for end, names in by_end.items():
            more = "–" if end.startswith("cannot") else str(part.more)
            cells = (part.scope, f"{part.name} ({part.server})", "; ".join(names), end, more)
            lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
