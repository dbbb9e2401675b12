"""`make mutants`: breaks one place at a time in copies of the tree, and runs what reaches it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from queue import SimpleQueue
from random import Random
from typing import TYPE_CHECKING

from rich.console import Console

from tools.mutants import areas, harmless, report
from tools.mutants.covering import Covering, covering
from tools.mutants.mutants import Mutant, Package, changed_lines, draw, in_lines
from tools.mutants.trial import HARMLESS, NOTICED, SURVIVED, Bench, Result
from tools.reach.gaps import folder_of
from tools.reach.measure import Measuring
from tools.reach.trees import ROOT, remove_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.reach.measure import Reach

RESULTS = os.path.join(ROOT, "dist", "mutants.json")


def main(arguments: Sequence[str]) -> int:
    """Try the chosen mutants. Returns 1 if one survived, 130 if the run was stopped."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The started processes must not hold up what the user does meanwhile.
    os.nice(5)
    remove_orphans()
    console = Console()
    judged = harmless.read()
    measuring = Measuring()
    reach = measuring.reach(measuring.update(options.jobs))
    package = Package()
    mutants = chosen(options, package)
    console.print(f"{len(mutants)} mutants, {options.jobs} at a time.", highlight=False)
    found: dict[report.Spot, report.Tried] = {}
    settings = {"seed": options.seed, "sample": options.sample, "changed": options.changed}
    held = report.known(RESULTS) if options.resume else {}
    started = time.monotonic()
    try:
        for mutant, result in results(options, mutants, set(judged), package, reach, held):
            found[report.spot_of(mutant)] = report.Tried(mutant, result)
            report.write(RESULTS, found.values(), settings)
            print_progress(len(found), len(mutants), found[report.spot_of(mutant)])
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    finally:
        tried = sorted(found.values(), key=lambda one: (one.mutant.path, one.mutant.place.line))
        for one in tried:
            if one.result.outcome == SURVIVED:
                report.show_survivor(console, one)
        console.print(report.table(tried, "area", areas.read().of))
        console.print(report.table(tried, "folder", folder_of))
        console.print(f"{time.monotonic() - started:,.0f} s; dist/mutants.json", highlight=False)
    return 1 if any(one.result.outcome == SURVIVED for one in tried) else 0


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    made = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    made.add_argument("--seed", type=int, default=1, help="which sample is drawn")
    made.add_argument("--sample", type=int, default=10, help="places in each folder or area")
    made.add_argument("--folder", action="append", help="only this folder of the package")
    made.add_argument(
        "--area", action="append", nargs="?", const="", metavar="AREA",
        help="draw from each area of tests/mutant_areas.toml, not from each folder; or from one",
    )  # fmt: skip
    made.add_argument(
        "--changed", nargs="?", const="", metavar="COMMIT",
        help="every mutant of the lines that differ from COMMIT, or from where the branch began",
    )  # fmt: skip
    made.add_argument("--survivors", action="store_true", help="those of dist/mutants.json again")
    made.add_argument(
        "--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="copies at a time"
    )
    made.add_argument(
        "--seconds", type=float, default=300.0,
        help="seconds of tests for a mutant, and again with the archive; 0: all",
    )  # fmt: skip
    made.add_argument(
        "--archive-seconds", type=float, help="seconds of tests of the archive, where others pass"
    )
    made.add_argument(
        "--resume", action="store_true", help="keep what dist/mutants.json knows of these mutants"
    )
    made.add_argument("--list", action="store_true", help="draw, and run no test")
    return made


def chosen(options: argparse.Namespace, package: Package) -> list[Mutant]:
    """Choose the mutants that were asked for."""
    area_of = areas.read().of
    only = [area for area in options.area or () if area]
    paths = [
        path
        for path in package.paths
        if (not options.folder or folder_of(path) in options.folder)
        and (not only or area_of(path) in only)
    ]
    if options.changed is not None:
        lines = changed_lines(options.changed or None)
        return in_lines(package, {path: lines[path] for path in paths if path in lines})
    if options.survivors:
        lines, keys = report.survivors(RESULTS)
        held = in_lines(package, {path: lines[path] for path in paths if path in lines})
        return [mutant for mutant in held if harmless.key_of(mutant) in keys]
    part_of = folder_of if options.area is None else area_of
    drawn = draw(package, paths, options.sample, options.seed, part_of)
    # Mixed, so that a run that is stopped has tried some of each.
    Random(options.seed).shuffle(drawn)
    return drawn


def results(
    options: argparse.Namespace,
    mutants: Sequence[Mutant],
    judged: set[tuple[str, str, str, str]],
    package: Package,
    reach: Reach,
    held: Mapping[report.Spot, Result],
) -> Iterator[tuple[Mutant, Result]]:
    """Try several mutants at a time, each in its own copy; yields each one as it ends.

    A mutant that the tests of these processes miss is yielded twice: the archive is built for it
    once all have been tried.
    """
    waiting: list[Mutant] = []
    owed: list[Mutant] = []
    for mutant in mutants:
        known = held.get(report.spot_of(mutant))
        if harmless.key_of(mutant) in judged:
            yield mutant, Result(HARMLESS)
        elif not valid(mutant.code):
            yield mutant, Result(NOTICED, "Python cannot read it")
        elif known is None:
            waiting.append(mutant)
        else:
            yield mutant, known
            if known.owed:
                owed.append(mutant)
    if options.list:
        return
    # What needs a fresh process takes ten times as long, so it comes last.
    waiting.sort(key=lambda mutant: not mutant.place.inside)
    with ExitStack() as stack:
        benches: SimpleQueue[Bench] = SimpleQueue()
        made = [
            stack.enter_context(
                Bench(reach.seconds, options.seconds, archive_seconds=options.archive_seconds)
            )
            for _ in range(min(options.jobs, len(waiting) + len(owed)))
        ]
        for bench in made:
            benches.put(bench)
        pool = ThreadPoolExecutor(max(len(made), 1))
        # Called first at the end: running tests are ended, so that the pool's threads are done.
        stack.callback(pool.shutdown, cancel_futures=True)
        for bench in made:
            stack.callback(bench.stop)
        for archive, these in ((False, waiting), (True, owed)):
            futures: dict[Future[Result], Mutant] = {}
            for mutant in these:
                # Looked up here: neither the trees nor coverage's data are for several threads.
                tests = covering(mutant, package, reach)
                futures[pool.submit(attempt, benches, mutant, tests, archive)] = mutant
                while len(futures) > len(made):
                    yield from ended(futures, owed)
            while futures:
                yield from ended(futures, owed)


def ended(
    futures: dict[Future[Result], Mutant], owed: list[Mutant]
) -> Iterator[tuple[Mutant, Result]]:
    """Wait until some have ended and return them; `owed` gets those that need the archive."""
    done, _ = wait(futures, return_when=FIRST_COMPLETED)
    for future in done:
        mutant, result = futures.pop(future), future.result()
        if result.owed:
            owed.append(mutant)
        yield mutant, result


def attempt(benches: SimpleQueue[Bench], mutant: Mutant, tests: Covering, archive: bool) -> Result:
    """Try a mutant in a copy that is free."""
    bench = benches.get()
    try:
        return bench.attempt(mutant, tests, archive=archive)
    finally:
        benches.put(bench)


def valid(code: str) -> bool:
    """Return whether a text is a valid Python program."""
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def print_progress(number: int, total: int, one: report.Tried) -> None:
    """Print one line as a mutant ends."""
    place = f"{one.mutant.path}:{one.mutant.place.line}"
    by = f" by {one.result.by}" if one.result.by else ""
    by = " so far" if one.result.owed else by
    print(
        f"{number}/{total} {place} {one.mutant.operator}: {one.result.outcome}{by}"
        f" ({one.result.seconds:.0f} s)",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
