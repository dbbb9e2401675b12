"""The benchmark runs: what it measures is for `make bench` on a quiet machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tools.bench.__main__ import ROOT


@pytest.mark.parametrize(
    ("parts", "large"),
    [(["bulk", "drains", "histories"], 0), (["large", "reconciles"], 1200), (["sweeps"], 6000)],
)
def test_a_small_benchmark_runs_through_and_writes_its_figures(tmp_path, parts, large):
    written = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", "--scenes", "8", "--large", str(large)]
        + ["--write", str(written)]
        + [word for part in parts for word in ("--only", part)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # 1 says that a figure missed its goal, as so small a library may.
    assert done.returncode in (0, 1), done.stderr
    figures = json.loads(written.read_text())["figures"]
    assert len(figures) >= 2 * len(parts)
    assert all(figure["value"] >= 0 for figure in figures)
