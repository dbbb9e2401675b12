"""Runs the probe: saves what the items hold, asks, and always restores everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from stash2plex.errors import ServerError, Unavailable, UsageError
from stash2plex.model import Clock, Sleep
from stash2plex.operations.probe.questions import SET, Answer, Prober, all_questions
from stash2plex.operations.probe.snapshot import save, take, try_to_put_back
from stash2plex.servers.plexraw import PlexRaw
from stash2plex.version import VERSION

VARIES = frozenset({"edits per second"})
"""Answers that are measurements and so never compared."""


@frozen
class Probed:
    """What a probe found. `left` is what could not be restored.

    `answers` hold no title, path, host or token, so they can be posted.
    """

    plex_version: str
    platform: str
    items: int
    answers: Mapping[str, Answer]
    left: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "probe": VERSION,
            "plex": self.plex_version,
            "platform": self.platform,
            "items": self.items,
            "answers": dict(self.answers),
        }


def probe(
    client: PlexRaw,
    keys: Sequence[str],
    path: str,
    *,
    uploads: bool,
    monotonic: Clock,
    sleep: Sleep,
    note: Callable[[str], None],
) -> Probed:
    """Ask all questions using these items, then restore the items.

    What the items hold is kept in `path` until it is restored. `note` is called with each question
    before it is asked. Raises UsageError for unusable items, and whatever the client raises.
    """
    server = client.server()
    snapshot = take(client, str(server.get("machineIdentifier", "")), keys)
    sections = {held.section_id for held in snapshot.items}
    if len(sections) != 1:
        raise UsageError("The items belong to several libraries; name items of one.")
    save(snapshot, path)
    prober = Prober(client, sections.pop(), keys, monotonic, sleep)
    answers: dict[str, Answer] = {}
    left: list[str] = []
    try:
        for name, ask in all_questions(several=len(keys) >= SET, uploads=uploads).items():
            note(name)
            answers[name] = _answer(ask, prober)
    finally:
        left = try_to_put_back(client, path)
    return Probed(
        plex_version=str(server.get("version", "")),
        platform=str(server.get("platform", "")),
        items=len(keys),
        answers=answers,
        left=tuple(left),
    )


def _answer(ask: Callable[[Prober], Answer], prober: Prober) -> Answer:
    """Ask one question; a refusal is an answer too."""
    try:
        return ask(prober)
    except ServerError as error:
        if isinstance(error, Unavailable):
            # A request that is cut off is an answer; a server that is gone is not.
            prober.client.server()
        return f"refused ({error.reason})"


def compare(answers: Mapping[str, Answer], others: Mapping[str, Answer]) -> dict[str, list[Answer]]:
    """Return the questions that two servers answer differently, with both answers."""
    return {
        name: [answer, others[name]]
        for name, answer in answers.items()
        if name in others and name not in VARIES and answer != others[name]
    }
