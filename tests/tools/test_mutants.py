"""Mutants: what is broken and how, which are drawn, who is asked, and that the tree stays whole."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import coverage
import pytest

from tests.tools.conftest import BOATS, LANTERNS, git, mutant_of
from tools.mutants import areas
from tools.mutants.covering import Covering, covering, in_order
from tools.mutants.mutants import Package, changed_lines, draw, in_lines
from tools.mutants.places import Module
from tools.mutants.serving import pair_codes
from tools.mutants.trial import NOTICED, SURVIVED, TIMED_OUT, Bench
from tools.mutants.warm import Answer, Warm
from tools.reach.measure import Reach
from tools.reach.trees import TreeCopy


def broken(code):
    module = Module(code)
    return {
        (change.operator, module.diff(module.apply(change)).becomes)
        for place in module.places
        for change in place.changes
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b\n", {("operator swapped", "a <= b")}),
        ("a == b\n", {("operator swapped", "a != b")}),
        ("a and b\n", {("operator swapped", "a or b")}),
        ("a is None\n", {("keyword swapped", "a is not None")}),
        ("a in b\n", {("keyword swapped", "a not in b")}),
        ("a = 3\n", {("number changed", "a = 4")}),
        ("a = 'x'\n", {("text changed", "a = 'XXxXX'")}),
        ("a = True\n", {("True and False swapped", "a = False")}),
        ("a = not b\n", {("not left out", "a = b")}),
        ("a = b.lower()\n", {("method swapped", "a = b.upper()")}),
        ("a()\n", {("call left out", "pass")}),
        (
            "a = b(c, d)\n",
            {("argument left out", "a = b(d)"), ("argument left out", "a = b(c, )")},
        ),
        ("raise A\n", {("raise left out", "pass")}),
        ("def f():\n    return a\n", {("value not returned", "return None")}),
        ("def f():\n    return\n", {("value not returned", "pass")}),
        ("if a:\n    b = c\n", {("condition turned", "if not (a):")}),
        ("if (a\n    .b):\n    c = d\n", {("condition turned", "if not ((a .b)):")}),
        ("for a in b:\n    break\n", {("jump left out", "pass"), ("keyword swapped", "return")}),
        (
            "for a in b:\n    continue\n",
            {("jump left out", "pass"), ("keyword swapped", "break")},
        ),
        ("a += b\n", {("operator swapped", "a -= b"), ("counting lost", "a = b")}),
        (
            "a = b if c else d\n",
            {
                ("branch forced", "a = b if (c) and False else d"),
                ("branch forced", "a = b if (c) or True else d"),
            },
        ),
    ],
)
def test_what_is_broken(code, expected):
    assert broken(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        '"""A docstring."""\n',
        "import a\n",
        "a: Literal['x']\n",
        "if TYPE_CHECKING:\n    a = 1\n",
        "if a == 1:  # pragma: no cover - Windows only\n    b = 1\n",
        "a = 1  # pragma: no cover - never\n",
        "a = None\n",
    ],
)
def test_what_is_left_alone(code):
    assert broken(code) == set()


def test_a_place_knows_its_statement_and_function():
    code = "LIMIT = 3\n\n\ndef f(a=1):\n    return g(\n        a,\n        2,\n    )\n"
    by_line = {place.line: place for place in Module(code).places}
    assert by_line[1].names == ("LIMIT",)
    assert by_line[1].function is None
    assert not by_line[4].inside
    assert by_line[7].inside
    assert by_line[7].statement == 5
    assert by_line[7].function == (5, 8)
    assert by_line[7].end == 8
    (place,) = Module("if (\n    a\n    or b\n):\n    pass\n").places[:1]
    assert (place.line, place.end) == (1, 4)
    places = Module("match a:\n    case 1:\n        pass\n    case 2:\n        pass\n").places
    assert places[0].end == 1


def test_a_sample_is_the_same_for_a_seed(harbour):
    package = Package(str(harbour))

    def sample(seed, size=4):
        return [
            (one.path, one.place.line, one.diff) for one in draw(package, package.paths, size, seed)
        ]

    assert sample(7) == sample(7)
    assert sample(7) != sample(8)
    folders = [one.folder for one in draw(package, package.paths, 4, 7)]
    # There is less to break in the docks.
    assert folders == ["(flat)"] * 4 + ["docks"] * 3
    parts = areas.Areas({"all": [""], "boats": ["docks/bo"]})
    drawn = draw(package, package.paths, 2, 7, parts.of)
    assert [parts.of(one.path) for one in drawn] == ["all", "all", "boats", "boats"]


def test_the_lines_of_a_change(harbour):
    assert changed_lines(None, str(harbour)) == {}
    git(harbour, "checkout", "--quiet", "-b", "change")
    path = harbour / BOATS
    path.write_text(path.read_text().replace("boat + 1", "boat + 2"))
    git(harbour, "commit", "--quiet", "--all", "--message=Two")
    (harbour / LANTERNS).write_text(
        (harbour / LANTERNS).read_text().replace("LIMIT = 3", "LIMIT = 4")
    )
    (harbour / "stash2plex/new.py").write_text("a = 1\nb = 2\n")
    (harbour / "docs.md").write_text("no code\n")
    assert changed_lines(None, str(harbour)) == {
        BOATS: {5},
        LANTERNS: {3},
        "stash2plex/new.py": {1, 2},
    }
    assert changed_lines("HEAD", str(harbour)) == {LANTERNS: {3}, "stash2plex/new.py": {1, 2}}
    with pytest.raises(SystemExit):
        changed_lines("no-such-commit", str(harbour))
    mutants = in_lines(Package(str(harbour)), {BOATS: {5}})
    assert {mutant.diff.becomes for mutant in mutants} == {
        "return None", "return boat - 2", "return boat + 3",
    }  # fmt: skip


def reach_of(harbour, lines, seconds):
    """Have contexts reach lines of files, as a measured run does."""
    data = coverage.CoverageData(no_disk=True)
    for path, contexts in lines.items():
        for context, numbers in contexts.items():
            data.set_context(context)
            data.add_arcs({str(harbour / path): [(number, number) for number in numbers]})
    return Reach(data, seconds, str(harbour))


def test_who_is_asked(harbour):
    seconds = {"a.py::t1": 3.0, "a.py::t2": 1.0, "b.py::t3": 2.0}
    reach = reach_of(
        harbour,
        {
            LANTERNS: {
                "": [1, 3, 6],
                "archive:b.py::t3": [1, 3, 6, 8],
                "a.py::t1": [8, 9],
                "a.py::t2": [10],
                "a.py::gone": [8],
            }
        },
        seconds,
    )
    package = Package(str(harbour))

    def asked(line):
        mutant = in_lines(package, {LANTERNS: {line}})[0]
        return covering(mutant, package, reach)

    assert asked(10) == Covering(["a.py::t2"], [])
    assert asked(8) == Covering(["a.py::t1"], ["b.py::t3"])
    # A constant: those that run a line with its name, not all that import it.
    assert asked(3) == Covering(["a.py::t1"], ["b.py::t3"])


def test_the_quick_go_first_and_each_file_has_its_turn():
    seconds = {"a::1": 1.0, "a::2": 2.0, "b::1": 9.0, "c::1": 2.5, "c::2": 2.6}
    # A file of quick tests is through before a slow one has had its first.
    assert in_order(seconds, seconds) == ["a::1", "c::1", "a::2", "c::2", "b::1"]


def test_a_mutant_is_noticed_or_survives(harbour):
    test = "tests/test_lanterns.py::test_"
    seconds = {f"{test}few": 0.1, f"{test}wait": 0.1, f"{test}the_archive[exit]": 0.5}
    every = Covering([f"{test}few"], [f"{test}the_archive[exit]"])
    before = {path: (harbour / path).read_text() for path in (LANTERNS, BOATS)}
    with Bench(seconds, 0, root=str(harbour)) as bench:
        result = bench.attempt(mutant_of(harbour, 8, "if not (lanterns > LIMIT):"), every)
        assert (result.outcome, result.by, result.asked) == (NOTICED, f"{test}few", 2)
        # This one only the archive shows.
        result = bench.attempt(mutant_of(harbour, 3, "LIMIT = 4"), every)
        assert (result.outcome, result.owed) == (SURVIVED, True)
        result = bench.attempt(mutant_of(harbour, 3, "LIMIT = 4"), every, archive=True)
        assert (result.outcome, result.by) == (NOTICED, f"{test}the_archive[exit]")
        result = bench.attempt(mutant_of(harbour, 3, "LIMIT = 4"), Covering([f"{test}few"], []))
        assert result.outcome == SURVIVED
        # The next one finds a whole tree again.
        assert bench.attempt(mutant_of(harbour, 16, "lanterns -= 2"), every).outcome == SURVIVED
        folder = bench._copy.folder
    assert not os.path.exists(folder)
    assert {path: (harbour / path).read_text() for path in before} == before


def test_tests_that_were_read_once_run_in_a_fork_for_each_mutant(harbour):
    more = "\n\nNIGHT = wait(1)\n\n\nclass Pier:\n    def length(self):\n        return 7\n"
    (harbour / LANTERNS).write_text((harbour / LANTERNS).read_text() + more)
    whole = (harbour / LANTERNS).read_text()
    few, wait = (f"tests/test_lanterns.py::test_{name}" for name in ("few", "wait"))
    every = [(few, 60.0), (wait, 60.0)]
    with TreeCopy(str(harbour)) as copy:
        assert Warm(copy).run(None, whole, every, 60.0) is None
    with TreeCopy(str(harbour)) as copy, Warm(copy) as warm:
        # The file in the copy stays whole: it is the imported function that is broken.
        broken = mutant_of(harbour, 8, "if not (lanterns > LIMIT):")
        assert warm.run(broken, whole, every, 60.0) == Answer("failed", few)
        assert warm.run(None, whole, every, 60.0) == Answer("passed", wait)
        broken = mutant_of(harbour, 8, "if lanterns >= LIMIT:")
        assert warm.run(broken, whole, every, 60.0) == Answer("passed", wait)
        # It ran at import too, and what it made then would be as before.
        broken = mutant_of(harbour, 16, "lanterns += 1")
        assert warm.run(broken, whole, every, 60.0) is None
        broken = mutant_of(harbour, len(whole.splitlines()), "return 8")
        assert warm.run(broken, whole, every, 60.0) == Answer("passed", wait)


def test_a_fork_that_never_ends_is_ended(harbour):
    whole = (harbour / LANTERNS).read_text()
    wait = "tests/test_lanterns.py::test_wait"
    broken = mutant_of(harbour, 16, "lanterns += 1")
    with TreeCopy(str(harbour)) as copy, Warm(copy) as warm:
        assert warm.run(broken, whole, [(wait, 0.5)], 60.0) == Answer("timed out", wait)
        assert warm.run(broken, whole, [(wait, 60.0)], 0.5) == Answer("timed out", "")
        assert warm.run(None, whole, [(wait, 60.0)], 60.0) == Answer("passed", wait)


def test_code_is_paired_by_name_and_place():
    before = "def a(x):\n    return lambda: x\n\n\nclass B:\n    def a(self):\n        return 1\n"
    pairs = {
        one.co_qualname: other
        for one, other in pair_codes(before, before.replace("1", "2"), "quay.py")
    }
    assert set(pairs) == {"a", "a.<locals>.<lambda>", "B", "B.a"}
    assert pairs["B.a"].co_consts != pairs["a"].co_consts
    # A function that is gone has no partner.
    assert [
        one.co_qualname
        for one, _ in pair_codes(before, before.replace("lambda: x", "x"), "quay.py")
    ] == ["a", "B", "B.a"]


def test_a_mutant_that_never_ends_is_ended(harbour):
    test = "tests/test_lanterns.py::test_wait"
    with Bench({test: 0.1}, 0, start_seconds=2.0, root=str(harbour)) as bench:
        result = bench.attempt(mutant_of(harbour, 16, "lanterns += 1"), Covering([test], []))
    assert result.outcome == TIMED_OUT


def test_what_is_stopped_leaves_nothing(harbour):
    test = "tests/test_lanterns.py::test_wait"
    with Bench({test: 600.0}, 0, root=str(harbour)) as bench:
        mutant, covered = mutant_of(harbour, 16, "lanterns += 1"), Covering([test], [])

        def attempt():
            with pytest.raises(KeyboardInterrupt):
                bench.attempt(mutant, covered)

        thread = threading.Thread(target=attempt)
        thread.start()
        while not bench._warm.fork:
            thread.join(0.01)
        pid, folder = bench._warm.fork, bench._copy.folder
        bench.stop()
        thread.join()
    deadline = time.monotonic() + 60
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)
    assert not os.path.exists(folder)


def runs(pid):
    """Whether a process has not ended; one that nobody waited for has."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def test_tests_beyond_the_time_are_counted(harbour):
    test = "tests/test_lanterns.py::test_"
    with Bench({f"{test}few": 5.0, f"{test}wait": 5.0}, 6.0, root=str(harbour)) as bench:
        covered = Covering([f"{test}few", f"{test}wait"], [])
        result = bench.attempt(mutant_of(harbour, 3, "LIMIT = 4"), covered)
    assert (result.outcome, result.asked, result.left) == (SURVIVED, 2, 1)


def test_the_tools_name_no_file_of_the_package():
    """The package is re-arranged now and then; what is found needs no care."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "tools")
    named = subprocess.run(
        ["grep", "-rnE", "--include=*.py", r"stash2plex[./][a-z]", "mutants", "reach"],
        cwd=folder, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    assert [line for line in named.splitlines() if "stash2plex/__init__" not in line] == []
