"""The way back, typed as the guide shows it, one line after the other."""

from __future__ import annotations

import re

from stash2plex_testing.world import ROOT
from tests.commands.test_documented import words_of


def typed():
    """Return the commands of the guide's block, without the program's name."""
    with open(f"{ROOT}/docs/guides/stop-using.md", encoding="utf-8") as file:
        block = re.search(r"(?ms)^```console\n(.*?)^```$", file.read())
    assert block is not None
    return [line.removeprefix("$ stash2plex ") for line in block[1].splitlines()]


def test_each_line_of_the_guide_runs_and_plex_is_as_before(desk):
    before = [item.title for item in desk.plex.all_items()]
    assert desk.run("sync", "--all")[0] == 0
    written = [item.title for item in desk.plex.all_items()]
    assert written != before
    forecast, *rest = typed()
    code, out, err = desk.run(*words_of(forecast))
    assert (code, "--dry-run" in forecast) == (0, True), err
    assert [item.title for item in desk.plex.all_items()] == written
    for line in rest:
        # The only run here is the first.
        words = [re.sub("^7$", "1", word) for word in words_of(line)]
        code, out, err = desk.run(*words)
        assert (code, "Traceback" in out + err) == (0, False), f"{line}: {out}{err}"
    assert [item.title for item in desk.plex.all_items()] == before
