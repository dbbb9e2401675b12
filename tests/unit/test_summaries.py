"""The one sentence about a drain: what waits, what was given up, and what was removed."""

from __future__ import annotations

import pytest

from stash2plex.store.progress import Progress
from stash2plex.sync.worker import Summary


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not_in_plex", "2 not in Plex yet (scene 3)."),
        ("library", "2 waiting for a library that Plex does not list (scene 3)."),
        ("unavailable", "2 waiting for a server (scene 3)."),
        ("transient", "2 to be tried again (scene 3)."),
    ],
)
def test_what_waits_is_counted_and_named_by_its_reason(reason, words):
    waiting = ((reason, 2, None),)
    done = Summary(Progress(done=1), 9.0, waiting, names={reason: " (scene 3)"})
    assert done.sentence() == f"1 scene in sync after 9 s. {words}"


def test_what_was_given_up_is_counted_and_named():
    done = Summary(Progress(done=1, failed=2_000), 9.0, (), names={"dead": " (scene 3)"})
    assert done.sentence() == "1 scene in sync after 9 s, 2,000 given up (scene 3)."


def test_what_the_user_took_out_of_the_queue_is_counted():
    words = Summary(Progress(done=2), 3.0, (), removed=1_200).sentence()
    assert "1,200 removed from the queue meanwhile." in words
    assert "removed" not in Summary(Progress(done=2), 3.0, ()).sentence()
