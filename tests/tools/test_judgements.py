"""Mutants that were judged harmless, and the report of what was noticed."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest

from tests.tools.conftest import BOATS, LANTERNS, mutant_of
from tools.mutants import areas, harmless, report
from tools.mutants.mutants import Package, in_lines
from tools.mutants.trial import HARMLESS, NOTICED, SURVIVED, TIMED_OUT, Result
from tools.reach.gaps import folder_of

JUDGED = """[[mutant]]
module = "lanterns"
operator = "number changed"
was = "LIMIT = 3"
becomes = "LIMIT = 4"
reason = "nobody has more than two"
"""


def test_a_judgement_goes_with_the_module(harbour, tmp_path):
    (tmp_path / "judged.toml").write_text(JUDGED)
    judged = harmless.read(str(tmp_path / "judged.toml"))
    assert harmless.key_of(mutant_of(harbour, 3, "LIMIT = 4")) in judged
    (harbour / "stash2plex/quay").mkdir()
    moved = harbour / "stash2plex/quay/lanterns.py"
    (harbour / LANTERNS).rename(moved)
    moved.write_text("# moved\n" + moved.read_text())
    mutants = in_lines(Package(str(harbour)), {"stash2plex/quay/lanterns.py": {4}})
    assert {harmless.key_of(mutant) for mutant in mutants} & judged.keys()
    assert harmless.stale(judged.values(), {"lanterns": [moved.read_text()]}) == []
    assert len(harmless.stale(judged.values(), {"lanterns": ["LIMIT = 5\n"]})) == 1


@pytest.mark.parametrize(
    "text",
    [
        JUDGED.replace("nobody has more than two", " "),
        JUDGED.replace("reason", "because"),
        JUDGED + JUDGED,
    ],
)
def test_a_judgement_that_is_not_whole_is_refused(tmp_path, text):
    (tmp_path / "judged.toml").write_text(text)
    with pytest.raises(ValueError, match="entry"):
        harmless.read(str(tmp_path / "judged.toml"))


def test_every_judgement_is_of_a_line_that_is_still_there():
    package = Package()
    texts: dict[str, Any] = {}
    for path in package.paths:
        name = os.path.splitext(os.path.basename(path))[0]
        texts.setdefault(name, []).append(package.text(path))
    assert harmless.stale(harmless.read().values(), texts) == []


def test_the_table_and_the_file(harbour, tmp_path):
    mutants = in_lines(Package(str(harbour)), {LANTERNS: {8, 9, 10}, BOATS: {5}})
    outcomes = [NOTICED, SURVIVED, HARMLESS, TIMED_OUT, *[NOTICED] * 9]
    tried = [
        report.Tried(mutant, Result(outcome, asked=3))
        for mutant, outcome in zip(mutants, outcomes, strict=False)
    ]
    path = str(tmp_path / "dist" / "mutants.json")
    report.write(path, tried, {"seed": 7})
    with open(path, encoding="utf-8") as file:
        held = json.load(file)
    assert held["seed"] == 7
    assert len(held["mutants"]) == len(mutants)
    lines, keys = report.survivors(path)
    assert lines == {mutants[1].path: {mutants[1].place.line}}
    assert keys == {harmless.key_of(mutants[1])}
    assert report.known(path)[report.spot_of(mutants[1])] == tried[1].result
    shown = report.table(tried, "folder", folder_of)
    assert [column.header for column in shown.columns][1:] == [
        "mutants", "noticed", "survived", "harmless", "timed out", "share",
    ]  # fmt: skip
    assert list(shown.columns[0].cells) == ["(flat)", "docks", "all"]
    part = report.share(Counter([NOTICED, NOTICED, TIMED_OUT, SURVIVED, HARMLESS]))
    assert part == 0.75
    with pytest.raises(SystemExit):
        report.survivors(str(tmp_path / "missing.json"))


def test_every_file_lies_in_one_area():
    """The table names what is there, and nothing that is gone."""
    held = areas.read()
    paths = Package().paths
    assert {held.of(path) for path in paths} == set(held.names)
    assert held.stale(paths) == []
    known = areas.Areas({"boats": ["docks/"], "rest": [""]})
    assert (known.of(BOATS), known.of(LANTERNS)) == ("boats", "rest")
    assert areas.Areas({"boats": ["docks/", "piers/"]}).stale([BOATS]) == ["piers/"]
