"""Runs the suite over a measured copy of the tree, and keeps what it found in dist/reach."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import coverage

from tools.reach.trees import (
    PACKAGE,
    ROOT,
    STATE_VARIABLE,
    TreeCopy,
    digest,
    tree_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = os.path.join(ROOT, "dist", "reach")
DATA = "coverage"
TESTS = "tests.json"
FORMAT = 1


@dataclass
class Kept:
    """What a run leaves beside coverage's data: the tests, and from which files they are."""

    code: str
    """Digest of all files but the tests."""

    files: dict[str, str] = field(default_factory=dict)
    """Digest of each test file that was run."""

    seconds: dict[str, float] = field(default_factory=dict)
    """How long each test takes, by its name; measured, so longer than it is."""

    failed: list[str] = field(default_factory=list)
    """Tests that fail while they are measured: those that look at imports, time or threads."""

    format: int = FORMAT


def measure(processes: int, *, again: bool = False) -> Kept:
    """Bring dist/reach up to date; runs the suite only as far as files have changed.

    `processes` is how many tests run at a time. `again` runs all of them in any case.
    Returns what is known of the tests.
    """
    names = tree_files()
    tests = [name for name in names if is_test_file(name)]
    support = [name for name in names if counts(name) and name not in tests]
    files = {name: digest([name]) for name in tests}
    kept = None if again else load(digest(support))
    if kept is None:
        kept = Kept(digest(support))
        shutil.rmtree(FOLDER, ignore_errors=True)
    changed = [name for name in tests if kept.files.get(name) != files[name]]
    forget(kept, {*changed, *(kept.files.keys() - files.keys())})
    if changed:
        print(f"Measuring {len(changed)} of {len(tests)} test files ...", file=sys.stderr)
        run_measured(kept, changed, processes)
        kept.files = files
        save(kept)
    return kept


def is_test_file(name: str) -> bool:
    """Whether pytest looks for tests in a file."""
    base = os.path.basename(name)
    return name.startswith("tests/") and base.startswith("test_") and base.endswith(".py")


def counts(name: str) -> bool:
    """Whether a file may change what a test reaches; documents do not."""
    return name.endswith((".py", ".sql", ".yml", ".toml", ".txt", ".graphql", ".js", ".html"))


def load(code: str) -> Kept | None:
    """Read what an earlier run left; None where the code is another by now."""
    try:
        with open(os.path.join(FOLDER, TESTS), encoding="utf-8") as file:
            kept = Kept(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
    return kept if kept.code == code and kept.format == FORMAT else None


def save(kept: Kept) -> None:
    """Keep it for the next run."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, TESTS), "w", encoding="utf-8") as file:
        json.dump(asdict(kept), file)


def forget(kept: Kept, files: set[str]) -> None:
    """Drop the tests of files that changed or went."""
    kept.seconds = {
        test: seconds for test, seconds in kept.seconds.items() if file_of(test) not in files
    }
    kept.failed = [test for test in kept.failed if file_of(test) not in files]


def file_of(test: str) -> str:
    """Return the file of a test."""
    return test.partition("::")[0]


def run_measured(kept: Kept, files: list[str], processes: int) -> None:
    """Run test files in a measured copy, and add what they reach."""
    with TreeCopy() as copy:
        state = os.path.join(copy.folder, "state")
        os.makedirs(os.path.join(state, "tests"))
        put_probe(copy, state)
        if not copy.build_archive():
            raise SystemExit("The measured archive cannot be built; does make plugin work?")
        run_tests(copy, files, processes, {STATE_VARIABLE: state})
        copy.end_processes()
        combine(state)
        read_times(kept, state)
    with TreeCopy() as copy:
        # Without the probe: what fails here too has another reason, and tells nothing of mutants.
        state = os.path.join(copy.folder, "state")
        os.makedirs(os.path.join(state, "tests"))
        doubted = [test for test in kept.failed if file_of(test) in files]
        if doubted:
            run_tests(copy, doubted, 1, {STATE_VARIABLE: state})
            outcome = Kept("")
            read_times(outcome, state)
            for test in outcome.failed:
                kept.seconds.pop(test, None)


def put_probe(copy: TreeCopy, state: str) -> None:
    """Have the copied package start the probe when it is imported."""
    probe = os.path.join(copy.tree, "tools", "reach", "probe.py")
    site = os.path.dirname(os.path.dirname(coverage.__file__))
    lines = [
        "_probe = {'__name__': 'reach_probe'}",
        f"with open({probe!r}, encoding='utf-8') as _text:",
        f"    exec(compile(_text.read(), {probe!r}, 'exec'), _probe)",
        f"_probe['start']({site!r}, {state!r}, {copy.tree!r}, __file__)",
    ]
    with open(os.path.join(copy.tree, PACKAGE, "__init__.py"), "a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def run_tests(
    copy: TreeCopy, tests: Iterable[str], processes: int, environment: dict[str, str]
) -> None:
    """Run tests in a copy to their end, whatever comes of them."""
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
        env={**os.environ, "TMPDIR": copy.scratch, **environment},
        check=False,
    )


def combine(state: str) -> None:
    """Put the data of all processes into dist/reach, as if all had run in the work tree."""
    os.makedirs(FOLDER, exist_ok=True)
    whole = coverage.Coverage(
        data_file=os.path.join(FOLDER, DATA), branch=True, config_file=False, messages=False
    )
    whole.set_option("paths", {"source": [os.path.join(ROOT, PACKAGE), f"*/{PACKAGE}"]})
    if os.path.exists(os.path.join(FOLDER, DATA)):
        whole.load()
    found = [
        os.path.join(state, name)
        for name in os.listdir(state)
        if name.startswith("data.") and not name.endswith("-journal")
    ]
    whole.combine(found)
    whole.save()


def read_times(kept: Kept, state: str) -> None:
    """Add up the parts of each test."""
    # With several processes the one that hands tests out hears of each part too.
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


class Reach:
    """Which tests reach a line; read from dist/reach."""

    ARCHIVE = "archive:"

    def __init__(self, kept: Kept) -> None:
        self.seconds = kept.seconds
        self._data = coverage.CoverageData(os.path.join(FOLDER, DATA))
        self._data.read()
        self._lines: dict[str, dict[int, set[str]]] = {}

    def lines(self, name: str) -> dict[int, set[str]]:
        """Return the contexts of each line of a file that runs at all. `name` is relative."""
        if name not in self._lines:
            by_line: dict[int, list[str]] = self._data.contexts_by_lineno(os.path.join(ROOT, name))
            self._lines[name] = {line: set(contexts) for line, contexts in by_line.items()}
        return self._lines[name]

    def known(self, contexts: Iterable[str]) -> tuple[set[str], set[str]]:
        """Split contexts into the tests that run here and those that run the archive."""
        here: set[str] = set()
        archive: set[str] = set()
        for context in contexts:
            # A context inside a process may name the test twice, as process and as test.
            test = context.removeprefix(self.ARCHIVE)
            if test in self.seconds:
                (archive if context.startswith(self.ARCHIVE) else here).add(test)
        return here - archive, archive
