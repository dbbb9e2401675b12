"""What is measured: each test's lines, in its own process and in those of the archive."""

from __future__ import annotations

import os

from tools.reach.gaps import find_gaps, pragmas_without_reason, runs
from tools.reach.measure import Kept, Measuring, helpers, save
from tools.reach.trees import PACKAGE, ROOT, TreeCopy, remove_orphans, tree_files

LANTERNS = "stash2plex/lanterns.py"
TESTS = "tests/test_lanterns.py"


def line_of(root, text):
    lines = (root / LANTERNS).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_each_line_knows_its_tests_in_every_process(harbour):
    measuring = Measuring(str(harbour))
    kept = measuring.update(1)
    assert kept.failed == []
    assert set(kept.seconds) == {
        f"{TESTS}::{name}"
        for name in ("test_few", "test_wait", "test_the_archive[exit]", "test_the_archive[kill]")
    }
    reach = measuring.reach(kept)
    lines = reach.lines(LANTERNS)
    few, archive = reach.known(lines[line_of(harbour, "if lanterns > LIMIT")])
    assert few == {f"{TESTS}::test_few"}
    # These ran isolated, with an empty environment, and left without an end.
    assert archive == {f"{TESTS}::test_the_archive[exit]", f"{TESTS}::test_the_archive[kill]"}
    assert reach.known(lines[line_of(harbour, "return LIMIT")]) == (set(), archive)
    # The work tree is as it was.
    assert (harbour / "stash2plex/__init__.py").read_text() == '"""The package."""\n'

    gaps = {gap.path: gap for gap in find_gaps(measuring, [LANTERNS, "stash2plex/docks/boats.py"])}
    assert gaps[LANTERNS].lines == []
    assert gaps[LANTERNS].branches == []
    assert gaps["stash2plex/docks/boats.py"].sentences() == [
        "stash2plex/docks/boats.py:4-5: never run"
    ]

    # Only a changed file is run again.
    (harbour / "tests/test_boats.py").write_text(
        "from stash2plex.docks.boats import lift\n\n\ndef test_lift():\n    assert lift(1) == 2\n"
    )
    times = dict(kept.seconds)
    again = measuring.update(1)
    assert {test: again.seconds[test] for test in times} == times
    assert measuring.reach(again).known(
        measuring.reach(again).lines("stash2plex/docks/boats.py")[5]
    ) == (
        {"tests/test_boats.py::test_lift"},
        set(),
    )


def test_another_package_is_measured_as_a_whole(tmp_path):
    measuring = Measuring(str(tmp_path))
    save(Kept("one", {"tests/test_a.py": "1"}), measuring.folder)
    assert measuring.load("one") == Kept("one", {"tests/test_a.py": "1"})
    assert measuring.load("two") is None


def test_a_helper_counts_for_the_tests_beside_it():
    names = ["tests/conftest.py", "tests/a/conftest.py", "tests/a/test_a.py", "tests/b/desk.py"]
    assert helpers("tests/a/test_a.py", names) == ["tests/a/conftest.py"]
    assert helpers("tests/test_c.py", names) == []


def test_a_test_that_fails_in_any_case_counts_for_nothing(harbour):
    (harbour / TESTS).write_text(
        "import coverage\nfrom stash2plex.lanterns import count\n\n\n"
        "def test_never():\n    assert count(1) == 2\n\n\n"
        "def test_unmeasured():\n    assert coverage.Coverage.current() is None\n"
    )
    kept = Measuring(str(harbour)).update(1)
    assert kept.failed == [f"{TESTS}::test_never", f"{TESTS}::test_unmeasured"]
    assert set(kept.seconds) == {f"{TESTS}::test_unmeasured"}


def test_a_copy_holds_what_is_new_and_goes_at_the_end(harbour):
    (harbour / "stash2plex/new.py").write_text("")
    (harbour / "dist").mkdir()
    (harbour / "dist/ignored").write_text("")
    with TreeCopy(str(harbour)) as copy:
        assert os.path.exists(os.path.join(copy.tree, "stash2plex/new.py"))
        assert copy.build_archive()
        assert os.path.exists(os.path.join(copy.tree, "dist/archive/stash2plex/new.py"))
    assert not os.path.exists(copy.folder)
    assert not (harbour / "dist/archive").exists()


def test_what_a_killed_run_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("s2p-tree-4194305-x", f"s2p-tree-{os.getpid()}-x", "other"):
        (tmp_path / name).mkdir()
    remove_orphans()
    assert sorted(os.listdir(tmp_path)) == ["other", f"s2p-tree-{os.getpid()}-x"]


def test_neighbouring_lines_are_shown_as_one():
    assert runs([3, 4, 5, 9, 11, 12]) == ["3-5", "9", "11-12"]


def test_a_pragma_needs_a_reason(tmp_path):
    (tmp_path / "a.py").write_text(
        "a = 1  # pragma: no cover\n"
        "b = 1  # pragma: no cover - Windows only\n"
        "c = 1  # pragma: no branch -\n"
        "d = 1  # pragma: no branch - always found\n"
    )
    assert pragmas_without_reason(str(tmp_path), "a.py") == [1, 3]


def test_every_pragma_of_the_package_has_one():
    bare = [
        f"{path}:{line}"
        for path in tree_files()
        if path.startswith(f"{PACKAGE}/") and path.endswith(".py")
        for line in pragmas_without_reason(ROOT, path)
    ]
    assert bare == []
