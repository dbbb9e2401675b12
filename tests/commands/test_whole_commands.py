"""Each command's whole answer: exit code, standard output and standard error, as words and JSON."""

from __future__ import annotations

import json
import re

import pytest

from stash2plex.version import VERSION

COMMANDS = [
    "status",
    "--json status",
    "status --format prometheus",
    "outages",
    "outages --json --limit 1",
    "history",
    "history --json",
    "dlq list",
    "dlq list --reason fault --json",
    "dlq show 4",
    "dlq show 4 --kind tag",
    "dlq retry --all",
    "dlq discard --reason ambiguous --json",
    "dlq purge",
    "dlq purge --days 36501",
    "dlq recover",
    "dlq recover --json",
    "process",
    "process --wait 86401",
    "sync",
    "sync --all --recent",
    "sync --scene 1 --dry-run",
    "sync --scene 1 --dry-run --json",
    "sync --scene 99",
    "sync --recent --scene 1",
    "sync --recent --all --dry-run",
    "sync --scene 1",
    "sync --scene 2 --json",
    "sync --scene 1 --scene 1 --wait 0",
    "scene 1",
    "scene 2 --json",
    "scene 3",
    "scene 99",
    "scene 0",
    "history --scene 1",
    "history --run 2 --json",
    "history --run 9",
    "history --scene 1 --run 1",
    "history --limit 1",
    "history --limit 1 --offset 1",
    "history --limit 0",
    "undo",
    "undo --all --scene 1",
    "undo --all --field fog",
    "undo --all --dry-run",
    "undo --scene 1 --field title --dry-run --json",
    "undo --item 1 --dry-run",
    "undo --run 99 --dry-run",
    "undo --left-out --dry-run",
    "undo --scene 1",
    "undo --scene 2 --json",
    "undo --scene 2",
    "reconcile --last",
    "reconcile --dry-run --scope recent",
    "reconcile --scope fog",
    "operation fog",
    "operation scene",
    "operation scene scene_id=1",
    "operation sync scene_ids=[3]",
    "operation sync scene_ids",
    "operation clear_queue",
    "import-legacy",
    "restore --list",
    "restore --list --json",
    "restore fog",
    "probe-plex",
    "probe-plex --item /",
    "completion fog",
    "fog",
    "--plex-url fog status",
    "--stash-url fog status",
    "--config /nowhere/at/all.toml status",
]
"""In the order in which they are typed."""

MOVING = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\dZ?)?|\b\d\d:\d\d:\d\d\b|(?<=t=)\d+"
    r"|\b[\d.]+ (s|ms)\b|(?<=second )[\d.]+$"
    r"|(?<=seconds )[\d.]+$|(?<=_sum )[\d.]+$|^stash2plex_edit_seconds.*$",
    re.MULTILINE,
)
"""Times, and how long something took."""

NOT_COMPARED = {
    "seconds", "rate_per_s", "eta_s", "mean", "p50_below", "p95_below", "days", "made_at",
    "machine_id", "version", "skipped",
}  # fmt: skip


def steady(value):
    """Return a value of JSON without what differs between two runs."""
    if isinstance(value, dict):
        return {name: steady(one) for name, one in value.items() if name not in NOT_COMPARED}
    if isinstance(value, list):
        return [steady(one) for one in value]
    return MOVING.sub("…", value) if isinstance(value, str) else value


@pytest.fixture
def typed(desk, monkeypatch):
    """Type every command, each once; returns what it answered."""
    # No line is broken: where, depends on the number of a port.
    monkeypatch.setenv("COLUMNS", "2000")

    def shown(text):
        own = {
            desk.plex.url: "PLEX",
            desk.stash.url: "STASH",
            desk.plex.machine_identifier: "MACHINE",
            desk.folder: "DATA",
            VERSION: "VERSION",
        }
        for name, word in own.items():
            text = text.replace(name, word)
        try:
            return steady(json.loads(text))
        except ValueError:
            return MOVING.sub("…", text).splitlines()

    told = {}
    for command in COMMANDS:
        code, out, err = desk.run(*command.split())
        told[command] = {"code": code, "out": shown(out), "err": sorted(shown(err))}
    return told


def test_every_command_answers_as_approved(typed, approved):
    approved(typed)
