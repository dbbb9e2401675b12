"""A preview to the letter: each kind of change, several of each, and the counts."""

from __future__ import annotations

from collections import Counter

from stash2plex.model import Field
from stash2plex.operations.preview import FieldPreview, Preview, ScenePreview, Unmatched
from stash2plex.ui.lines.preview import preview_lines

LONG = "x" * 60


def make_scene(scene_id, *fields, pictures=(), locks=(), kept=()):
    return ScenePreview(
        scene_id, f"Pier {scene_id}", "7", "file name", fields, pictures, locks, kept
    )


def test_a_preview_without_scenes():
    assert preview_lines(Preview()) == [
        "0 scenes of 0 would change. 0 without a change. Nothing was written."
    ]


def test_every_line_of_a_preview():
    scenes = [
        make_scene(
            1,
            FieldPreview(Field.TITLE, None, LONG),
            FieldPreview(Field.SUMMARY, "two\n lines", LONG + "y"),
            FieldPreview(Field.TAGLINE, "By hand", ""),
            FieldPreview(Field.RATING, 7.5, 8.0),
            FieldPreview(Field.TAGS, ("Old",), ("Fog", "Ebb"), ("Fog", "Ebb"), ("Old", "Dusk")),
        ),
        make_scene(
            2,
            pictures=(Field.POSTER, Field.BACKGROUND),
            locks=(Field.TITLE, Field.STUDIO),
            kept=(Field.DATE, Field.TAGS),
        ),
        make_scene(3, FieldPreview(Field.TAGS, ("Old",), (), (), ("Old",)), locks=(Field.DATE,)),
    ]
    preview = Preview(
        seen=1_234,
        settled=1_000,
        unchanged=5,
        left_out=1_002,
        changing=4,
        not_matched=1_003,
        scenes=scenes,
        problems=[Unmatched(8, "Quay", "ambiguous", "Two fit."), Unmatched(9, "", "x", "Gone.")],
        fields=Counter({Field.TITLE: 1_000, Field.TAGS: 2}),
    )
    counts = (
        "title of 1,000, tags of 2. 1,005 without a change, 1,002 left out: put back, by "
        "settings, or without metadata, 1,003 without a Plex item. Nothing was written."
    )
    assert preview_lines(preview) == [
        (
            f"Scene 1 “Pier 1”: title (nothing) → “{LONG}”; summary “two lines” → “{LONG[:59]}…”; "
            "tagline “By hand” → (nothing); rating 7.5 → 8; tags + “Fog”, + “Ebb”, − “Old”, "
            "− “Dusk”."
        ),
        (
            "Scene 2 “Pier 2”: new poster and background; a lock on title, studio; "
            "kept as you edited it in Plex: date, tags."
        ),
        "Scene 3 “Pier 3”: tags − “Old”; a lock on date.",
        "Scene 8: Two fit.",
        "Scene 9: Gone.",
        f"4 scenes of 1,234 would change (the first 3 are shown): {counts}",
    ]
    preview.changing = 3
    assert preview_lines(preview)[-1] == f"3 scenes of 1,234 would change: {counts}"
