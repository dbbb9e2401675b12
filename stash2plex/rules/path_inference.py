"""Pure: works out how folders in Stash read in Plex, from files that are certainly the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from attrs import frozen

from stash2plex.model import PlexFile, StashFile
from stash2plex.rules.matching import (
    Rule,
    common_tail,
    folded_name,
    folded_parts,
    is_below,
    map_path,
    rule_for,
)

MIN_SUPPORT = 3
"""How many files must agree before a rule counts."""

SUPPORT_A_CONTRADICTION = 4
"""How many files must agree for each that does not: single files are sometimes moved."""

EXAMPLES = 3

Parts = tuple[str, ...]
Roots = tuple[Parts, Parts]


@frozen
class PathPair:
    """The path of one file in Stash and in Plex."""

    stash: str
    plex: str


@frozen
class InferredRule:
    """A rule that was worked out: how many files agree with it, and how many do not."""

    rule: Rule
    support: int
    contradictions: int
    examples: tuple[PathPair, ...]

    @property
    def trusted(self) -> bool:
        """Whether matching may use the rule."""
        enough = max(MIN_SUPPORT, SUPPORT_A_CONTRADICTION * self.contradictions)
        return self.support >= enough


def same_file(file: StashFile, candidates: Sequence[PlexFile]) -> PathPair | None:
    """Return the pair of paths if a Plex file certainly is the file in Stash.

    That is so if Plex has one file of that name, and the sizes are equal. If a size is unknown, the
    paths must have a folder in common.
    """
    name = folded_name(file.path)
    namesakes = [candidate for candidate in candidates if folded_name(candidate.path) == name]
    if len(namesakes) != 1:
        return None
    known = bool(file.size and namesakes[0].size)
    tail = common_tail(folded_parts(file.path), folded_parts(namesakes[0].path))
    if (file.size == namesakes[0].size) if known else tail > 1:
        return PathPair(file.path, namesakes[0].path)
    return None


def roots_of(pair: PathPair) -> Roots:
    """Remove the common end of both paths, which leaves two names of the same folder."""
    stash, plex = folded_parts(pair.stash), folded_parts(pair.plex)
    tail = common_tail(stash, plex)
    return stash[: len(stash) - tail], plex[: len(plex) - tail]


def infer_rules(
    pairs: Iterable[PathPair], locations: Sequence[str] = ()
) -> tuple[InferredRule, ...]:
    """Return the rules that the pairs agree on, best supported first.

    A rule never reaches above a library's `locations`. If one folder in Stash is several in Plex,
    its sub-folders get separate rules.
    """
    known = list(dict.fromkeys(pairs))
    folders = [folded_parts(location) for location in locations]
    grouped: dict[Roots, list[PathPair]] = {}
    for pair in known:
        grouped.setdefault(_at_location(pair, folders), []).append(pair)
    groups = _apart(grouped)
    chosen: dict[Parts, list[PathPair]] = {}
    for (stash, _), members in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        if len(members) >= MIN_SUPPORT:
            chosen.setdefault(stash, members)
    rules = [
        _spelled(members, len(stash), len(_plex_root(stash, members)))
        for stash, members in chosen.items()
    ]
    support: Counter[Rule] = Counter()
    against: Counter[Rule] = Counter()
    examples: dict[Rule, list[PathPair]] = {rule: [] for rule in rules}
    for pair in known:
        rule = rule_for(pair.stash, rules)
        if rule is None:
            continue
        if folded_parts(map_path(pair.stash, [rule])) == folded_parts(pair.plex):
            support[rule] += 1
            examples[rule] = [*examples[rule], pair][:EXAMPLES]
        else:
            against[rule] += 1
    inferred = [
        InferredRule(rule, support[rule], against[rule], tuple(examples[rule])) for rule in rules
    ]
    return tuple(sorted(inferred, key=lambda rule: (-rule.support, rule.rule)))


def _at_location(pair: PathPair, locations: Sequence[Parts]) -> Roots:
    """Return the roots of a pair; Plex's root is at least as long as its library's location."""
    stash, plex = folded_parts(pair.stash), folded_parts(pair.plex)
    roots = roots_of(pair)
    reach = max((len(location) for location in locations if is_below(plex, location)), default=0)
    return _longer(stash, plex, roots, reach - len(roots[1]))


def _longer(stash: Parts, plex: Parts, roots: Roots, by: int) -> Roots:
    """Lengthen the roots by folders of the common end, but never by the file name."""
    more = min(max(0, by), len(plex) - len(roots[1]) - 1)
    return stash[: len(roots[0]) + more], plex[: len(roots[1]) + more]


def _apart(groups: dict[Roots, list[PathPair]]) -> dict[Roots, list[PathPair]]:
    """Lengthen the roots if one folder in Stash seems to be several in Plex.

    Files directly in that folder do not distinguish its sub-folders, so they do not count.
    """
    while True:
        several = Counter(
            roots[0]
            for roots, members in groups.items()
            if sum(_lengthened(pair, roots) != roots for pair in members) >= MIN_SUPPORT
        )
        split: dict[Roots, list[PathPair]] = {}
        for roots, members in groups.items():
            for pair in members:
                longer = _lengthened(pair, roots) if several[roots[0]] > 1 else roots
                split.setdefault(longer, []).append(pair)
        if split.keys() == groups.keys():
            return split
        groups = split


def _lengthened(pair: PathPair, roots: Roots) -> Roots:
    return _longer(folded_parts(pair.stash), folded_parts(pair.plex), roots, 1)


def _plex_root(stash: Parts, members: Sequence[PathPair]) -> Parts:
    tail = len(folded_parts(members[0].stash)) - len(stash)
    plex = folded_parts(members[0].plex)
    return plex[: len(plex) - tail]


def _spelled(members: Sequence[PathPair], stash: int, plex: int) -> Rule:
    """Return the roots in the spelling that most of the paths use."""
    spellings = Counter((head(pair.stash, stash), head(pair.plex, plex)) for pair in members)
    return max(sorted(spellings), key=lambda roots: spellings[roots])


def head(path: str, parts: int) -> str:
    r"""Return the first `parts` parts of a path, spelled as they are; “/” or “\” for none."""
    match = re.match(rf"[\\/]*(?:[^\\/]+[\\/]+){{{parts:d}}}", path)
    text = match[0] if match else path
    return text.rstrip("\\/") or ("\\" if path.startswith("\\") else "/")
