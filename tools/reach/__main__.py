"""`make coverage`: what the tests never run, in their own processes and in the plugin's."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from tools.reach.gaps import find_gaps, pragmas_without_reason, table
from tools.reach.measure import Measuring
from tools.reach.trees import PACKAGE, remove_orphans, tree_files

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Print what is not run. Returns 1 if a line or branch has no reason for that."""
    parser = argparse.ArgumentParser(prog="make coverage", description=__doc__)
    parser.add_argument("--again", action="store_true", help="run the whole suite in any case")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="tests at once")
    options = parser.parse_args(arguments)
    remove_orphans()
    console = Console()
    measuring = Measuring()
    kept = measuring.update(options.jobs, again=options.again)
    paths = [
        name for name in tree_files() if name.startswith(f"{PACKAGE}/") and name.endswith(".py")
    ]
    gaps = find_gaps(measuring, paths)
    for gap in gaps:
        for sentence in gap.sentences():
            console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    console.print(table(gaps))
    for test in kept.failed:
        # make test decides about tests; these look at imports, time or threads.
        console.print(f"Fails only while it is measured: {test}", markup=False, highlight=False)
    bare = [
        f"{path}:{line}: this pragma has no reason"
        for path in paths
        for line in pragmas_without_reason(measuring.root, path)
    ]
    for sentence in bare:
        console.print(sentence, markup=False, highlight=False)
    return 1 if bare or any(gap.lines or gap.branches for gap in gaps) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
