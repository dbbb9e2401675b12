"""Wrong settings and broken set-ups: a clear sentence with what to do, and the queue intact."""

from __future__ import annotations

import os
from typing import Any

import pytest

OFF = {"background_worker": "off"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"plex_url": ""}, ["Plex URL is not set", "Settings > Plugins > Stash2Plex"]),
        ({"plex_token": ""}, ["Plex token is not set"]),
        ({"plex_url": "plex:32400"}, ["plex_url", "allowed: http(s)://host:port"]),
        ({"plex_library": "Harbour Filmz"}, ["“Harbour Filmz”", "It has: “Harbour Films”"]),
        ({"plex_token": "not-the-token"}, ["does not accept the token", "X-Plex-Token"]),
        ({"plex_url": "http://127.0.0.1:9"}, ["refuses the connection", "nothing is lost"]),
        ({"plex_url": "http://no-such-host.invalid:32400"}, ["host name", "not known"]),
        ({"enabled": False}, ["switched off"]),
    ],
)
def test_a_broken_set_up_says_what_to_do(make_stage, settings, words):
    stage = make_stage(3, settings={**OFF, **settings})
    stage.operation("sync", scene_ids=[1, 2, 3])
    said = stage.said("process_queue", max_wait=1) + stage.log_text()
    for word in words:
        assert word in said
    assert "not-the-token" not in said
    assert stage.queue()["pending"] == 3
    assert stage.queue()["dead"] == 0
    stage.configure(**OFF)
    stage.run_task("Process Queue")
    assert stage.queue()["pending"] == 0
    assert stage.wrong() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_retries", 99),
        ("max_tags", "many"),
        ("read_timeout", -3),
        ("skip_fields", "colour"),
        ("path_map", "no arrow"),
        ("background_worker", "sometimes"),
        ("tls_insecure", "perhaps"),
    ],
)
def test_a_bad_value_is_named_and_the_default_used(make_stage, key, value):
    stage = make_stage(2, settings={**OFF, key: value})
    stage.operation("sync", scene_ids=[1, 2])
    stage.run_task("Process Queue")
    stage.end_worker()
    assert f"Setting {key} is" in stage.log_text()
    assert "allowed:" in stage.log_text()
    assert stage.wrong() == []


def test_a_damaged_database_is_set_aside_and_everything_compared_again(make_stage):
    stage = make_stage(8, settings=OFF)
    stage.run_task("Sync All Scenes")
    for end in ("-wal", "-shm"):
        if os.path.exists(stage.database + end):
            os.remove(stage.database + end)
    with open(stage.database, "wb") as file:
        file.write(b"harbour " * 4000)
    stage.operation("status")
    stage.stash.scenes[0].title = "Changed meanwhile, unseen"
    stage.plex.clear_log()
    stage.run_task("Process Queue")
    assert "damaged" in stage.log_text()
    assert stage.wrong() == []
    assert stage.plex.count("PUT") == 1


def test_an_unknown_mode_names_the_known_ones(make_stage):
    stage = make_stage(1, settings=OFF)
    with pytest.raises(RuntimeError, match="no mode 'sail'.*process_queue"):
        stage.operation("sail")


def test_bad_arguments_are_refused(make_stage):
    stage = make_stage(1, settings=OFF)
    for mode, arguments in (
        ("sync", {"scene_ids": ["1; DROP TABLE queue"]}),
        ("sync", {"scene_ids": "1"}),
        ("purge_dlq", {"days": "soon"}),
        ("dead_letters", {"limit": -1}),
        ("retry_dlq", {"reason": 5}),
    ):
        with pytest.raises(RuntimeError, match="“"):
            stage.operation(mode, **arguments)


@pytest.mark.parametrize(
    ("spoil", "refused"),
    [
        # The session goes first, so a replaced key is not met while it lasts.
        (lambda stash: setattr(stash, "api_key", "second-key"), False),
        (lambda stash: stash.expire_cookies(), True),
    ],
    ids=["the key is replaced", "the session ends"],
)
def test_a_task_whose_key_or_session_ends_half_way_goes_on_with_the_other(
    make_stage, spoil, refused
):
    stage = make_stage(2, settings=OFF, username="keeper", password="lantern", api_key="first-key")
    stage.operation("sync", scene_ids=[1, 2])
    take = stage.stash.faults.take
    spoilt: list[Any] = []

    def spoil_then_take(path, operation):
        # The settings were read, and the key with them; the scenes are asked for now.
        if "query Scenes" in operation and not spoilt:
            spoilt.append(spoil(stage.stash))
            stage.stash.clear_log()
        return take(path, operation)

    stage.stash.faults.take = spoil_then_take
    stage.run_task("Process Queue")
    assert spoilt
    assert (401 in [one.status for one in stage.stash.requests]) is refused
    assert stage.wrong() == []


def test_another_plex_behind_the_address_is_not_written(make_stage):
    stage = make_stage(3, settings=OFF)
    stage.run_task("Sync All Scenes")
    stage.plex.machine_identifier = "another-server"
    stage.edit(1, title="Not for them")
    stage.plex.clear_log()
    with pytest.raises(RuntimeError, match="A different Plex server"):
        stage.operation("process_queue", max_wait=1)
    assert stage.plex.count("PUT") == 0
    assert stage.queue()["pending"] == 1
    stage.run_task("Rebuild Plex Index")
    stage.run_task("Process Queue")
    assert stage.wrong() == []
