"""What is known of a scene, in words."""

from __future__ import annotations

from stash2plex.operations.explain import CANDIDATES, SceneExplanation
from stash2plex.text import local


def explanation_lines(known: SceneExplanation) -> list[str]:
    """Return everything but the fields, one line a fact."""
    lines = [f"Scene {known.scene_id} “{known.title}”: {known.why}"]
    look = known.look
    if look is not None and look.match is not None:
        file = look.match.file
        lines.append(
            f"Plex item {file.rating_key}, “{file.path}”, found by {look.match.matched_by} "
            f"(confidence: {look.confidence})."
        )
    elif look is not None:
        lines += [
            (
                f"Candidate {candidate.file.rating_key}: “{candidate.file.path}”. {candidate.why}"
            ).strip()
            for candidate in look.candidates[:CANDIDATES]
        ]
    if known.record is not None and known.record.synced_at:
        lines.append(f"Last synced at {local(known.record.synced_at)}.")
    lines += [f"{local(failure.at)}: {failure.error}" for failure in known.key.history]
    lines += [f"Unknown at the moment. {text}" for text in known.unknown]
    return lines


def field_lines(known: SceneExplanation) -> list[str]:
    """Return the fields, one line each."""
    return [
        f"{view.name}: {view.state.replace('_', ' ')}; Stash {value_words(view.stash)}, "
        f"Plex {value_words(view.plex)}, last written {value_words(view.written)}."
        for view in known.fields
    ]


def value_words(value: object) -> str:
    """Return a field's value as short text."""
    if value is None or value in ("", ()):
        return "–"
    if isinstance(value, (tuple, list)):
        return ", ".join(str(entry) for entry in value) or "–"
    return f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
