"""Runs the suite on a measured copy of the tree, and stores the result in dist/reach."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import coverage
from coverage.exceptions import CoverageWarning

from tools.reach.trees import PACKAGE, ROOT, STATE_VARIABLE, TreeCopy, digest, tree_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DATA = "coverage"
TESTS = "tests.json"
FORMAT = 1

COUNTED = (".py", ".sql", ".yml", ".graphql", ".js")
"""Extensions of files that may change what a test reaches."""


@dataclass
class Kept:
    """What a run stores beside coverage's data: the tests, and their files."""

    code: str
    """Digest of all files but the tests."""

    files: dict[str, str] = field(default_factory=dict)
    """Digest of each test file that was run."""

    seconds: dict[str, float] = field(default_factory=dict)
    """How many seconds each test takes, by its name; measured, so longer than usual."""

    failed: list[str] = field(default_factory=list)
    """Tests that fail while they are measured, because they look at imports, time or threads."""

    format: int = FORMAT

    def forget(self, files: set[str]) -> None:
        """Drop the tests of files."""
        self.seconds = {
            test: seconds for test, seconds in self.seconds.items() if file_of(test) not in files
        }
        self.failed = [test for test in self.failed if file_of(test) not in files]


class Measuring:
    """The measured runs of a work tree. Their results are in its dist/reach."""

    def __init__(self, root: str = ROOT) -> None:
        self.root = root
        self.folder = os.path.join(root, "dist", "reach")

    def update(self, processes: int, *, again: bool = False) -> Kept:
        """Run the suite, or only the files that changed since the last run.

        `processes` is how many tests run at a time. `again` runs all of them in any case. Returns
        what is known about the tests. Old results stay until everything has run.
        """
        names = [name for name in tree_files(self.root) if counts(name)]
        tests = [name for name in names if is_test_file(name)]
        beside = {name: helpers(name, names) for name in tests}
        helping = {name for held in beside.values() for name in held}
        code = digest((name for name in names if name not in {*tests, *helping}), self.root)
        files = {name: digest([name, *beside[name]], self.root) for name in tests}
        kept = None if again else self.load(code)
        fresh = f"{self.folder}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        if kept is None:
            kept = Kept(code)
        else:
            shutil.copytree(self.folder, fresh)
        changed = [name for name in tests if kept.files.get(name) != files[name]]
        gone = kept.files.keys() - files.keys()
        if changed or gone:
            print(f"Measuring {len(changed)} of {len(tests)} test files ...", file=sys.stderr)
            kept.forget({*changed, *gone})
            self.run(kept, changed, processes, fresh)
            kept.files = files
            save(kept, fresh)
            shutil.rmtree(self.folder, ignore_errors=True)
            os.rename(fresh, self.folder)
        shutil.rmtree(fresh, ignore_errors=True)
        return kept

    def load(self, code: str) -> Kept | None:
        """Read what an earlier run stored; None if the code has changed since."""
        try:
            with open(os.path.join(self.folder, TESTS), encoding="utf-8") as file:
                kept = Kept(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None
        return kept if kept.code == code and kept.format == FORMAT else None

    def run(self, kept: Kept, files: list[str], processes: int, folder: str) -> None:
        """Run test files in a measured copy; add what they reach to `kept` and to a folder."""
        with TreeCopy(self.root) as copy:
            state = make_state(copy)
            put_probe(copy, state)
            if not copy.build_archive():
                raise SystemExit("The measured archive cannot be built; does make plugin work?")
            run_tests(copy, state, files, processes)
            copy.end_processes()
            self.combine(state, folder)
            read_times(kept, state)
        doubted = [test for test in kept.failed if file_of(test) in files]
        if not doubted:
            return
        with TreeCopy(self.root) as copy:
            # Without the probe: a test that fails here too would notice every mutant.
            state = make_state(copy)
            run_tests(copy, state, doubted, 1)
            outcome = Kept("")
            read_times(outcome, state)
            for test in outcome.failed:
                kept.seconds.pop(test, None)

    def combine(self, state: str, folder: str) -> None:
        """Add the data of all processes to a folder, as if they had run in the work tree."""
        os.makedirs(folder, exist_ok=True)
        whole = self.coverage(folder)
        whole.set_option("paths", {"source": [os.path.join(self.root, PACKAGE), f"*/{PACKAGE}"]})
        found = [
            os.path.join(state, name)
            for name in os.listdir(state)
            if name.startswith("data.") and not name.endswith("-journal")
        ]
        if os.path.exists(os.path.join(folder, DATA)):
            whole.load()
        with warnings.catch_warnings():
            # A process that was killed while it wrote its file leaves half of it.
            warnings.simplefilter("ignore", CoverageWarning)
            whole.combine(found)
        whole.save()

    def coverage(self, folder: str = "") -> coverage.Coverage:
        """Return coverage's object for what was measured; in `folder`, if that is given."""
        return coverage.Coverage(
            data_file=os.path.join(folder or self.folder, DATA),
            branch=True,
            config_file=False,
            messages=False,
        )

    def reach(self, kept: Kept) -> Reach:
        """Return which test reaches which line."""
        data = coverage.CoverageData(os.path.join(self.folder, DATA))
        data.read()
        return Reach(data, kept.seconds, self.root)


class Reach:
    """Which tests reach a line."""

    ARCHIVE = "archive:"
    """Precedes the name of a test if a process of the archive reached the line."""

    def __init__(self, data: coverage.CoverageData, seconds: dict[str, float], root: str) -> None:
        """Read `data`; `seconds` holds the tests that count, and how long they take."""
        self.seconds = seconds
        self._data = data
        self._root = root
        self._lines: dict[str, dict[int, set[str]]] = {}

    def lines(self, name: str) -> dict[int, set[str]]:
        """Return the contexts of each line that runs. `name` is the file's path below the root."""
        if name not in self._lines:
            by_line = self._data.contexts_by_lineno(os.path.join(self._root, name))
            self._lines[name] = {line: set(contexts) for line, contexts in by_line.items()}
        return self._lines[name]

    def known(self, contexts: Iterable[str]) -> tuple[set[str], set[str]]:
        """Split contexts into the tests that run here and those that run the archive."""
        here: set[str] = set()
        archive: set[str] = set()
        for context in contexts:
            test = context.removeprefix(self.ARCHIVE)
            if test in self.seconds:
                (archive if context.startswith(self.ARCHIVE) else here).add(test)
        return here - archive, archive


def is_test_file(name: str) -> bool:
    """Return whether pytest looks for tests in a file."""
    base = os.path.basename(name)
    return name.startswith("tests/") and base.startswith("test_") and base.endswith(".py")


def counts(name: str) -> bool:
    """Return whether a file may change what a test reaches. Documents and these tools do not."""
    return name.endswith(COUNTED) and not name.startswith(("docs/", "tools/"))


def helpers(test: str, names: Iterable[str]) -> list[str]:
    """List the files beside a test file that are not tests: its folder's fixtures.

    Files directly below tests/ count for every test.
    """
    folder = os.path.dirname(test)
    return [
        name
        for name in names
        if os.path.dirname(name) == folder != "tests" and not is_test_file(name)
    ]


def save(kept: Kept, folder: str) -> None:
    """Store the result for the next run."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, TESTS), "w", encoding="utf-8") as file:
        json.dump(asdict(kept), file)


def file_of(test: str) -> str:
    """Return the file of a test."""
    return test.partition("::")[0]


def make_state(copy: TreeCopy) -> str:
    """Create the folder for the measurements."""
    state = os.path.join(copy.folder, "state")
    os.makedirs(os.path.join(state, "tests"))
    return state


def put_probe(copy: TreeCopy, state: str) -> None:
    """Make the copied package start the probe when it is imported."""
    probe = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py")
    site = os.path.dirname(os.path.dirname(coverage.__file__))
    lines = [
        "_probe = {'__name__': 'reach_probe'}",
        f"with open({probe!r}, encoding='utf-8') as _text:",
        f"    exec(compile(_text.read(), {probe!r}, 'exec'), _probe)",
        f"_probe['start']({site!r}, {state!r}, {copy.tree!r}, __file__)",
    ]
    with open(os.path.join(copy.tree, PACKAGE, "__init__.py"), "a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def run_tests(copy: TreeCopy, state: str, tests: Iterable[str], processes: int) -> None:
    """Run tests in a copy to their end, whatever their outcome."""
    listed = os.path.join(copy.folder, "tests.txt")
    with open(listed, "w", encoding="utf-8") as file:
        file.write("\n".join(tests))
    command = [
        sys.executable, "-m", "pytest", "-p", "tools.reach.contexts", "-q", "--no-header",
        "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0",
        f"--basetemp={os.path.join(copy.scratch, 'pytest')}",
        f"@{listed}",
    ]  # fmt: skip
    if processes > 1:
        command += ["-n", str(processes), "--dist", "worksteal"]
    subprocess.run(
        command,
        cwd=copy.tree,
        stdout=sys.stderr,
        env={**os.environ, "TMPDIR": copy.scratch, STATE_VARIABLE: state},
        check=False,
    )


def read_times(kept: Kept, state: str) -> None:
    """Add up the parts of each test."""
    # With several processes, the one that distributes tests receives each part too.
    parts: dict[str, dict[str, float]] = defaultdict(dict)
    failed = set()
    for name, when, outcome, seconds in reported(state):
        parts[name][when] = seconds
        if outcome == "failed":
            failed.add(name)
    for name, times in parts.items():
        kept.seconds[name] = round(sum(times.values()), 3)
    kept.failed += sorted(failed)


def reported(state: str) -> Iterator[tuple[str, str, str, float]]:
    """Read what `contexts` wrote."""
    for name in os.listdir(state):
        if name.startswith("times-"):
            with open(os.path.join(state, name), encoding="utf-8") as file:
                for line in file:
                    test, when, outcome, seconds = json.loads(line)
                    yield test, when, outcome, seconds
