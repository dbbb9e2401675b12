"""The lines that show the history of writes."""

from __future__ import annotations

from stash2plex.operations.history import HistoryPage, RunPage, SeenWrite
from stash2plex.store.history import WriteRun
from stash2plex.text import count, local

VALUE_LIMIT = 60
"""How many characters of a value a line shows."""


def history_lines(page: HistoryPage) -> list[str]:
    """Return a page of writes in words, one line a field."""
    lines = [line for write in page.writes for line in _write_lines(write)]
    return [*lines, f"{count(page.total, 'write')} in all."]


def run_lines(page: RunPage) -> list[str]:
    """Return a page of runs in words."""
    lines = [run_line(run) for run in page.runs]
    hint = "“history --run ID” shows the writes of one"
    return [*lines, f"{count(page.total, 'run')} in all; {hint}."]


def run_line(run: WriteRun) -> str:
    """Return a run in words."""
    name = f" ({run.name})" if run.name else ""
    return f"Run {run.id}, {local(run.began_at)}: {run.cause}{name}, {count(run.scenes, 'scene')}."


def _write_lines(seen: SeenWrite) -> list[str]:
    write = seen.write
    head = (
        f"{local(write.at)}, scene {write.scene_id}, Plex item {write.rating_key},"
        f" {write.cause} (run {write.run_id}):"
    )
    lines = [head]
    for name, (before, sent) in write.fields.items():
        text = f"  {name}: {_value(before)} → {_value(sent)}"
        if name not in seen.shown:
            text += "; not read back yet"
        elif seen.shown[name] != sent:
            text += f"; Plex shows {_value(seen.shown[name])}"
        lines.append(text)
    return lines


def _value(value: object) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(f"“{_cut(str(entry))}”" for entry in value)
    return f"“{_cut(value)}”" if isinstance(value, str) else f"{value:g}"


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_LIMIT else f"{text[: VALUE_LIMIT - 1]}…"
