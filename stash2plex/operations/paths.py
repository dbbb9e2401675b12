"""How Stash's paths map to Plex's, shown with the user's own files; a rule can be tried first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from stash2plex.app import App
from stash2plex.config import Settings
from stash2plex.errors import UsageError
from stash2plex.model import Scene
from stash2plex.operations.health.match_checks import Pair
from stash2plex.path_map_setting import read_path_rules
from stash2plex.rules.matching import Explanation, split_path
from stash2plex.rules.path_inference import same_file
from stash2plex.store.path_rules import inferred_rules
from stash2plex.sync.finder import explain_scene
from stash2plex.text import utc

SAMPLE = 300
"""How many scenes, chosen at random, are looked up; a user with more is shown of how many."""

EXAMPLES, FOLDERS = 3, 20
"""How many examples are shown, and how many folders that Plex does not have."""


def paths_json(app: App, path_map: str | None) -> dict[str, Any]:
    """Look up a sample of scenes with the present rules, or with a trial, which is not saved.

    If Plex was never listed, it is listed now. Raises UsageError for a rule that cannot be read,
    and what the clients raise.
    """
    session = app.open_session()
    settings, source = _rules_of(session.settings, path_map)
    if not app.store.plex_files.titles():
        session.index.adopt_server(session.plex.check_token().machine_id)
        session.index.refresh(session.settings.plex_library)
    total, scenes = app.stash.sample(SAMPLE, app.random.randrange(10**8))
    if not settings.path_map:
        _learn(app, scenes)
    looked = [(scene, explain_scene(app.store, settings, scene)) for scene in scenes]
    pairs = [
        (scene, _pair(scene, explanation)) for scene, explanation in looked if explanation.match
    ]
    missing = [scene for scene, explanation in looked if explanation.match is None]
    folders = Counter(_folder(scene.files[0].path) for scene in missing if scene.files)
    rules = _rules_json(app, settings)
    return {
        "source": source,
        "rules": rules,
        "words": _words(rules, bool(pairs)),
        "examples": [_example(scene, pair) for scene, pair in _varied(pairs)],
        "matched": len(pairs),
        "total": len(scenes),
        "scenes": total,
        "as_of": utc(app.clock()),
        "missing": [
            {"folder": folder, "scenes": number} for folder, number in folders.most_common(FOLDERS)
        ],
        "missing_total": len(missing),
        "problem": None if scenes or not total else "Stash answered no scenes.",
    }


def _rules_of(settings: Settings, path_map: str | None) -> tuple[Settings, str]:
    if path_map is None:
        return settings, "setting" if settings.path_map else "worked_out"
    try:
        return evolve(settings, path_map=read_path_rules(path_map)), "trial"
    except ValueError:
        raise UsageError(
            "This path map cannot be read.",
            "Write /stash/prefix=>/plex/prefix, several with ; between them.",
        ) from None


def _learn(app: App, scenes: Sequence[Scene]) -> None:
    """Work out the rules from files that certainly are the same, as a drain does."""
    files = app.store.plex_files
    pairs = [
        (scene.id, pair)
        for scene in scenes
        for file in scene.files[:1]
        if (pair := same_file(file, files.candidates([file.path])))
    ]
    app.store.path_rules.note(pairs, files.locations())


def _pair(scene: Scene, explanation: Explanation) -> Pair:
    assert explanation.match is not None
    file = explanation.file or scene.files[0]
    return Pair(file.path, explanation.match.file.path)


def _varied(pairs: Sequence[tuple[Scene, Pair]]) -> list[tuple[Scene, Pair]]:
    """Choose examples, from different folders where there are any."""
    first: dict[object, tuple[Scene, Pair]] = {}
    for scene, pair in pairs:
        first.setdefault(pair.heads(), (scene, pair))
    others = [pair for pair in pairs if pair not in first.values()]
    return [*first.values(), *others][:EXAMPLES]


def _example(scene: Scene, pair: Pair) -> dict[str, Any]:
    ours, theirs = pair.heads()
    return {
        "scene_id": scene.id,
        "title": scene.label,
        "stash": pair.ours,
        "plex": pair.theirs,
        "stash_root": ours,
        "plex_root": theirs,
    }


def _rules_json(app: App, settings: Settings) -> list[dict[str, Any]]:
    if settings.path_map:
        return [
            {"stash": ours, "plex": theirs, "files": None} for ours, theirs in settings.path_map
        ]
    return [
        {"stash": inferred.rule[0], "plex": inferred.rule[1], "files": inferred.support}
        for inferred in inferred_rules(app.store.connection)
        if inferred.trusted
    ]


def _words(rules: Sequence[dict[str, Any]], found: bool) -> str:
    if rules:
        return "; ".join(
            f"“{rule['stash']}” in Stash is “{rule['plex']}” in Plex" for rule in rules
        )
    return "Files are found without a rule." if found else "No file was found in Plex yet."


def _folder(path: str) -> str:
    parts = split_path(path)
    return path[: len(path) - len(parts[-1])].rstrip("/\\") or "/" if parts else path
