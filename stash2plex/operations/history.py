"""The history of writes to Plex: a page of writes, or of the runs that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from stash2plex.app import App
from stash2plex.errors import UsageError
from stash2plex.model import Field, Record
from stash2plex.store.history import Write, WriteRun
from stash2plex.text import utc


@frozen
class SeenWrite:
    """A write, and for each of its fields what Plex made of it; None while that is not known.

    `title` is what was last written as the scene's title; empty if that is unknown.
    """

    write: Write
    shown: Mapping[str, object]
    title: str

    def as_json(self) -> dict[str, Any]:
        """Return the write as plain values (contract §5)."""
        write = self.write
        return {
            "at": utc(write.at),
            "run_id": write.run_id,
            "cause": write.cause,
            "scene_id": write.scene_id,
            "title": self.title,
            "rating_key": write.rating_key,
            "fields": {
                name: {"before": before, "sent": sent, "shown": self.shown.get(name)}
                for name, (before, sent) in write.fields.items()
            },
        }


@frozen
class HistoryPage:
    """A page of writes, newest first, and how many there are in all."""

    writes: Sequence[SeenWrite]
    total: int

    def as_json(self) -> dict[str, Any]:
        """Return the operation's answer (contract §5)."""
        return {"total": self.total, "items": [write.as_json() for write in self.writes]}


@frozen
class RunPage:
    """A page of runs of writes, newest first, and how many there are in all."""

    runs: Sequence[WriteRun]
    total: int

    def as_json(self) -> dict[str, Any]:
        """Return the operation's answer."""
        return {"total": self.total, "items": [], "runs": [_run_json(run) for run in self.runs]}


def list_writes(
    app: App, *, scene_id: int | None, run_id: int | None, limit: int, offset: int = 0
) -> HistoryPage:
    """Read a page of all writes, or of those of a scene or a run. Raises UsageError for both."""
    if scene_id is not None and run_id is not None:
        raise UsageError("Choose the writes by a scene or by a run, not by both.")
    history = app.store.history
    writes = history.page(scene_id=scene_id, run_id=run_id, limit=limit, offset=offset)
    total = history.total(scene_id=scene_id, run_id=run_id)
    return HistoryPage([_seen(app, write) for write in writes], total)


def list_runs(app: App, limit: int, offset: int = 0) -> RunPage:
    """Read a page of the runs of writes."""
    history = app.store.history
    return RunPage(history.runs(limit, offset), history.number_of_runs())


def _seen(app: App, write: Write) -> SeenWrite:
    """Add what Plex made of a write: what was sent, unless it was read back as something else."""
    unread: set[str] = set()
    record = app.store.records.get(write.scene_id)
    if _is_newest(record, write):
        unread = set(record.unread) if record else set()
    shown = {
        name: write.shown.get(name, sent)
        for name, (_, sent) in write.fields.items()
        if write.has_ended and name not in unread
    }
    title = record.written.get(Field.TITLE) if record else None
    return SeenWrite(write, shown, title if isinstance(title, str) else "")


def _is_newest(record: Record | None, write: Write) -> bool:
    """Whether a record may be of this write: an older one was read back or written over."""
    return (
        record is not None
        and record.rating_key == write.rating_key
        and record.synced_at <= write.at + 1.0
    )


def _run_json(run: WriteRun) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "cause": run.cause,
        "name": run.name,
        "began_at": utc(run.began_at),
        "ended_at": utc(run.ended_at),
        "writes": run.writes,
        "scenes": run.scenes,
    }
