"""What the user is told while the worker lives: each thing once, with the right words."""

from __future__ import annotations

import pytest

SKIP = {"skip_fields": "poster background"}
BAD = (
    ({"plex_url": "127.0.0.1:32400"}, "Setting plex_url is '127.0.0.1:32400'; allowed: http(s)://"),
    ({"plex_url": "htps://plex:32400"}, "Setting plex_url is 'htps://plex:32400'; allowed:"),
    ({"plex_token": "two\nlines"}, "Setting plex_token is (hidden); allowed: an X-Plex-Token."),
)


def lines(stage):
    """List what Stash's log shows, errors of tasks included."""
    shown = ("info", "warning", "error")
    return [line.message for line in stage.stash.log if line.level in shown]


def alive(stage):
    """Have a save start the worker, and wait until it has worked off the queue."""
    stage.edit(1, title="A harbour at dawn")
    stage.until(lambda: not stage.rows("SELECT 1 FROM queue"))
    assert stage.operation("status")["worker"]["origin"] == "background worker"


@pytest.mark.parametrize(("settings", "words"), BAD, ids=["no scheme", "a typo", "a line end"])
def test_an_address_or_token_that_cannot_be_used_is_one_line_everywhere(
    make_stage, settings, words
):
    stage = make_stage(3, settings={**SKIP, **settings})
    stage.edit(1, title="Nobody can have it")
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE name = 'trouble'"))
    for task in ("Process Queue", "Sync All Scenes", "View Queue Status", "Health Check"):
        stage.stash.clear_log()
        stage.run_task(task)
        text = "\n".join(lines(stage))
        assert text.count(words) == 1, f"{task}: {text}"
        assert "is not set" not in text
    stage.stash.clear_log()
    stage.edit(2, title="Nor this")
    assert words not in "\n".join(lines(stage))
    stage.configure(**SKIP)
    stage.run_task("Process Queue")
    stage.until(lambda: stage.wrong() == [])


def test_a_save_tells_once_what_the_worker_cannot_use(make_stage):
    stage = make_stage(3, settings={**SKIP, **BAD[0][0]})
    stage.edit(1, title="Nobody can have it")
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE name = 'trouble'"))
    for number in (2, 3):
        stage.edit(number, title="Nor this")
    assert "\n".join(lines(stage)).count(BAD[0][1]) == 1


def test_a_number_out_of_range_is_one_line_in_each_task(make_stage):
    stage = make_stage(3, settings={**SKIP, "max_retries": 99})
    alive(stage)
    for task in ("Process Queue", "Sync All Scenes", "Health Check"):
        stage.stash.clear_log()
        stage.run_task(task)
        text = "\n".join(lines(stage))
        assert text.count("Setting max_retries is 99") == 1, f"{task}: {text}"
