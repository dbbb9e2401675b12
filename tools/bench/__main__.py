"""`make bench`: prints the table, writes dist/bench.json, and draws the growth curves."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile

from rich.console import Console
from rich.table import Table

from stash2plex.version import VERSION
from tools.bench import bulk_edits, drains, histories, hooks, reconciles, stores, sweeps
from tools.bench.draw import draw_growth
from tools.bench.figure import Figure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PARTS = ["hooks", "bulk", "stores", "drains", "histories", "large", "reconciles", "sweeps"]


def main() -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scenes", type=int, default=1000, help="library of the drain figures")
    parser.add_argument("--large", type=int, default=100_000, help="library of the growth figures")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--write", default=os.path.join(ROOT, "dist", "bench.json"), metavar="FILE")
    options = parser.parse_args()
    console = Console()
    parts = options.only or PARTS
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="stash2plex-bench-") as folder:
        if "hooks" in parts:
            figures += hooks.measure(folder)
        if "bulk" in parts:
            figures += bulk_edits.measure(folder, min(options.scenes, 300))
        if "stores" in parts:
            measured, curves = stores.measure(folder, options.large)
            figures += measured
            draw_growth(os.path.join(ROOT, "docs", "growth.svg"), curves)
        if "drains" in parts:
            figures += drains.measure(folder, options.scenes)
        if "histories" in parts:
            figures += histories.measure(folder, min(options.scenes, 300), options.large)
        if "large" in parts:
            figures += drains.measure_large(folder, options.large)
        if "reconciles" in parts:
            figures += reconciles.measure(folder, options.large)
        if "sweeps" in parts:
            figures += sweeps.measure(folder, options.large)
    machine = {
        "cpu": f"{os.cpu_count()} × {platform.machine()}",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "stash2plex": VERSION,
    }
    show(console, figures, machine)
    with open(options.write, "w", encoding="utf-8") as file:
        rows = [figure.as_dict() for figure in figures]
        json.dump({"machine": machine, "figures": rows}, file, indent=2)
    return 0 if all(figure.good for figure in figures) else 1


def show(console: Console, figures: list[Figure], machine: dict[str, str]) -> None:
    """Print the table."""
    table = Table(box=None, header_style="bold", padding=(0, 2))
    for name in ("Figure", "Measured", "Goal", ""):
        table.add_column(name)
    for figure in figures:
        mark = "[green]reached[/]" if figure.good else "[red]not reached[/]"
        table.add_row(figure.name, figure.text, figure.goal, mark if figure.goal else "")
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), highlight=False)


if __name__ == "__main__":
    sys.exit(main())
