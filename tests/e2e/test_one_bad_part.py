"""With a living worker: one bad item and uploads that fail hold up no save."""

from __future__ import annotations

import pytest

from stash2plex_testing.plex import Fault, Latency, scopes
from tests.support import PATIENCE

TEXT_ONLY = {"skip_fields": "poster background"}


def titles(stage):
    return {item.title for item in stage.plex.all_items()}


@pytest.mark.parametrize("kind", ["status", "hang"])
def test_good_saves_arrive_beside_an_item_that_plex_never_takes(make_stage, kind):
    stage = make_stage(4, settings={**TEXT_ONLY, "max_retries": 2, "read_timeout": 3})
    stage.edit(1, title="The worker lives")
    stage.until(lambda: "The worker lives" in titles(stage))
    bad = stage.item_of(stage.read_scenes()[1], stage.items())
    held = stage.plex.item(bad.ratingKey)
    stage.plex.faults.add(Fault(kind, status=500, times=None, **scopes.item(held, "edit")))
    stage.edit(2, title="Never taken")
    for number in range(6):
        word = f"Good save {number}"
        stage.edit(3, title=word)
        stage.until(lambda word=word: word in titles(stage))
    stage.until(lambda: stage.rows("SELECT id FROM dead_letter") == [(2,)])
    assert stage.rows("SELECT cause FROM outage") == []


def test_thirty_texts_take_the_time_of_thirty_edits_while_uploads_fail(make_stage):
    stage = make_stage(30, latency=Latency(write=0.02))
    stage.plex.faults.add(Fault("status", status=500, times=None, **scopes.uploads("posters")))
    stage.run_task("Sync All Scenes")
    stage.until(
        lambda: stage.rows("SELECT count(*) FROM scene_record WHERE synced_at > 0")[0][0] >= 30
    )
    assert stage.plex.count("PUT", "/all$") <= 34
    assert stage.plex.count("POST", "/posters$") <= 40
    assert stage.rows("SELECT cause FROM outage UNION ALL SELECT error FROM dead_letter") == []
    stage.plex.faults.clear()
    stage.until(lambda: stage.rows("SELECT 1 FROM waiting_picture") == [], PATIENCE * 2)
    assert stage.wrong() == []
