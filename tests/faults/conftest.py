"""One pair of stand-ins for each module of tests, and runs over fresh data folders."""

from __future__ import annotations

import pytest

from tests.faults.bench import Bench, Run


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory):
    with Bench(str(tmp_path_factory.mktemp("bench"))) as bench:
        yield bench


@pytest.fixture
def bench(shared_bench):
    shared_bench.clear()
    shared_bench.configure_plainly()
    yield shared_bench
    shared_bench.clear()


@pytest.fixture
def make_run(bench, tmp_path):
    runs: list[Run] = []

    def make(**options):
        run = Run(bench, tmp_path / f"data{len(runs)}", **options)
        runs.append(run)
        return run

    yield make
    for run in runs:
        run.close()
