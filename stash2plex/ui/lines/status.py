"""The status in words."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.notifications import held_sentence
from stash2plex.operations.reasons import reason_of
from stash2plex.operations.traits import traits_sentence
from stash2plex.rules.scene_states import (
    GIVEN_UP,
    IN_SYNC,
    LEFT_OUT,
    NOT_IN_PLEX,
    REASONS,
    SENDING,
    TO_SEND,
)
from stash2plex.rules.scene_states import (
    WAITING as WAITS,
)
from stash2plex.rules.traits import Trait
from stash2plex.store.holds import Hold
from stash2plex.store.names import WAITING, Named, names
from stash2plex.store.runs import Held
from stash2plex.sync.report import summary_sentence
from stash2plex.text import count, local, moment, span
from stash2plex.workqueue import STOPPED


def status_lines(status: dict[str, Any]) -> list[str]:
    """Return the status in words, one line a fact."""
    queue, plex, breaker, worker = (status[key] for key in ("queue", "plex", "breaker", "worker"))
    lines = [
        (
            f"Queue: {queue['pending']:,} due, {queue['in_progress']:,} in progress, "
            f"{queue['waiting']:,} waiting for later, {queue['dead']:,} given up."
        ),
        scenes_line(status["scenes"]),
        *(f"{head}: {text}" for head, text in named_rows(status)),
        f"In sync: {count(status['synced'], 'scene')}"
        + (
            f", the last at {local(moment(status['last_sync_at']))}."
            if status["last_sync_at"]
            else "."
        ),
    ]
    written = status["metrics"]["scenes"].get("written", 0)
    if written:
        lines.append(f"So far: {count(written, 'scene')} written{_pace(status['metrics'])}.")
    if plex["reachable"]:
        items = count(plex["items"], "item")
        lines.append(f"Plex: {plex['version']}, {_titles(plex['library'])}, {items} known.")
    else:
        lines.append(f"Plex: {plex['problem'] or 'not reachable now.'}")
    if known := traits_sentence(plex["traits"]):
        lines.append(known)
    if lost := lost_line(status):
        lines.append(lost)
    if status["stash"]["problem"]:
        lines.append(f"Stash: {status['stash']['problem']}")
    if line := held_line(status):
        lines.append(line)
    if last := status["reconcile"]["last"]:
        lines.append(summary_sentence(last, local(moment(last["started_at"]))))
    if breaker["state"] != "closed" and worker["why"] is None:
        words = "Plex has refused access" if breaker["refused"] else "Waiting for Plex"
        lines.append(f"{words} since {local(moment(breaker['since']))}: {breaker['reason']}")
    if worker["running"]:
        text = f"The {worker['origin']} is running (process {worker['pid']})"
        if status["eta_s"] is not None:
            text += f", {status['rate_per_s']:.1f} per second, about {span(status['eta_s'])} left"
        lines.append(text + ".")
        # What a line above shows of Plex is not repeated.
        waits = [worker["outlook"] if worker["why"] == plex["problem"] else waits_words(worker)]
        lines += [f"It waits: {words}" for words in waits if words]
    elif status["background_worker"] == "off":
        lines.append("No worker is running: Background worker is off, only tasks send anything.")
    else:
        lines.append("No worker is running now; the next change in Stash starts one.")
    return lines


def scenes_line(scenes: dict[str, Any]) -> str:
    """Return how many scenes Stash has, and how many of them are in which state."""
    if scenes["as_of"] is None:
        return "Scenes: Stash's library has not been read yet; the next sync does that."
    parts = [f"{scenes[state]:,} {words}" for state, words in STATE_WORDS.items() if scenes[state]]
    why = ", ".join(
        f"{number:,} {REASONS[reason]}" for reason, number in scenes["left_out_because"].items()
    )
    text = f"Scenes: {scenes['total']:,} in Stash" + (f": {', '.join(parts)}" if parts else "")
    return text + (f" ({why})." if why else ".")


STATE_WORDS = {
    IN_SYNC: "in sync",
    TO_SEND: "to send",
    SENDING: "being sent",
    WAITS: "waiting",
    NOT_IN_PLEX: "not in Plex",
    GIVEN_UP: "given up",
    LEFT_OUT: "left out",
}


def named_rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a head and a text for each reason why scenes wait or were given up.

    The text names the first of the scenes.
    """

    def row(head: str, why: str, group: dict[str, Any]) -> tuple[str, str]:
        first = [Named(**scene) for scene in group["first"]]
        return head, f"{group['number']:,} {why}{names(first, group['number'])}."

    return [
        *(
            row("Waiting", WAITING.get(group["reason"], "to be tried again"), group)
            for group in status["named"]["waiting"]
            # Scenes on hold have a sentence of their own.
            if group["reason"] != STOPPED
        ),
        *(
            row("Given up", f"because {reason_of(group['reason']).words}", group)
            for group in status["named"]["dead"]
        ),
    ]


def held_line(status: dict[str, Any]) -> str | None:
    """Return what holds scenes back and what lets them go on; None for none."""
    held = status["held"]
    if held is None or held["by"] == "off":
        return None
    if held["by"] != "stop":
        hold = Hold(held["by"], moment(held["since"]) if held["since"] else 0.0)
        return f"{hold.what} {hold.fix}"
    return held_sentence(Held(held["task"], moment(held["since"]), held["scenes"]))


def lost_line(status: dict[str, Any]) -> str | None:
    """Return which fields Plex accepts but does not keep; None for none."""
    lost = [row["field"] for row in status["plex"]["traits"] if row["trait"] == Trait.LOSES]
    return f"Plex accepts these fields but does not keep them: {', '.join(lost)}." if lost else None


def waits_words(worker: dict[str, Any]) -> str | None:
    """Return why the worker is waiting and when it goes on; None while it works."""
    return " ".join(filter(None, (worker["why"], worker["outlook"]))) or None


def _pace(metrics: dict[str, Any]) -> str:
    edit = metrics["edit_seconds"]
    if edit["mean"] is None:
        return ""
    text = f", an edit takes {1000 * edit['mean']:.0f} ms"
    return text + (f", 95 % below {edit['p95_below']:g} s" if edit["p95_below"] else "")


def _titles(library: str | None) -> str:
    return f"“{library}”" if library else "no library listed yet"
