"""The reasons why a key is given up, and what to do about each."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from stash2plex.store.dead_letters import Group
from stash2plex.store.names import names


@frozen
class Reason:
    """What a reason means to the user, and what to do about it."""

    words: str
    fix: str


REASONS = {
    "not_in_plex": Reason(
        "Plex has no such file",
        "Scan the library in Plex and check Plex library; then run “Retry Dead Letters”. "
        "Turn on Skip not found if Plex is not meant to have them.",
    ),
    "ambiguous": Reason(
        "several Plex items fit",
        "Set Path map or Plex library, or turn on Loose matching; then run “Retry Dead Letters”.",
    ),
    "rejected": Reason(
        "a server does not accept what was sent",
        "Read the error, correct the scene in Stash and save it.",
    ),
    "unavailable": Reason(
        "a server kept failing", "Run “Recover Outage Jobs” once the server works again."
    ),
    "transient": Reason(
        "a server sent answers that make no sense",
        "Check that Plex URL leads to Plex itself; then run “Retry Dead Letters”.",
    ),
    "not_found": Reason(
        "the Plex item kept disappearing",
        "Let Plex finish its scan; then run “Retry Dead Letters”.",
    ),
    "too_large": Reason(
        "a server sent more than Stash2Plex takes", "Look at the scene in Stash and in Plex."
    ),
    "interrupted": Reason(
        "the worker kept ending at this scene",
        "Report it with worker.log; then run “Retry Dead Letters”.",
    ),
    "fault": Reason(
        "Stash2Plex itself failed",
        "Report it with worker.log; an update may fix it. Then run “Retry Dead Letters”.",
    ),
}
"""Every reason that a dead letter may have; a test compares the list with the code."""


def reason_of(word: str) -> Reason:
    """Explain a reason; an unknown one, from a newer version, is shown as it is."""
    return REASONS.get(word) or Reason(word.replace("_", " "), "Read the error.")


def groups_sentence(groups: Sequence[Group]) -> str:
    """Return why, with counts and names: 1 because several Plex items fit (scene 12 “Quay”)."""
    return ", ".join(
        f"{group.number:,} because {reason_of(group.reason).words}"
        f"{names(group.first, group.number)}"
        for group in groups
    )
