"""All that is said of a way back: of scenes, and of the database's copies."""

from __future__ import annotations

import os

from attrs import evolve

from stash2plex.cli.restore import copy_lines, copy_row, restored_lines, restored_row
from stash2plex.copies import Copy, list_copies
from stash2plex.db import SCHEMA_NUMBER
from stash2plex.operations.undo import Forecast, UndoReport
from stash2plex.store.restore import Restored
from stash2plex.text import local
from stash2plex.ui.lines.undo import forecast_lines, report_lines

LEFT = ((7, "title", "theirs"), (8, "tags", "Plex does not keep it"))
FULL = Forecast(
    queued=1_234, back=5, theirs=2, cannot=3, gone=4, uploads=1, left=LEFT,
    pictures=1_005, own_pictures=1_002, may_stay=1_001,
)  # fmt: skip


def test_what_a_way_back_would_do():
    assert forecast_lines(evolve(FULL, queued=0)) == ["Nothing in Plex is left to put back."]
    assert forecast_lines(Forecast(queued=1)) == ["1 scene would be put back."]
    lines = forecast_lines(FULL)
    assert lines == [
        "1,234 scenes would be put back.",
        "2 values would stay: changed since Stash2Plex wrote them.",
        "3 values cannot come back.",
        "4 items gone from Plex, or of another Plex server.",
        ("1 picture that Stash2Plex sent would stay in Plex, unused: Plex cannot delete uploads."),
        "  scene 7, title: changed since, so it stays",
        "  scene 8, tags: Plex does not keep it",
        (
            "1,005 pictures would go back: 3 to the one that was chosen before, 1,002 to Plex's "
            "own choice. Where you chose another one since, it would stay; that is looked at only "
            "when it is done."
        ),
        (
            "1,001 of them may stay: a Plex older than 1.43 goes back to its own choice only if "
            "it has exactly one other picture."
        ),
    ]
    assert forecast_lines(evolve(FULL, may_stay=0))[-1] == (
        "Where Plex's own choice was a frame of the video, it may come back only at Plex's next "
        "refresh of the item."
    )
    assert forecast_lines(Forecast(queued=1, pictures=1)) == [
        "1 scene would be put back.",
        (
            "1 picture would go back: 1 to the one that was chosen before, 0 to Plex's own "
            "choice. Where you chose another one since, it would stay; that is looked at only "
            "when it is done."
        ),
    ]


def test_what_a_way_back_has_done():
    assert report_lines(UndoReport()) == ["0 scenes put back: 0 values."]
    report = UndoReport(evolve(FULL, queued=1, back=1), 2, 1, 1)
    assert report_lines(report) == [
        "1 scene put back: 1 value.",
        "2 values stay: changed since Stash2Plex wrote them.",
        "3 values cannot come back.",
        "4 items gone from Plex, or of another Plex server.",
        "1 picture that Stash2Plex sent stays in Plex, unused: Plex cannot delete uploads.",
        "  scene 7, title: changed since, so it stays",
        "  scene 8, tags: Plex does not keep it",
        "2 scenes still to be put back; nothing is lost.",
        "1 scene given up; “dlq list” shows why, and “dlq retry” tries again.",
        "1 scene not put back: taken in again, or removed from the queue meanwhile.",
    ]
    assert report.as_json() == {
        "scenes": 5, "done": 1, "waiting": 2, "given_up": 1, "withdrawn": 1, "put_back": 1,
        "theirs": 2, "cannot": 3, "gone": 4, "uploads": 1,
        "left": [
            {"scene_id": 7, "field": "title", "why": "theirs"},
            {"scene_id": 8, "field": "tags", "why": "Plex does not keep it"},
        ],
    }  # fmt: skip
    assert FULL.as_json() == {
        "queued": 1_234, "theirs": 2, "cannot": 3, "gone": 4, "pictures": 1_005,
        "own_pictures": 1_002, "may_stay": 1_001,
    }  # fmt: skip


def test_outcomes_add_up_and_up_to_twenty_fields_are_listed():
    outcome = {
        "back": 1, "theirs": 2, "cannot": 3, "gone": 4, "uploads": 5,
        "left": [{"field": "title", "why": "theirs"}, {"field": "tags", "why": "x"}],
    }  # fmt: skip
    once = Forecast().plus(3, outcome)
    assert once == Forecast(
        queued=1, back=1, theirs=2, cannot=3, gone=4, uploads=5,
        left=((3, "title", "theirs"), (3, "tags", "x")),
    )  # fmt: skip
    assert once.plus(4, {}) == evolve(once, queued=2)
    assert once.plus(4, outcome).back == 2
    odd = {"left": [{"field": "title", "why": "y"}] * 3}
    many = Forecast()
    for scene_id in range(1, 9):
        many = many.plus(scene_id, odd)
    assert (len(many.left), many.left[-1], many.queued) == (20, (7, "title", "y"), 8)


def test_copies_and_what_was_taken_back(tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    names = ["stash2plex-20270115-080000-schema1.db", "stash2plex-20270116-080000-schema12.db"]
    for name, size in zip(names, (1_234, 7), strict=True):
        (folder / name).write_bytes(b"x" * size)
    (folder / "stash2plex-20270115-080000-schema1.db.part").write_bytes(b"x")
    assert copy_lines([]) == [
        "There is no copy: one is made before an update changes the database."
    ]
    newest, oldest = list_copies(str(tmp_path))
    assert copy_lines([newest, oldest]) == [
        f"{names[1]}: made {local(newest.made_at)}, schema 12, 7 bytes.",
        f"{names[0]}: made {local(oldest.made_at)}, schema 1, 1,234 bytes.",
    ]
    assert local(newest.made_at).startswith("2027-01-16 08:00")
    assert copy_row(oldest) == {
        "name": names[0], "made_at": oldest.made_at, "schema": 1, "bytes": 1_234,
    }  # fmt: skip
    assert isinstance(newest, Copy)
    assert newest.path == os.path.join(folder, names[1])


def test_what_was_taken_back_and_whether_the_older_version_is_needed():
    done = Restored(
        name="old.db", schema=SCHEMA_NUMBER, replaced="new.db", keys=1_000, compared=2_000
    )
    lines = [
        "old.db was taken back. The database that it replaced is kept as new.db.",
        "Changes that were queued and are carried over: 1,000.",
        "Scenes that were written since the copy, and are compared again: 2,000.",
    ]
    assert restored_lines(done) == lines
    assert restored_lines(evolve(done, schema=SCHEMA_NUMBER - 1)) == [
        *lines,
        (
            "Install the older version of the plugin now. This one would bring the database up to "
            "date again at the next save."
        ),
    ]
    assert restored_row(done) == {
        "restored": "old.db", "schema": SCHEMA_NUMBER, "replaced": "new.db", "queued": 1_000,
        "compared": 2_000,
    }  # fmt: skip
