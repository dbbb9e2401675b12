"""The history in lines: each write with its fields, and each run."""

from __future__ import annotations

from stash2plex.operations.history import HistoryPage, RunPage, SeenWrite
from stash2plex.store.history import Write, WriteRun
from stash2plex.ui.lines.history import history_lines, run_lines
from tests.unit.test_whole_lines import AT, WHEN


def test_the_history_in_lines():
    fields = {
        "title": (None, "Quay"), "genre": (["Fog", "Ebb"], []), "rating": (7.0, 7.5),
        "summary": ("", "x" * 61), "studio": ("y" * 60, ""),
    }  # fmt: skip
    write = Write(1, 2, WHEN, 7, "9", fields, {}, has_ended=True, cause="task", name="Sync")
    shown = {"title": "Quay", "genre": ["Tide"], "rating": 7.5, "studio": ""}
    page = HistoryPage((SeenWrite(write, shown, "Quay"),), 1)
    assert history_lines(page) == [
        f"{AT}, scene 7, Plex item 9, task (run 2):",
        "  title: nothing → “Quay”",
        "  genre: “Fog”, “Ebb” → nothing; Plex shows “Tide”",
        "  rating: 7 → 7.5",
        f"  summary: nothing → “{'x' * 59}…”; not read back yet",
        f"  studio: “{'y' * 60}” → nothing",
        "1 write in all.",
    ]
    runs = (
        WriteRun(2, "task", "Sync", WHEN, WHEN, 3, 1),
        WriteRun(1, "save", "", WHEN, WHEN, 1, 2),
    )
    assert run_lines(RunPage(runs, 2)) == [
        f"Run 2, {AT}: task (Sync), 1 scene.",
        f"Run 1, {AT}: save, 2 scenes.",
        "2 runs in all; “history --run ID” shows the writes of one.",
    ]
