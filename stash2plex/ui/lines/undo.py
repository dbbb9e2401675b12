"""The lines that show what an undo would do, and what it did."""

from __future__ import annotations

from stash2plex.operations.undo import Forecast, UndoReport
from stash2plex.text import count

WHY = {"theirs": "changed since, so it stays"}
"""The words for a reason that is kept as one word."""


def forecast_lines(known: Forecast) -> list[str]:
    """Return what an undo would do, in words."""
    if not known.queued:
        return ["Nothing in Plex is left to put back."]
    return [
        f"{count(known.queued, 'scene')} would be put back.",
        *_rest(known, would=True),
        *_pictures(known),
    ]


def _pictures(known: Forecast) -> list[str]:
    """Return what is known of pictures without a look at each."""
    if not known.pictures:
        return []
    other = known.pictures - known.own_pictures
    lines: list[str] = []
    lines.append(
        f"{count(known.pictures, 'picture')} would go back: {other:,} to the one that was chosen"
        f" before, {known.own_pictures:,} to Plex's own choice. Where you chose another one since,"
        " it would stay; that is looked at only when it is done."
    )
    if known.may_stay:
        lines.append(
            f"{known.may_stay:,} of them may stay: a Plex older than 1.43 goes back to its own"
            " choice only if it has exactly one other picture."
        )
    elif known.own_pictures:
        lines.append(
            "Where Plex's own choice was a frame of the video, it may come back only at Plex's next"
            " refresh of the item."
        )
    return lines


def report_lines(report: UndoReport) -> list[str]:
    """Return what became of an undo, in words."""
    done = report.done
    lines = [f"{count(done.queued, 'scene')} put back: {count(done.back, 'value')}."]
    lines += _rest(done, would=False)
    if report.waiting:
        lines.append(f"{count(report.waiting, 'scene')} still to be put back; nothing is lost.")
    if report.given_up:
        lines.append(
            f"{count(report.given_up, 'scene')} given up; “dlq list” shows why, and “dlq retry”"
            " tries again."
        )
    if report.withdrawn:
        lines.append(
            f"{count(report.withdrawn, 'scene')} not put back: taken in again, or removed from the"
            " queue meanwhile."
        )
    return lines


def _rest(known: Forecast, *, would: bool) -> list[str]:
    def stay(number: int) -> str:
        return "would stay" if would else f"stay{'s' if number == 1 else ''}"

    lines = []
    if known.theirs:
        lines.append(
            f"{count(known.theirs, 'value')} {stay(known.theirs)}: changed since Stash2Plex wrote"
            " them."
        )
    if known.cannot:
        lines.append(f"{count(known.cannot, 'value')} cannot come back.")
    if known.gone:
        lines.append(f"{count(known.gone, 'item')} gone from Plex, or of another Plex server.")
    if known.uploads:
        lines.append(
            f"{count(known.uploads, 'picture')} that Stash2Plex sent {stay(known.uploads)} in Plex,"
            " unused: Plex cannot delete uploads."
        )
    lines += [
        f"  scene {scene_id}, {name}: {WHY.get(why, why)}" for scene_id, name, why in known.left
    ]
    return lines
