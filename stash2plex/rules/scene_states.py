"""Works out a scene's one state from where its key is and from its standing.

Plain values: the stored status imports this module, and must cost little.
"""

IN_SYNC, TO_SEND, SENDING, WAITING = "in_sync", "to_send", "sending", "waiting"
NOT_IN_PLEX, GIVEN_UP, LEFT_OUT = "not_in_plex", "given_up", "left_out"
STATES = (IN_SYNC, TO_SEND, SENDING, WAITING, NOT_IN_PLEX, GIVEN_UP, LEFT_OUT)
"""Each scene is in one of them."""

EXCLUDED, NOT_ORGANIZED, NO_METADATA = "excluded", "not_organized", "no_metadata"
UNDONE, LIBRARY, OTHER_SCENE = "undone", "library", "other_scene"
REASONS = {
    EXCLUDED: "with an excluded tag",
    NOT_ORGANIZED: "not organized",
    NO_METADATA: "without metadata",
    UNDONE: "undone",
    LIBRARY: "in a library that is not chosen",
    OTHER_SCENE: "whose Plex item shows another scene",
}
"""Why scenes are left out, in words that follow a number."""

UNKNOWN = ""
"""The standing of a scene about which nothing is known: it is to be sent."""

FREE, QUEUED, DEAD = 0, 1, 2
"""Where a scene's key is: nowhere, in the queue, among the dead letters."""

HELD = 2
"""The priority of a held key, as in `workqueue`."""


def resting_state(standing: str) -> str:
    """Return the state of a scene whose key is nowhere."""
    if standing in REASONS:
        return LEFT_OUT
    return standing if standing in (IN_SYNC, NOT_IN_PLEX) else TO_SEND


def queued_state(*, priority: int, leased: bool, due: bool, reason: str) -> str:
    """Return the state of a scene whose key is in the queue.

    `due` is whether its time has come, `leased` whether a live worker is sending it.
    """
    if priority == HELD:
        return WAITING
    if leased:
        return SENDING
    if due:
        return TO_SEND
    return NOT_IN_PLEX if reason == NOT_IN_PLEX else WAITING
