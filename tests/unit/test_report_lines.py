"""A report in lines: its parts, and no secret."""

from __future__ import annotations

from stash2plex.operations.report import Report
from stash2plex.ui.lines.report import report_lines
from tests.unit.test_whole_lines import CHECKS, QUIET, changed


def test_a_report_has_a_blank_line_between_its_parts_and_no_secret():
    report = Report(
        versions={"Stash2Plex": "3", "Python": "3.12"}, settings=[], health=CHECKS,
        status=changed(**QUIET), log=["The token is lantern-7."], secrets=("lantern-7",),
    )  # fmt: skip
    lines = report_lines(report)
    assert lines[:7] == [
        "== Versions ==", "Stash2Plex: 3", "Python: 3.12", "",
        "== Settings that are not the default ==", "(nothing)", "",
    ]  # fmt: skip
    start = lines.index("== Status ==")
    assert lines[start - 1] == ""
    assert lines[start + 1] == ("Queue: 0 due, 0 in progress, 0 waiting for later, 0 given up.")
    assert lines[-3:] == ["", "== Last lines of worker.log ==", "The token is (token)."]
