"""Pure: which Plex item holds a scene's file, or a reasoned refusal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from stash2plex.errors import Ambiguous, NotInPlexYet
from stash2plex.model import Match, PlexFile, Scene, StashFile

SHOWN = 5
"""Candidates named in a message."""


def split_path(path: str) -> list[str]:
    """Split a path of any system into its parts, in one Unicode form.

    macOS and SMB hand out decomposed letters (plex.md §6.4).
    """
    return [part for part in re.split(r"[\\/]+", unicodedata.normalize("NFC", path)) if part]


def folded_name(path: str) -> str:
    """Return the file name as the index knows it: one case, one Unicode form."""
    parts = split_path(path)
    return parts[-1].casefold() if parts else ""


def map_path(path: str, rules: Sequence[tuple[str, str]]) -> list[str]:
    """Rewrite a path of Stash to one of Plex by the longest fitting rule; parts in, parts out."""
    parts = split_path(path)
    best: list[str] | None = None
    longest = -1
    for source, target in rules:
        head = split_path(source)
        if len(head) > longest and _same(parts[: len(head)], head):
            best = split_path(target) + parts[len(head) :]
            longest = len(head)
    return parts if best is None else best


def match_scene(
    scene: Scene,
    candidates: Sequence[PlexFile],
    rules: Sequence[tuple[str, str]],
    *,
    loose: bool,
) -> Match:
    """Find the item of a scene among the Plex files that have one of its file names.

    The scene's files are tried in order, the primary one first. Levels, best first: the whole
    mapped path; the longest common tail of folders and name; name and size; the name alone where
    a size is not known. Several items at the best level are refused, unless `loose`.

    Raises NotInPlexYet and Ambiguous.
    """
    if not scene.files:
        raise NotInPlexYet(f"“{scene.label}” has no file in Stash, so Plex cannot have it.")
    near: list[PlexFile] = []
    for file in scene.files:
        name = folded_name(file.path)
        same_name = [found for found in candidates if folded_name(found.path) == name]
        near += same_name
        level, best = _best_level(file, same_name, rules)
        if not best:
            continue
        if len({found.rating_key for found in best}) == 1 or loose:
            return Match(
                min(best, key=lambda found: (len(found.rating_key), found.rating_key)), level
            )
        raise Ambiguous(
            f"“{scene.label}” fits {len({found.rating_key for found in best})} Plex items equally "
            f"well by {level}: {_shown(best)}. Set path_map, name the right plex_library, or turn "
            "on loose_matching."
        )
    where = f"No Plex file fits “{scene.files[0].path}”."
    if near:
        where += f" Of the same name but another folder and size: {_shown(near)}."
    raise NotInPlexYet(f"“{scene.label}” is not in Plex yet. {where}")


def _best_level(
    file: StashFile, same_name: Sequence[PlexFile], rules: Sequence[tuple[str, str]]
) -> tuple[str, list[PlexFile]]:
    wanted = map_path(file.path, rules)
    whole = [found for found in same_name if split_path(found.path) == wanted]
    if not whole:
        whole = [found for found in same_name if _same(split_path(found.path), wanted)]
    if whole:
        return "the whole path", whole
    tails = [(_common_tail(split_path(found.path), wanted), found) for found in same_name]
    longest = max((tail for tail, _ in tails), default=0)
    if longest > 1:
        best = [found for tail, found in tails if tail == longest]
        if len({found.rating_key for found in best}) > 1:
            by_size = [found for found in best if file.size and found.size == file.size]
            best = by_size or best
        return "the end of the path", best
    by_size = [found for found in same_name if file.size and found.size == file.size]
    if by_size:
        return "file name and size", by_size
    return "the file name", [found for found in same_name if not (file.size and found.size)]


def _same(left: Sequence[str], right: Sequence[str]) -> bool:
    return [part.casefold() for part in left] == [part.casefold() for part in right]


def _common_tail(left: Sequence[str], right: Sequence[str]) -> int:
    length = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one.casefold() != other.casefold():
            break
        length += 1
    return length


def _shown(files: Sequence[PlexFile]) -> str:
    paths = list(dict.fromkeys(found.path for found in files))
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(f"“{path}”" for path in paths[:SHOWN]) + more
