"""Checks the matching: how many scenes of a sample have a Plex item, and by which paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import define, field, frozen

from stash2plex.app import App
from stash2plex.config import Settings
from stash2plex.errors import Ambiguous, Stash2PlexError
from stash2plex.model import Scene, Section
from stash2plex.operations.health.checks import Check, blocked, failed, failed_with, passed
from stash2plex.rules.matching import Explanation, map_path, split_path
from stash2plex.rules.path_inference import InferredRule
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.store.path_rules import inferred_rules
from stash2plex.sync.finder import match_by_index
from stash2plex.sync.session import Store
from stash2plex.text import count

MATCHES, PATHS = "matches", "path mapping"

SAMPLE = 100
"""How many scenes are matched for the report."""

MAX_LISTED = 10_000
"""Libraries of up to this many items are listed for the report, if no drain has done so yet."""

MIN_SHARE = 0.5
"""Share of matches below which the set-up counts as wrong."""


@frozen
class Pair:
    """A file that was matched: its path in Stash and in Plex."""

    ours: str
    theirs: str

    def heads(self) -> tuple[str, str]:
        """Return both paths without their common end."""
        left, right = split_path(self.ours), split_path(self.theirs)
        while left and right and left[-1].casefold() == right[-1].casefold():
            left.pop()
            right.pop()
        return _joined(left, self.ours), _joined(right, self.theirs)


@define
class MatchChecks:
    """Matches a sample of scenes, chosen at random by `seed`, against the chosen libraries."""

    app: App
    stash: Stash
    plex: Plex
    settings: Settings
    sections: Sequence[Section]
    seed: int
    _pairs: list[Pair] = field(factory=list)
    _unclear: list[Scene] = field(factory=list)
    _missing: list[Scene] = field(factory=list)

    def run(self) -> list[Check]:
        """Check the matches, and from them the path mapping.

        Small libraries that no drain has listed yet are listed into a copy of the database, because
        a drain may be listing them into the real one.
        """
        try:
            if self.app.store.plex_files.titles():
                return self._run(self.app.store)
            if (
                sum(self.plex.list_page(section.id, 0).total for section in self.sections)
                > MAX_LISTED
            ):
                return self._nothing_yet("the first sync lists the library")
            with self.app.rehearsal() as copy:
                copy.make_index(self.plex).refresh(self.settings.plex_library)
                return self._run(copy.store)
        except Stash2PlexError as error:
            return self._without_paths(failed_with(MATCHES, error, "Run the check again later."))

    def _run(self, store: Store) -> list[Check]:
        total, scenes = self.stash.sample(SAMPLE, self.seed)
        scenes = sorted((scene for scene in scenes if scene.files), key=lambda scene: scene.id)
        if not scenes:
            return self._nothing_yet("Stash has no scene with a file")
        for scene in scenes:
            self._match(scene, match_by_index(store, self.settings, scene))
        return [
            self._matches(total, len(scenes), store.plex_files.some_path()),
            self._paths(inferred_rules(store.connection)),
        ]

    def _nothing_yet(self, why: str) -> list[Check]:
        return [passed(name, f"Nothing yet: {why}.") for name in (MATCHES, PATHS)]

    def _without_paths(self, check: Check) -> list[Check]:
        return [check, blocked(PATHS, MATCHES)]

    def _match(self, scene: Scene, explanation: Explanation) -> None:
        if explanation.match is None:
            (self._unclear if explanation.reason == Ambiguous.reason else self._missing).append(
                scene
            )
            return
        path = explanation.match.file.path
        name = split_path(path)[-1:]
        same = [file.path for file in scene.files if split_path(file.path)[-1:] == name]
        self._pairs.append(Pair((same or [scene.files[0].path])[0], path))

    def _matches(self, total: int, looked_at: int, there: str | None) -> Check:
        share = len(self._pairs) / looked_at
        words = (
            f"{len(self._pairs)} of {count(looked_at, 'scene')} looked at have a Plex item "
            f"({100 * share:.0f} %)"
        )
        if self._unclear:
            words += f", {len(self._unclear)} match several"
        if share >= MIN_SHARE:
            return passed(MATCHES, f"{words}. Stash has {count(total, 'scene')}.")
        if len(self._unclear) > len(self._missing):
            fix = "Set Path map or Plex library, so that only one item fits."
        else:
            example = f"Stash has “{self._missing[0].files[0].path}”"
            example += f", Plex has files such as “{there}”" if there else ""
            fix = (
                f"{example}. Scan the library in Plex, or enter the library that holds the same "
                "files in Plex library."
            )
        return failed(MATCHES, f"{words}.", fix)

    def _paths(self, inferred: Sequence[InferredRule]) -> Check:
        """Report how Stash's paths map to Plex's, and how many files support that."""
        rules = self.settings.path_map
        heads = Counter(pair.heads() for pair in self._pairs).most_common(3)
        if rules:
            right = sum(
                split_path(map_path(pair.ours, rules)) == split_path(pair.theirs)
                for pair in self._pairs
            )
            shown = "; ".join(f"“{source}” is “{target}” in Plex" for source, target in rules)
            words = f"{shown}: right for {right} of {len(self._pairs)} matches."
            if heads and not right:
                ours, theirs = heads[0][0]
                fix = f"Correct Path map, such as “{ours}=>{theirs}”, or empty it."
                return failed(PATHS, words, fix, 2)
            return passed(PATHS, words)
        if any(rule.trusted for rule in inferred):
            shown = "; ".join(
                f"“{rule.rule[0]}” is “{rule.rule[1]}” in Plex "
                f"({count(rule.support, 'file')} for it, {rule.contradictions:,} against)"
                for rule in inferred
                if rule.trusted
            )
            return passed(PATHS, f"Worked out: {shown}.")
        if not heads:
            return blocked(PATHS, MATCHES)
        shown = "; ".join(
            f"“{ours or '/'}” is “{theirs or '/'}” in Plex ({number} of {len(self._pairs)})"
            for (ours, theirs), number in heads
        )
        return passed(PATHS, f"No rule is set, and matches need none: {shown}.")


def _joined(parts: list[str], like: str) -> str:
    mark = "\\" if "\\" in like and "/" not in like else "/"
    # A share begins with two of them.
    lead = like[: len(like) - len(like.lstrip(mark))]
    return lead + mark.join(parts)
