"""Every command of the documents exists, takes what is written there, and runs."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
from contextlib import closing

import click
import pytest

from stash2plex.cli.main import cli
from tools.build_plugin import ROOT

ONLY_READ = {
    "serve": "it runs until it is stopped; tests/commands/test_service.py runs it",
    "status --watch": "it runs until it is stopped; the same",
    "probe-plex": "it edits three items; tests/commands/test_probe.py runs it",
    "--plex-url": "the probe on a server in Docker",
    "demo": "`make demo` is run by hand",
    "dlq show": "it needs a dead letter; tests/commands/test_commands.py shows one",
    "restore": "it needs a copy of the database",
    "undo": "it changes Plex back; it has tests of its own",
    "history": "it has tests of its own",
}
"""Commands whose words are checked here and that other tests run, with the reason."""

STANDS_FOR = {"ID": "1", "12": "1", "41": "1", "DIR": "old", "MODE": "status", "RUN": "1"}


def commands():
    listed = subprocess.run(
        ["git", "ls-files", "README.md", "SECURITY.md", "docs/guides", "docs/concepts"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = set()
    for name in listed:
        if name.endswith(".md"):
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                text = file.read()
            found |= set(re.findall(r"`stash2plex ([^`]+)`", text))
            found |= set(re.findall(r"process_queue\.py ([a-z][^`\n]*)", text))
            found |= set(re.findall(r"(?m)^\$ stash2plex ([^\n]+)$", text))
    return sorted(one.strip().removesuffix(" \\") for one in found)


def words_of(command):
    words = [STANDS_FOR.get(word, word) for word in shlex.split(command)]
    return [word for word in words if "…" not in word]


def test_there_are_commands():
    assert {"dlq list", "health", "report", "status"} <= set(commands())


@pytest.mark.parametrize("command", commands())
def test_a_command_takes_what_is_written(command):
    context = click.Context(cli, info_name="stash2plex")
    words = words_of(command)
    options = {"--plex-url"} & set(words)
    words = words[2:] if options else words
    found: click.Command = cli
    while isinstance(found, click.Group) and words:
        context = click.Context(found, info_name="stash2plex")
        inner = found.get_command(context, words[0])
        assert inner is not None, words[0]
        found, words = inner, words[1:]
    found.make_parser(context).parse_args(list(words))


@pytest.fixture
def legacy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "dlq.db")) as database:
        database.execute("CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, scene_id INTEGER)")


@pytest.mark.parametrize(
    "command", [one for one in commands() if not one.startswith(tuple(ONLY_READ))]
)
def test_a_command_runs(command, desk, legacy):
    assert desk.run("process")[0] == 0
    code, out, err = desk.run(*words_of(command))
    assert code in (0, 1), err
    assert "Traceback" not in out + err
