"""What a sync would write, in words."""

from __future__ import annotations

from stash2plex.operations.preview import FieldPreview, Preview, ScenePreview
from stash2plex.text import count

TEXT_SHOWN = 60
"""How many characters of a value are shown."""


def preview_lines(preview: Preview) -> list[str]:
    """Return a line for each scene that is shown, then the counts of all."""
    lines = [scene_line(scene) for scene in preview.scenes]
    lines += [f"Scene {scene.scene_id}: {scene.error}" for scene in preview.problems]
    text = f"{count(preview.changing, 'scene')} of {preview.seen:,} would change"
    if preview.changing > len(preview.scenes):
        text += f" (the first {len(preview.scenes)} are shown)"
    if preview.fields:
        text += ": " + ", ".join(
            f"{name} of {number:,}" for name, number in preview.fields.most_common()
        )
    text += f". {preview.unchanged + preview.settled:,} without a change"
    if preview.left_out:
        text += f", {preview.left_out:,} left out: put back, by settings, or without metadata"
    if preview.not_matched:
        text += f", {preview.not_matched:,} without a Plex item"
    return [*lines, f"{text}. Nothing was written."]


def scene_line(scene: ScenePreview) -> str:
    """Return what would be written for a scene, and what stays as the user edited it in Plex."""
    parts = [field_words(field) for field in scene.fields]
    if scene.pictures:
        parts.append(f"new {' and '.join(scene.pictures)}")
    if scene.locks:
        parts.append(f"a lock on {', '.join(scene.locks)}")
    if scene.kept:
        parts.append(f"kept as you edited it in Plex: {', '.join(scene.kept)}")
    return f"Scene {scene.scene_id} “{scene.title}”: {'; '.join(parts)}."


def field_words(field: FieldPreview) -> str:
    """Return the change of a field: old and new value, or what a list gains and loses."""
    if isinstance(field.becomes, tuple):
        parts = [f"+ {_quoted(value)}" for value in field.added]
        parts += [f"− {_quoted(value)}" for value in field.removed]
        return f"{field.name} {', '.join(parts)}"
    return f"{field.name} {_quoted(field.held)} → {_quoted(field.becomes)}"


def _quoted(value: object) -> str:
    if value is None or value == "":
        return "(nothing)"
    if isinstance(value, float):
        return f"{value:g}"
    text = " ".join(str(value).split())
    return f"“{text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + '…'}”"
