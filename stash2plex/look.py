"""Matches a scene without sending it: for a preview and for an explanation."""

from __future__ import annotations

from attrs import frozen

from stash2plex.errors import Ambiguous, NotInPlexYet
from stash2plex.matching import match_scene
from stash2plex.model import Match, PlexFile, Scene
from stash2plex.pipeline import Session

CONFIDENCE = {"the whole path": "certain", "the file name": "low"}
"""How sure a way of matching is; the others are “high”."""


SHOWN = 20
"""Candidates that are kept: in some libraries very many files share a name."""


@frozen
class Look:
    """How a scene was matched, or why it was refused: the word and the sentence."""

    match: Match | None
    candidates: tuple[PlexFile, ...] = ()
    reason: str = ""
    refusal: str = ""

    @property
    def confidence(self) -> str:
        """How sure the match is: certain, high or low; empty without one."""
        return CONFIDENCE.get(self.match.matched_by, "high") if self.match else ""


def look_up(session: Session, scene: Scene) -> Look:
    """Match a scene by the index as it is, the way a sync does."""
    settings, index = session.settings, session.index
    files = tuple(index.candidates(file.path for file in scene.files))
    try:
        match = match_scene(scene, files, settings.path_map, loose=settings.loose_matching)
    except (NotInPlexYet, Ambiguous) as error:
        if not index.titles():
            never = "Plex's library has not been listed yet; the next sync does that."
            return Look(None, (), error.reason, never)
        return Look(None, files[:SHOWN], error.reason, str(error))
    return Look(match, files[:SHOWN])
