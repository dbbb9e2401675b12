"""The status as Prometheus reads it (text exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stash2plex.rules.scene_states import STATES
from stash2plex.store.metrics import BUCKETS, Metrics
from stash2plex.store.outages import Outage
from stash2plex.text import moment

PREFIX = "stash2plex_"

Sample = tuple[str, Mapping[str, str], float]
"""Ending of the name, labels, value."""


def prometheus_text(
    status: Mapping[str, Any], metrics: Metrics, outages: Sequence[Outage], now: float
) -> str:
    """Return every metric as text; no label ever holds a title, a name or a path."""
    queue, plex, last = status["queue"], status["plex"], status["last_sync_at"]
    version = {"version": status["version"]}
    runs = status["worker"]["running"]
    parts = [
        _family("info", "gauge", "Version of Stash2Plex.", [("", version, 1)]),
        _family("queue_keys", "gauge", "Scenes in the queue, by state.", _by("state", queue)),
        _family(
            "library_scenes",
            "gauge",
            "Scenes in Stash, by state.",
            [("", {"state": state}, status["scenes"][state]) for state in STATES],
        ),
        _family("synced_scenes", "gauge", "Scenes with a record.", [("", {}, status["synced"])]),
        _family(
            "last_sync_timestamp_seconds",
            "gauge",
            "When a scene was last synced.",
            [] if last is None else [("", {}, moment(last))],
        ),
        _family(
            "rate_scenes_per_second",
            "gauge",
            "Scenes per second now.",
            [("", {}, status["rate_per_s"])],
        ),
        _family(
            "breaker_open",
            "gauge",
            "Whether the drain waits for Plex.",
            [("", {}, status["breaker"]["state"] != "closed")],
        ),
        _family(
            "worker_running", "gauge", "Whether a worker or a task is sending.", [("", {}, runs)]
        ),
        _family("plex_up", "gauge", "Whether Plex answers.", [("", {}, plex["reachable"])]),
        _family("plex_items", "gauge", "Items in the Plex index.", [("", {}, plex["items"])]),
        _family("scenes_total", "counter", "Scenes worked on.", _by("outcome", metrics.scenes)),
        _family("fields_written_total", "counter", "Fields written.", _by("field", metrics.fields)),
        _family("dead_letters_total", "counter", "Scenes given up.", _by("reason", metrics.dead)),
        _family("retries_total", "counter", "Failed attempts.", _by("reason", metrics.retried)),
        _family("put_off_total", "counter", "Scenes put off.", _by("reason", metrics.put_off)),
        _family("edit_seconds", "histogram", "Time of an edit in Plex.", _histogram(metrics)),
        _family(
            "outages_total",
            "counter",
            "Outages on record.",
            _by(
                "server",
                {name: sum(outage.server == name for outage in outages) for name in SERVERS},
            ),
        ),
        _family(
            "outage_seconds_total",
            "counter",
            "Length of the outages on record.",
            _by(
                "server",
                {
                    name: sum(outage.seconds(now) for outage in outages if outage.server == name)
                    for name in SERVERS
                },
            ),
        ),
    ]
    return "".join(parts)


SERVERS = ("plex", "stash")


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [("", {label: name}, value) for name, value in values.items()]


def _histogram(metrics: Metrics) -> list[Sample]:
    samples: list[Sample] = []
    seen = 0
    ends = [*(f"{end:g}" for end in BUCKETS), "+Inf"]
    for end, count in zip(ends, metrics.edit.counts, strict=True):
        seen += count
        samples.append(("_bucket", {"le": end}, seen))
    return [*samples, ("_sum", {}, metrics.edit.total), ("_count", {}, seen)]


def _family(name: str, kind: str, meaning: str, samples: Sequence[Sample]) -> str:
    full = PREFIX + name
    lines = [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
    for end, labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{full}{end}{f'{{{shown}}}' if shown else ''} {float(value):.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
