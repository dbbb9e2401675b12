"""The reasons for which a key is given up, and the cure of each."""

from __future__ import annotations

from attrs import frozen

from stash2plex.store.dead_letters import Group
from stash2plex.store.names import names


@frozen
class Reason:
    """What a reason means to a person, and what to do about it."""

    words: str
    fix: str


REASONS = {
    "not_in_plex": Reason(
        "Plex has no such file",
        "Scan the library in Plex and check Plex library; then run “Retry Dead Letters”. "
        "Scenes that Plex shall not have need Skip not found.",
    ),
    "ambiguous": Reason(
        "several Plex items fit",
        "Set Path map or Plex library, or turn on Loose matching; then run “Retry Dead Letters”.",
    ),
    "rejected": Reason(
        "a server does not accept what was sent",
        "Read what happened, correct the scene in Stash and save it.",
    ),
    "unavailable": Reason(
        "a server failed again and again", "Run “Recover Outage Jobs” once the server is well."
    ),
    "transient": Reason(
        "a server gave answers that make no sense",
        "Check that Plex URL leads to Plex itself; then run “Retry Dead Letters”.",
    ),
    "not_found": Reason(
        "the Plex item went away again and again",
        "Let Plex finish its scan; then run “Retry Dead Letters”.",
    ),
    "too_large": Reason(
        "a server sent more than Stash2Plex takes", "Look at the scene in Stash and in Plex."
    ),
    "interrupted": Reason(
        "the worker ended again and again at this scene",
        "Report it with worker.log; then run “Retry Dead Letters”.",
    ),
    "fault": Reason(
        "a fault of Stash2Plex itself",
        "Report it with worker.log; an update may mend it. Then run “Retry Dead Letters”.",
    ),
}
"""Every reason that a dead letter may have; a test compares it with the code."""


def reason_of(word: str) -> Reason:
    """Explain a reason; one of a newer version is shown as it is."""
    return REASONS.get(word) or Reason(word.replace("_", " "), "Look at what happened.")


def groups_sentence(groups: list[Group]) -> str:
    """Return why, with counts and names: 1 because several Plex items fit (scene 12 “Quay”)."""
    return ", ".join(
        f"{one.number:,} because {reason_of(one.reason).words}{names(one.first, one.number)}"
        for one in groups
    )
