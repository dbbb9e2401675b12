"""Pure: finds the Plex item that holds a scene's file, or refuses with a reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import evolve, frozen

from stash2plex.errors import Ambiguous, NotInPlexYet
from stash2plex.model import Match, PlexFile, Scene, StashFile

SHOWN = 5
"""How many candidates a message names."""

Rule = tuple[str, str]
"""A folder in Stash, and the same folder as Plex sees it."""


class Level(StrEnum):
    """How a Plex file was matched to the scene's file, best first."""

    CHOSEN = "your choice"
    WHOLE_PATH = "the whole path"
    PATH_END = "the end of the path"
    NAME_AND_SIZE = "file name and size"
    NAME = "the file name"


LEVELS = tuple(Level)
CONFIDENCE = {
    Level.CHOSEN: "certain",
    Level.WHOLE_PATH: "certain",
    Level.PATH_END: "high",
    Level.NAME_AND_SIZE: "high",
    Level.NAME: "low",
}
"""How certain a level is; a choice among several equal candidates is “low”."""


@frozen
class Candidate:
    """A Plex file with the same name as the scene's file, and how the two compare.

    `level` is None if it cannot be the scene's file. `tail` counts the folders and the name that
    both paths end with. `same_size` is None if a size is unknown. `why` is why it was not chosen,
    empty for the chosen one.
    """

    file: PlexFile
    level: Level | None
    tail: int
    same_size: bool | None
    why: str = ""


@frozen
class Explanation:
    """Why a scene was matched to an item, or why it was refused.

    `file` is the scene's file that decided. `mapped_path` is its path as Plex should see it, by
    `rule` if one covers it (`rule_inferred`: worked out, not set). `reason` is “not_in_plex” or
    “ambiguous”, with the sentence in `refusal`, or both are empty. `shared_with` are other scenes
    whose files are in the same Plex item.
    """

    scene_id: int
    label: str
    file: StashFile | None = None
    mapped_path: str = ""
    rule: Rule | None = None
    rule_inferred: bool = False
    match: Match | None = None
    confidence: str = ""
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""
    refusal: str = ""
    shared_with: tuple[int, ...] = ()

    @property
    def match_or_error(self) -> Match | NotInPlexYet | Ambiguous:
        """The match, or the refusal as an error."""
        if self.match is not None:
            return self.match
        return (Ambiguous if self.reason == Ambiguous.reason else NotInPlexYet)(self.refusal)


# -- paths --------------------------------------------------------------------------------


def split_path(path: str) -> list[str]:
    """Split a path of any system into its parts, in one Unicode form.

    macOS and SMB return decomposed letters (plex.md §6.4).
    """
    return _parts(unicodedata.normalize("NFC", path))


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part]


def folded_parts(path: str) -> tuple[str, ...]:
    """Split a path and fold its case, so that two spellings of the same path are equal."""
    return tuple(_parts(unicodedata.normalize("NFC", path).casefold()))


def folded_name(path: str) -> str:
    """Return the file name as the index stores it: case-folded, in one Unicode form."""
    parts = split_path(path)
    return parts[-1].casefold() if parts else ""


def folded_ends(path: str) -> tuple[str, str]:
    """Return the names of a file and of its parent folder (or “”), folded."""
    parts = split_path(path)
    name = parts[-1].casefold() if parts else ""
    return name, parts[-2].casefold() if len(parts) > 1 else ""


def rule_for(path: str, rules: Sequence[Rule]) -> Rule | None:
    """Return the rule with the longest folder that contains a path in Stash."""
    folded = folded_parts(path)
    fitting = [rule for rule in rules if is_below(folded, folded_parts(rule[0]))]
    return max(fitting, key=lambda rule: len(split_path(rule[0])), default=None)


def is_below(parts: Sequence[str], folder: Sequence[str]) -> bool:
    """Return whether a path is inside a folder; both are split."""
    return len(parts) > len(folder) and tuple(parts[: len(folder)]) == tuple(folder)


def map_path(path: str, rules: Sequence[Rule]) -> str:
    """Rewrite a path in Stash to the path in Plex, with the separators of Plex's system."""
    rule = rule_for(path, rules)
    if rule is None or folded_parts(rule[0]) == folded_parts(rule[1]):
        return path
    separator = "\\" if "\\" in rule[1] else "/"
    rest = _parts(path)[len(split_path(rule[0])) :]
    return separator.join([rule[1].rstrip("\\/"), *rest])


def _sources(path: str, rules: Sequence[Rule]) -> list[tuple[str, ...]]:
    """List the folded paths in Stash that a path in Plex may stand for, by the rules."""
    folded = folded_parts(path)
    fitting = [rule for rule in rules if is_below(folded, folded_parts(rule[1]))]
    deepest = max((len(split_path(target)) for _, target in fitting), default=0)
    return [
        folded_parts(source) + folded[deepest:]
        for source, target in fitting
        if len(split_path(target)) == deepest
    ]


def common_tail(left: Sequence[str], right: Sequence[str]) -> int:
    """Count the parts that two split paths have in common at their ends."""
    length = 0
    for ours, theirs in zip(reversed(left), reversed(right), strict=False):
        if ours != theirs:
            break
        length += 1
    return length


# -- matching -----------------------------------------------------------------------------


def explain(
    scene: Scene,
    candidates: Sequence[PlexFile],
    rules: Sequence[Rule],
    *,
    inferred: bool = False,
    loose: bool = False,
    titles: Mapping[str, str] | None = None,
) -> Explanation:
    """Find a scene's item among the Plex files with one of its file names, and explain the choice.

    The scene's files are tried in order, the primary one first. Levels, best first: the whole
    mapped path; the longest common tail of folders and name; name and size; the name alone if a
    size is unknown. A file of another size is another file, unless its whole path is the same,
    either as it is or by a rule that the user set. If rules map a Plex file to another file in
    Stash, only an equal size outweighs them. `inferred` rules were worked out; they only promote
    files that agree with them. Several items at the best level are refused, unless `loose`.
    `titles` are the names of the libraries by id.
    """
    if not scene.files:
        return Explanation(
            scene.id,
            scene.label,
            reason=NotInPlexYet.reason,
            refusal=f"“{scene.label}” has no file in Stash, so Plex cannot have it.",
        )
    missed: list[Explanation] = []
    for file in scene.files:
        explanation = _explain_file(
            scene, file, candidates, rules, inferred=inferred, loose=loose, titles=titles or {}
        )
        if explanation.reason != NotInPlexYet.reason:
            return explanation
        missed.append(explanation)
    near = tuple(
        dict.fromkeys(candidate for explanation in missed for candidate in explanation.candidates)
    )
    refusal = f"“{scene.label}” is not in Plex yet. No Plex file fits “{scene.files[0].path}”."
    if near:
        refusal += f" Of the same name but another folder and size: {_shown(near)}."
    return evolve(missed[0], candidates=near, refusal=refusal)


def follow_choice(
    explanation: Explanation, file: StashFile, chosen: Sequence[PlexFile]
) -> Explanation:
    """Return the explanation of a scene for which the user chose an item.

    `chosen` are the Plex files with the path that the user chose; if Plex lists none, the
    explanation stays as it is.
    """
    if not chosen:
        return explanation
    items = {candidate.rating_key: candidate for candidate in chosen}
    first, *others = items.values()
    return evolve(
        explanation,
        file=file,
        match=Match(first, Level.CHOSEN, tuple(others)),
        confidence=CONFIDENCE[Level.CHOSEN],
        candidates=tuple(
            candidate
            if candidate.file.rating_key not in items
            else evolve(candidate, level=Level.CHOSEN, why="")
            for candidate in explanation.candidates
        ),
        reason="",
        refusal="",
    )


def _explain_file(
    scene: Scene,
    file: StashFile,
    candidates: Sequence[PlexFile],
    rules: Sequence[Rule],
    *,
    inferred: bool,
    loose: bool,
    titles: Mapping[str, str],
) -> Explanation:
    rule = rule_for(file.path, rules)
    mapped = file.path if rule is None else map_path(file.path, [rule])
    is_sure = rule is None or not inferred
    judged = sorted(_judge(file, mapped, candidates, rules, is_sure=is_sure), key=_rank)
    plain = Explanation(
        scene.id,
        scene.label,
        file=file,
        mapped_path=mapped,
        rule=rule,
        rule_inferred=inferred and rule is not None,
        candidates=tuple(judged),
        reason=NotInPlexYet.reason,
    )
    if not judged or judged[0].level is None:
        return plain
    level = judged[0].level
    best = _best(judged, mapped)
    chosen = best[0]
    items = {candidate.file.rating_key for candidate in best}
    also = _elsewhere(best)
    others = tuple(
        evolve(
            candidate,
            why=candidate.why or _why_not(candidate, chosen, tie=candidate in best, also=also),
        )
        for candidate in judged
        if candidate is not chosen
    )
    if len(items) > 1 and not (loose or also):
        return evolve(
            plain,
            candidates=(evolve(chosen, why=_why_not(chosen, chosen, tie=True, also=())), *others),
            reason=Ambiguous.reason,
            refusal=f"“{scene.label}” fits {len(items)} Plex items equally well by {level}: "
            f"{_shown(best, titles)}. Set Path map, enter the right library in Plex library, or "
            "turn on Loose matching.",
        )
    return evolve(
        plain,
        match=Match(chosen.file, level, also),
        confidence="low" if len(items) > 1 and not also else CONFIDENCE[level],
        candidates=(chosen, *others),
        reason="",
    )


def _judge(
    file: StashFile,
    mapped: str,
    candidates: Sequence[PlexFile],
    rules: Sequence[Rule],
    *,
    is_sure: bool,
) -> Iterator[Candidate]:
    """Judge the candidates that have the file's name; `mapped` is its path by the rule.

    A rule that is not sure, because it was inferred, needs the size to agree.
    """
    here, wanted = folded_parts(file.path), folded_parts(mapped)
    name = folded_name(file.path)
    for plex_file in candidates:
        there = folded_parts(plex_file.path)
        if there[-1:] == (name,):
            same_size = file.size == plex_file.size if file.size and plex_file.size else None
            tail = max(common_tail(here, there), common_tail(wanted, there))
            candidate = Candidate(plex_file, None, tail, same_size)
            trusted = is_sure or wanted == here
            if there == wanted and (trusted or same_size is not False):
                yield evolve(candidate, level=Level.WHOLE_PATH)
            else:
                yield _judge_end(candidate, file, here, rules)


def _best(judged: Sequence[Candidate], mapped: str) -> list[Candidate]:
    """Return the candidates that fit as well as the first of them."""
    best = [candidate for candidate in judged if _rank(candidate)[:-1] == _rank(judged[0])[:-1]]
    if judged[0].level is Level.WHOLE_PATH:
        # Two files may differ only in case, if Plex's system distinguishes that.
        spelled = split_path(mapped)
        return [
            candidate for candidate in best if split_path(candidate.file.path) == spelled
        ] or best
    return best


def _judge_end(
    candidate: Candidate, file: StashFile, here: tuple[str, ...], rules: Sequence[Rule]
) -> Candidate:
    """Judge a Plex file whose whole path differs."""
    if candidate.same_size is False:
        why = f"its size differs: {candidate.file.size:,} bytes, {file.size:,} in Stash"
        return evolve(candidate, why=why)
    sources = _sources(candidate.file.path, rules) if candidate.same_size is None else []
    if sources and here not in sources:
        return evolve(candidate, why="by the path map it is another file in Stash")
    if candidate.tail > 1:
        return evolve(candidate, level=Level.PATH_END)
    return evolve(candidate, level=Level.NAME_AND_SIZE if candidate.same_size else Level.NAME)


def _rank(candidate: Candidate) -> tuple[int, int, bool, tuple[int, str, str]]:
    """Return a sort key, best first. Candidates that differ only in its last place are equal."""
    file = candidate.file
    by_tail = candidate.level is Level.PATH_END
    return (
        len(LEVELS) if candidate.level is None else LEVELS.index(candidate.level),
        -candidate.tail if by_tail else 0,
        by_tail and candidate.same_size is not True,
        (len(file.rating_key), file.rating_key, file.path),
    )


def _elsewhere(best: Sequence[Candidate]) -> tuple[PlexFile, ...]:
    """Return the other items of a file that lies in several libraries; none if it does not."""
    files = {candidate.file.rating_key: candidate.file for candidate in best}
    paths = {tuple(split_path(file.path)) for file in files.values()}
    sections = {file.section_id for file in files.values()}
    if len(paths) > 1 or len(sections) < len(files):
        return ()
    return tuple(files.values())[1:]


def _why_not(
    candidate: Candidate, chosen: Candidate, *, tie: bool, also: Sequence[PlexFile]
) -> str:
    if candidate.file in also:
        return "the same file in another library, which follows"
    if candidate.file.rating_key == chosen.file.rating_key and candidate is not chosen:
        return "another file of the same item"
    if tie:
        return "it fits equally well"
    if candidate.level is chosen.level and candidate.tail < chosen.tail:
        return "the paths agree in fewer folders"
    if candidate.level is Level.WHOLE_PATH:
        return "its path has other upper and lower case"
    if candidate.level is chosen.level:
        return "its size is not known"
    return f"another one fits better, by {chosen.level}"


def _shown(candidates: Sequence[Candidate], titles: Mapping[str, str] | None = None) -> str:
    """List paths in Plex, with their libraries if those are known."""
    named = titles or {}
    places = dict.fromkeys(
        (candidate.file.path, named.get(candidate.file.section_id)) for candidate in candidates
    )
    shown = [f"“{path}”" + (f" in “{title}”" if title else "") for path, title in places]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more
