"""When settings are read again: a file that moved, an age, a wish; and what marks a change."""

from __future__ import annotations

import pytest

from stash2plex.config import Settings
from stash2plex.namelist import NameList
from stash2plex.sync.settings_watch import (
    CLOSED_SECONDS,
    COARSE_SECONDS,
    FRESH_SECONDS,
    SEEN_SECONDS,
    SettingsWatch,
    settings_marks,
)
from tests.support import ManualClock


@pytest.fixture
def desk():
    clock = ManualClock()
    file = {"stamp": ""}
    watch = SettingsWatch(lambda: file["stamp"], clock, clock)
    return watch, clock, file


def written(seconds, size=100):
    return f"{round(seconds * 1e9)}-{size}"


def test_without_a_file_settings_are_read_every_other_second(desk):
    watch, clock, _ = desk
    assert watch.due(closed=False)
    watch.read(lambda: None)
    assert not watch.due(closed=False)
    clock.step(FRESH_SECONDS)
    assert watch.due(closed=False)
    assert not watch.moved
    assert not watch.due(closed=True)
    clock.step(CLOSED_SECONDS - FRESH_SECONDS)
    assert watch.due(closed=True)


def test_a_file_that_does_not_move_is_trusted_for_half_a_minute(desk):
    watch, clock, file = desk
    file["stamp"] = written(clock.now - 3600)
    watch.read(lambda: None)
    clock.step(SEEN_SECONDS - 1)
    assert not watch.due(closed=False)
    file["stamp"] = written(clock.now)
    assert watch.moved
    assert watch.due(closed=True)
    watch.read(lambda: None)
    assert not watch.moved
    clock.step(SEEN_SECONDS)
    assert watch.due(closed=False)


def test_a_file_that_was_written_just_now_may_hide_a_second_change(desk):
    watch, clock, file = desk
    file["stamp"] = written(clock.now - COARSE_SECONDS / 2)
    watch.read(lambda: None)
    clock.step(FRESH_SECONDS)
    assert watch.due(closed=False)
    watch.read(lambda: None)
    clock.step(FRESH_SECONDS)
    assert not watch.due(closed=False)


def test_a_change_while_the_settings_are_read_is_seen(desk):
    watch, clock, file = desk
    file["stamp"] = written(clock.now - 3600)
    watch.read(lambda: file.update(stamp=written(clock.now)))
    assert watch.moved


def test_a_wish_and_a_failure_make_them_due(desk):
    watch, clock, _ = desk

    def fails():
        raise ValueError("no Stash")

    with pytest.raises(ValueError, match="no Stash"):
        watch.read(fails)
    assert watch.moved
    watch.read(lambda: None)
    watch.expire()
    assert watch.due(closed=True)
    watch.read(lambda: None)
    assert not watch.moved
    # A Stash that answers slowly is asked less often.
    watch.read(lambda: clock.step(1.0))
    clock.step(8.0)
    assert not watch.due(closed=False)
    clock.step(2.0)
    assert watch.due(closed=False)


def test_marks_tell_what_changed_and_hold_no_token():
    base = Settings(plex_url="http://127.0.0.1:1", plex_token="canary-token")
    marks = settings_marks(base, "key")
    assert "canary" not in "".join(marks)
    assert settings_marks(base, "another key") != marks
    other = Settings(plex_url="http://127.0.0.1:1", plex_token="another")
    assert settings_marks(other, "key")[0] != marks[0]
    library = Settings(
        plex_url="http://127.0.0.1:1", plex_token="canary-token", plex_library=NameList.of("Films")
    )
    assert settings_marks(library, "key")[0] == marks[0]
    assert settings_marks(library, "key")[1] != marks[1]
