"""Writes docs/reference/health.md and docs/screens from real runs against the stand-ins.

Whatever differs from run to run, such as ports, times and folders, is normalised, so that the same
code gives the same bytes.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from stash2plex.operations.health.checks import Check
from stash2plex.operations.reasons import REASONS
from stash2plex_testing.patient import nothing, works_with
from stash2plex_testing.setups import SETUPS, Setup, examine
from stash2plex_testing.world import World
from tools.build_docs import HEAD, ROOT

DOCS = os.path.join(ROOT, "docs")
HOUR, DAY = 3600.0, 86_400.0

SVG = """<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
<rect fill="#0c0c0c" width="{terminal_width}" height="{terminal_height}" rx="8"/>
<g transform="translate(9, 9) scale(0.98)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""
"""The library's frame without the fonts that it would download."""


def main() -> int:
    """Write every file that differs."""
    found = {"reference/health.md": health_page(), **screens()}
    os.umask(0o022)  # the runs have set their own
    for name, text in found.items():
        path = os.path.join(DOCS, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


# -- the health page --------------------------------------------------------------------------


def health_page() -> str:
    """Return the checks as they look when all is well, and every broken set-up with its line."""
    lines = [
        "# Health checks",
        "",
        (
            "The task **Health Check**, the operation `health` and `stash2plex health` run these "
            "in order. A check is passed, failed, or skipped because another one failed: one cause "
            "counts once. Stash's log gets a summary and the failed checks, numbered; the "
            "operation and the command line show all. The words come from real runs against the "
            "stand-in servers; ports, times and folders are normalised."
        ),
        "",
        "## When all is well",
        "",
        "| Check | What it shows |",
        "| --- | --- |",
    ]
    lines += [f"| {check.name} | {cell(check.detail)} |" for check in examine(well())]
    lines += ["", "## What is wrong, and the line that names it", "", *SETUP_HEAD]
    lines += [setup_row(setup, examine(setup)) for setup in SETUPS]
    lines += ["", "## Why scenes are given up", "", *REASON_HEAD]
    lines += [
        f"| `{name}` | {reason.words} | {cell(reason.fix)} |" for name, reason in REASONS.items()
    ]
    return HEAD + "\n".join(lines) + "\n"


SETUP_HEAD = ("| Set-up | Check | What it shows | What to do |", "| --- | --- | --- | --- |")
REASON_HEAD = ("| Reason | Because | What to do |", "| --- | --- | --- |")


def well() -> Setup:
    """Return a set-up with nothing wrong."""
    return Setup("All is well", "", (), nothing)


def setup_row(setup: Setup, checks: list[Check]) -> str:
    """Return the row for a broken set-up."""
    named = next(check for check in checks if check.name == setup.check)
    return f"| {setup.name} | {named.name} | {cell(named.detail)} | {cell(named.fix or '')} |"


def cell(text: str) -> str:
    """Normalise a text and make it fit for a table."""
    return steady(text).replace("|", "/").replace("<", "‹")


def steady(text: str) -> str:
    """Normalise whatever differs from run to run."""
    for pattern, shown in (
        (r"(?<=Stash at http://127\.0\.0\.1:)\d+", "9999"),
        (r"(?<=://127\.0\.0\.1:)\d{5}", "32400"),
        (r"“[^“”]*/stash2plex\.db”", "“/config/stash2plex/stash2plex.db”"),
        (r"“[^“”]*/stash2plex-[^“”/]*/data”", "“/config/stash2plex”"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "2026-01-31 14:02"),
        # At the start of a wrapped line, the last letter of a colour code precedes it.
        (r"(?<!\d)\d\d:\d\d:\d\d\b", "14:02:11"),
        (r"answers in [\d,]+ ms", "answers in 7 ms"),
        (r"an edit takes [\d,]+ ms", "an edit takes 7 ms"),
        (r"asked again in \d+ s", "asked again in 8 s"),
        (r"[\d,.]+ [GM]iB are free\.", "120.5 GiB are free."),
        (r"written, [\d.]+ MiB", "written, 0.2 MiB"),
        (r"process \d+", "process 4242"),
    ):
        text = re.sub(pattern, shown, text)
    # A shorter number leaves a longer tail of blanks.
    return re.sub(r" +((?:\x1b\[0m)?)$", r"\1", text, flags=re.MULTILINE)


# -- the screens ------------------------------------------------------------------------------


def screens() -> dict[str, str]:
    """Run the commands and draw what a terminal shows: file name below docs, and its text."""
    return {f"screens/{name}.svg": draw(name, text, width) for name, text, width in run_all()}


def run_all() -> Iterator[tuple[str, str, int]]:
    """Run each command in a world with a little of everything: name, output, columns."""
    with tempfile.TemporaryDirectory(prefix="stash2plex-") as folder, World(folder) as world:
        world.fill(40)
        for number in range(3):
            world.stash.add_scene(title=f"Twins {number}", files=[f"/data/{number}/quay.mp4"])
        for place in ("a", "b"):
            world.plex.add_item(world.section, file=f"/media/{place}/quay.mp4")
        world.stash.configure_plugin("Stash2Plex", works_with(world))
        data = os.path.join(folder, "data")

        def run(width: int, *words: str) -> str:
            return run_command(world.stash.url, data, width, words)

        run(100, "sync", "--all")
        remember_outages(data)
        yield "health", run(100, "health"), 100
        yield "status", run(80, "status"), 80
        yield "status-narrow", run(40, "status"), 40
        yield "dlq-list", run(80, "dlq", "list"), 80
        yield "dlq-show", run(80, "dlq", "show", "41"), 80
        yield "outages", run(80, "outages"), 80
        world.stash.configure_plugin(
            "Stash2Plex", {**works_with(world), "plex_token": "of-last-year"}
        )
        yield "health-broken", run(100, "health"), 100
        world.stash.configure_plugin("Stash2Plex", {**works_with(world), "obfuscate_paths": True})
        run(80, "health")
        yield "status-hidden", run(80, "status"), 80


def remember_outages(data: str) -> None:
    """Leave outages of known lengths behind."""
    now = time.time()
    with closing(sqlite3.connect(os.path.join(data, "stash2plex.db"))) as database:
        database.execute(
            "UPDATE meta SET value = ? WHERE name = 'watched_since'", (f"{now - 90 * DAY:.0f}",)
        )
        # The aliases of “status-hidden” must be the same in every run.
        database.execute("UPDATE meta SET value = ? WHERE name = 'alias_key'", ("5a" * 16,))
        database.executemany(
            "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
            " VALUES ('plex', ?, ?, ?, ?)",
            [
                (now - 40 * DAY, now - 40 * DAY + 5 * HOUR, MAINTENANCE, 310),
                (now - 3 * DAY, now - 3 * DAY + 0.5 * HOUR, REFUSED, 12),
                (now - 1 * DAY, now - 1 * DAY + 1.5 * HOUR, REFUSED, 45),
            ],
        )
        database.commit()


REFUSED = "Plex at http://127.0.0.1:32400 refuses the connection. Is it running, is the port right?"
MAINTENANCE = "Plex is busy: it is currently running database migrations."


def run_command(stash_url: str, data: str, width: int, words: tuple[str, ...]) -> str:
    """Run one command as on a terminal of `width` columns."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT")}
    process = subprocess.run(
        [sys.executable, "-m", "stash2plex", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **kept,
            "STASH2PLEX_STASH_URL": stash_url,
            "STASH2PLEX_DATA_DIR": data,
            "FORCE_COLOR": "1",
            "TERM": "xterm-256color",
            "COLUMNS": str(width),
            "TZ": "UTC",
            "PYTHONUTF8": "1",
        },
    )
    return f"$ stash2plex {' '.join(words)}\n{process.stdout}"


def draw(name: str, text: str, width: int) -> str:
    """Draw a terminal with a text that has colour codes."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            record=True, width=width, file=nowhere, force_terminal=True, color_system="standard"
        )
        console.print(Text.from_ansi(steady(text)))
        return console.export_svg(
            title=name, theme=MONOKAI, code_format=SVG, unique_id=f"s2p-{name}"
        )


if __name__ == "__main__":
    sys.exit(main())
