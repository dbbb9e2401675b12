"""Keeps the path rules that were worked out, and the pairs of paths that support them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from stash2plex.db import transaction
from stash2plex.rules.matching import Rule, folded_name
from stash2plex.rules.path_inference import InferredRule, PathPair, infer_rules, roots_of
from stash2plex.store.stored_json import load_list

PAIRS_A_ROOT = 200
"""How many pairs are kept for each pair of roots: more add nothing."""

PAIRS = 2_000
"""How many pairs are kept in all, so that working out the rules takes at most 0.1 s."""


class PathRules:
    """Collects pairs of paths, and keeps the rules that follow from them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def usable(self) -> tuple[Rule, ...]:
        """Return the rules that matching may use if the user set none."""
        return tuple(inferred.rule for inferred in _read_rules(self._db) if inferred.trusted)

    def note(
        self, pairs: Iterable[tuple[int, PathPair]], libraries: Mapping[str, Sequence[str]]
    ) -> None:
        """Store pairs, each with its scene's id, and work the rules out again if one is new.

        `libraries` are the folders of each Plex library, by its id.
        """
        new = [(scene_id, pair) for scene_id, pair in pairs if self._is_new(scene_id, pair)]
        if not new:
            return
        with transaction(self._db):
            taken = 0
            for scene_id, pair in new:
                stash, plex = ("/".join(root) for root in roots_of(pair))
                taken += self._db.execute(
                    "INSERT OR REPLACE INTO path_pair (scene_id, stash_root, plex_root, stash_path,"
                    " plex_path) SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 > (SELECT count(*) FROM"
                    " path_pair WHERE stash_root = ?2 AND plex_root = ?3 AND scene_id <> ?1)"
                    " AND ?7 > (SELECT count(*) FROM path_pair)",
                    (scene_id, stash, plex, pair.stash, pair.plex, PAIRS_A_ROOT, PAIRS),
                ).rowcount
            if taken:
                self._infer(libraries)

    def _is_new(self, scene_id: int, pair: PathPair) -> bool:
        known = self._db.execute(
            "SELECT stash_path, plex_path FROM path_pair WHERE scene_id = ?", (scene_id,)
        ).fetchone()
        return bool(known != (pair.stash, pair.plex))

    def check(self, libraries: Mapping[str, Sequence[str]]) -> None:
        """Drop pairs whose file Plex no longer lists, and work the rules out again."""
        with transaction(self._db):
            gone = [
                (scene_id,)
                for scene_id, path in self._db.execute(
                    "SELECT scene_id, plex_path FROM path_pair"
                ).fetchall()
                if not self._db.execute(
                    "SELECT 1 FROM plex_file WHERE name = ? AND path = ?",
                    (folded_name(path), path),
                ).fetchone()
            ]
            self._db.executemany("DELETE FROM path_pair WHERE scene_id = ?", gone)
            self._infer(libraries)

    def _infer(self, libraries: Mapping[str, Sequence[str]]) -> None:
        pairs = self._db.execute("SELECT stash_path, plex_path FROM path_pair ORDER BY scene_id")
        locations = [location for folders in libraries.values() for location in folders]
        rules = infer_rules([PathPair(*row) for row in pairs], locations)
        self._db.execute("DELETE FROM path_rule")
        self._db.executemany(
            "INSERT OR REPLACE INTO path_rule (stash_root, plex_root, support, contradictions,"
            " examples) VALUES (?, ?, ?, ?, ?)",
            [
                (
                    *rule.rule,
                    rule.support,
                    rule.contradictions,
                    json.dumps([[pair.stash, pair.plex] for pair in rule.examples]),
                )
                for rule in rules
            ],
        )


def inferred_rules(connection: sqlite3.Connection) -> tuple[InferredRule, ...]:
    """Read the rules that were worked out, best supported first; not all are trusted."""
    examples = {
        (stash, plex): tuple(
            PathPair(*pair)
            for pair in load_list(text)
            if isinstance(pair, list) and len(pair) == len(PathPair.__attrs_attrs__)
        )
        for stash, plex, text in connection.execute(
            "SELECT stash_root, plex_root, examples FROM path_rule"
        )
    }
    return tuple(evolve(rule, examples=examples[rule.rule]) for rule in _read_rules(connection))


def _read_rules(connection: sqlite3.Connection) -> list[InferredRule]:
    """Read the rules without their examples, because this happens for every scene."""
    rows = connection.execute(
        "SELECT stash_root, plex_root, support, contradictions FROM path_rule"
        " ORDER BY support DESC, stash_root"
    )
    return [
        InferredRule((stash, plex), support, contradictions, ())
        for stash, plex, support, contradictions in rows
    ]
