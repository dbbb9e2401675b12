"""Measures each view of the page over a large library: the operation, then the first paint.

Both stand-ins run here, with the built archive; the plugin's database holds 100,000 scenes and
10,000 dead letters. An operation is timed in the browser, from the request to the end of the
answer, so it includes the start of a process. A paint is the time from that answer to the frame
that shows it. Processor time is that of the operation's process alone; for the polled operation the
median of 20 processes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, sync_playwright

from stash2plex_testing.page.large import fill
from stash2plex_testing.world import World
from tools.browser import find_browser, find_host_page

ROUNDS, PROCESSES = 5, 20
HOME = "/plugins/stash2plex"

WATCH = """
window.timed = [];
const plainFetch = window.fetch;
window.fetch = async (...given) => {
  const began = performance.now();
  const reply = await plainFetch(...given);
  const text = given[1] && given[1].body || "";
  const mode = (/"mode":"(\\w+)"/.exec(text) || [])[1];
  if (mode) {
    const read = reply.json.bind(reply);
    reply.json = async () => {
      const value = await read();
      const answered = performance.now();
      requestAnimationFrame(() => {
        const seen = new MessageChannel();
        seen.port1.onmessage = () => window.timed.push(
          { mode, ms: answered - began, paint: performance.now() - answered });
        seen.port2.postMessage(null);
      });
      return value;
    };
  }
  return reply;
};
"""


@dataclass(frozen=True)
class View:
    """A view, the operation that fills it, and what shows that it is drawn."""

    path: str
    mode: str
    wait: str
    arguments: dict[str, Any] = field(default_factory=dict)


PAGE = {"limit": 25}
VIEWS = (
    View("", "page", ".s2p-figures"),
    View("/trouble", "trouble", ".s2p-checks, .s2p-actions"),
    View("/trouble?reason=ambiguous", "dead_letters", "tbody tr", {"reason": "ambiguous", **PAGE}),
    View("/scenes?state=in_sync", "scenes", "tbody tr", {"state": "in_sync", **PAGE}),
    View("/scenes?state=not_in_plex", "scenes", "tbody tr", {"state": "not_in_plex", **PAGE}),
    View("/library", "library", ".s2p-figures"),
    View("/library?show=unknown&section=1", "unknown_files", "tbody tr", PAGE),
    View("/history", "history", "tbody tr", PAGE),
    View("/history?run=100", "runs", "tbody tr", PAGE),
    View("/history", "outages", ".s2p-days"),
    View("/history?scene=17", "history", "tbody tr", {"scene_id": 17}),
    View("/settings", "settings", ".s2p-setting"),
)


def main() -> int:
    """Print the table."""
    browser_path, host = find_browser(), find_host_page()
    if not browser_path or not host:
        print("A Chromium and the host page are needed: see make browser.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, World(folder) as world, sync_playwright() as play:
        world.fill(3)
        world.install(background_worker="off")
        world.operation("status")
        connection = sqlite3.connect(os.path.join(world.data_dir, "stash2plex.db"))
        connection.execute("DELETE FROM scene")
        connection.execute("DELETE FROM plex_section")
        connection.commit()
        connection.isolation_level = None
        fill(connection)
        connection.close()
        world.stash.core.interface = host
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        head = f"{'view':38} {'operation':14} {'processor ms':>13}"
        print(f"{head} {'answer ms':>10} {'paint ms':>9} {'rows':>5}")
        for view in VIEWS:
            page = browser.new_page()
            page.add_init_script(WATCH)
            print(measure(page, world, view), flush=True)
            page.close()
        browser.close()
    return 0


def measure(page: Page, world: World, view: View) -> str:
    """Return the row of a view: medians of some rounds."""
    took, painted, rows = [], [], 0
    for _ in range(ROUNDS):
        page.goto(world.stash.url + HOME + view.path)
        page.locator(view.wait).first.wait_for()
        page.wait_for_function(
            "mode => window.timed.some((one) => one.mode === mode)", arg=view.mode
        )
        found = page.evaluate("mode => window.timed.find((one) => one.mode === mode)", view.mode)
        took.append(found["ms"])
        painted.append(found["paint"])
        rows = page.locator("tbody tr").count()
    numbers = f"{statistics.median(took):10.0f} {statistics.median(painted):9.0f} {rows:5}"
    processes = PROCESSES if view.mode == "page" else ROUNDS
    used = processor_ms(world, {"mode": view.mode, **view.arguments}, processes)
    return f"{view.path or '/':38} {view.mode:14} {used:13.0f} {numbers}"


def processor_ms(world: World, arguments: dict[str, Any], processes: int) -> float:
    """Return the processor time of an operation in ms, as Stash starts it; the median."""
    script = os.path.join(world.stash.plugins_dir, "Stash2Plex", "stash2plex_plugin.py")
    connection = {"Scheme": "http", "Port": world.stash.port, "Dir": world.stash.config_dir}
    request = json.dumps({"server_connection": connection, "args": arguments}).encode()
    used = []
    for _ in range(processes):
        before = children_seconds()
        subprocess.run(
            [sys.executable, "-IS", "-Xutf8", script], input=request, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        used.append(children_seconds() - before)
    return statistics.median(used) * 1000.0


def children_seconds() -> float:
    """Return the processor time in seconds of all child processes that have ended."""
    import resource  # noqa: PLC0415 - Windows has none

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
