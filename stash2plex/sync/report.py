"""The report of a reconcile: as a value, as JSON, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, frozen

from stash2plex.errors import Stash2PlexError
from stash2plex.rules.drift import MEANINGS, Kind
from stash2plex.text import count, span, utc

EXAMPLES = 10
"""How many examples of each kind a report has."""

EXAMPLES_SAID = 3
"""How many examples of each kind the log lists."""


@frozen
class Example:
    """One finding.

    `detail` is why a match was refused, or which deleted scene an orphan belonged to.
    """

    scene_id: int | None
    title: str
    path: str
    rating_key: str | None = None
    fields: tuple[str, ...] = ()
    detail: str = ""


@frozen
class Report:
    """What a run compared and found. Times are in seconds.

    `counts` has None for a kind that the run did not look for. `in_sync` is None if only some kinds
    were looked for. `queued` counts keys that are due because of this run; a scene that was due
    already is not counted. `problem` is None for a run that saw everything; `error` is what ended a
    partial one.
    """

    scope: str
    dry_run: bool
    started_at: float
    seconds: float
    problem: str | None
    scenes: int
    in_sync: int | None
    left_out: int
    queued: int
    requests: Mapping[str, int]
    counts: Mapping[Kind, int | None]
    examples: Mapping[Kind, tuple[Example, ...]]
    error: Stash2PlexError | None = None
    unread: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it is stored and shown as JSON."""
        return {
            "scope": self.scope,
            "dry_run": self.dry_run,
            "started_at": utc(self.started_at),
            "seconds": round(self.seconds, 2),
            "complete": self.problem is None,
            "problem": self.problem,
            "scenes": self.scenes,
            "in_sync": self.in_sync,
            "left_out": self.left_out,
            "queued": self.queued,
            "requests": dict(self.requests),
            "unread": list(self.unread),
            "kinds": {
                kind.value: {
                    "count": self.counts[kind],
                    "examples": [
                        {**asdict(example), "fields": list(example.fields)}
                        for example in self.examples[kind]
                    ],
                }
                for kind in Kind
            },
        }


def summary_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten a report to what the status shows: scope, when, counts."""
    names = ("scope", "started_at", "seconds", "complete", "scenes", "queued")
    return {
        **{name: report[name] for name in names},
        "counts": {kind: kind_report["count"] for kind, kind_report in report["kinds"].items()},
    }


def summary_sentence(summary: Mapping[str, Any], when: str) -> str:
    """Return the summary of a report; `when` is its time in words."""
    differing = [
        f"{number:,} {Kind(kind).words}" for kind, number in summary["counts"].items() if number
    ]
    partial = "" if summary["complete"] else ", not complete"
    return (
        f"Last reconcile ({summary['scope']}) at {when}{partial}: "
        f"{count(summary['scenes'], 'scene')}, {', '.join(differing) or 'nothing differs'}, "
        f"{summary['queued']:,} queued."
    )


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """Return a report in words: a line for the whole, one for each kind that was found."""
    parts = [f"{count(report['scenes'], 'scene')} compared in {span(report['seconds'])}"]
    if report["in_sync"] is not None:
        parts.append(f"{report['in_sync']:,} in sync")
    if report["left_out"]:
        parts.append(
            f"{report['left_out']:,} left out: put back, by settings, or without metadata or file"
        )
    queued = "would be queued" if report["dry_run"] else "queued"
    parts.append(f"{report['queued']:,} {queued}")
    lines = [", ".join(parts) + "."]
    for name, kind_report in report["kinds"].items():
        if kind_report["count"]:
            kind = Kind(name)
            lines.append(
                f"{kind_report['count']:,} {kind.words} ({MEANINGS[kind]}): "
                + _examples(kind_report["examples"], kind_report["count"])
            )
    # A report of an earlier version does not have it.
    unread = report.get("unread", [])
    lines += [f"Not compared: {words}" for words in unread[:EXAMPLES_SAID]]
    if len(unread) > EXAMPLES_SAID:
        lines.append(f"Not compared: {len(unread) - EXAMPLES_SAID:,} more.")
    if report["problem"]:
        lines.append(
            f"Not complete: {report['problem']} What was found until then counts; "
            "no item is called an orphan."
        )
    return lines


def _examples(examples: list[dict[str, Any]], number: int) -> str:
    said = [_example(example) for example in examples[:EXAMPLES_SAID]]
    more = number - len(said)
    return "; ".join(said) + (f"; and {more:,} more." if more else ".")


def _example(example: dict[str, Any]) -> str:
    name = f"“{example['title'] or example['path']}”"
    if example["scene_id"] is None:
        return f"{name} ({example['detail']})" if example["detail"] else name
    name = f"scene {example['scene_id']} {name}"
    return f"{name} ({', '.join(example['fields'])})" if example["fields"] else name
