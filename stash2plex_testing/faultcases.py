"""Every fault at every stage, with what must come of it: the fault suite's data and its page.

`tests/faults` runs each case against the stand-ins; `tools.build_docs` writes the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HELD = "waits for the server, no attempt counted"
STOPPED = "stops until a person acts, no attempt counted"
RETRIED = "one attempt counted, tried again later"
SNOOZED = "looked up again later, no attempt counted"
BURIED = "dead letter at once"
DONE = "in sync"
SAID = "in sync but for what the log says"


@dataclass(frozen=True)
class Stage:
    """A request between us and a server. `deed` is its name in messages."""

    server: str
    name: str
    deed: str
    fits: Mapping[str, Any]
    writes: bool = False


@dataclass(frozen=True)
class Outcome:
    """What must come of a fault. `says` is the whole sentence that a person reads.

    In it, `{server}`, `{at}` and `{deed}` stand for the server, its address and the request.
    """

    kind: str
    ends: str
    says: str


@dataclass(frozen=True)
class Case:
    """One fault. `order` is what the stand-in of each server is told, None where it has no such."""

    name: str
    plex: Mapping[str, Any] | None
    stash: Mapping[str, Any] | None
    outcome: Outcome
    differs: Mapping[str, Outcome] = field(default_factory=dict)
    """By stage, where the outcome is another one."""

    only: tuple[str, ...] = ()
    """Stages that the fault makes sense for; all where empty."""

    def at(self, stage: Stage) -> Outcome:
        """Say what must come of the fault at a stage."""
        return self.differs.get(f"{stage.server} {stage.name}", self.outcome)

    def fits(self, stage: Stage) -> bool:
        """Whether the fault can happen at a stage."""
        order = self.plex if stage.server == "Plex" else self.stash
        return order is not None and (not self.only or stage.name in self.only)


STAGES = (
    Stage("Plex", "token", "the token check", {"method": "GET", "path": r"^/$"}),
    Stage("Plex", "libraries", "its libraries", {"method": "GET", "path": r"^/library/sections$"}),
    Stage("Plex", "list", "a list page", {"method": "GET", "path": r"^/library/sections/\d+/all$"}),
    Stage("Plex", "details", "item details", {"method": "GET", "path": r"^/library/metadata/"}),
    Stage("Plex", "edit", "the edit", {"method": "PUT", "path": r"/all$"}, writes=True),
    Stage(
        "Plex",
        "upload",
        "the upload of a background",
        {"method": "POST", "path": r"/arts$"},
        writes=True,
    ),
    Stage("Stash", "settings", "query Basics", {"operation": "query Basics"}),
    Stage("Stash", "scenes", "query Scenes", {"operation": "query Scenes"}),
    Stage("Stash", "fan-out", "query SceneIds", {"operation": "query SceneIds"}),
    Stage("Stash", "cover", "the cover of scene {scene}", {"path": r"^/scene/\d+/screenshot"}),
)
