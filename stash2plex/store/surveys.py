"""Keeps the state of the two surveys that run as jobs of Stash: a count, and a comparison."""

from __future__ import annotations

import json
import sqlite3
from enum import StrEnum
from typing import Any

from attrs import asdict, evolve, frozen

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.store.meta import SURVEY
from stash2plex.store.stored_json import load_shape


class SurveyKind(StrEnum):
    """What is surveyed, named as the operation that returns it."""

    CHANGES = "count_changes"
    COMPARISON = "compare"


@frozen
class Survey:
    """The state of a survey. Times are epoch seconds; `ended_at` is None until it ends.

    `word` identifies this run. `taken` means that a process works on it. `counts` are the results
    as plain values, up to the last page.
    """

    word: str
    began_at: float
    ended_at: float | None = None
    taken: bool = False
    done: int = 0
    total: int | None = None
    problem: str | None = None
    counts: dict[str, Any] | None = None


@frozen
class Surveys:
    """The last survey of each kind in one database."""

    connection: sqlite3.Connection

    def read(self, kind: SurveyKind) -> Survey | None:
        """Return the last survey; None if there is none or it cannot be read."""
        return load_shape(get_meta(self.connection, SURVEY + kind), Survey)

    def begin(self, kind: SurveyKind, word: str, at: float) -> Survey:
        """Store a new survey in place of the last one."""
        survey = Survey(word, at)
        with transaction(self.connection):
            self._store(kind, survey)
        return survey

    def take(self, kind: SurveyKind, word: str) -> Survey | None:
        """Return the survey for the one process that works on it; None for every other."""
        with transaction(self.connection):
            survey = self.read(kind)
            if survey is None or survey.word != word or survey.taken or survey.ended_at:
                return None
            survey = evolve(survey, taken=True)
            self._store(kind, survey)
        return survey

    def keep(self, kind: SurveyKind, survey: Survey) -> bool:
        """Store the state; False if another survey has begun since."""
        with transaction(self.connection):
            stored = self.read(kind)
            if stored is None or stored.word != survey.word:
                return False
            self._store(kind, survey)
        return True

    def _store(self, kind: SurveyKind, survey: Survey) -> None:
        set_meta(self.connection, SURVEY + kind, json.dumps(asdict(survey)))
