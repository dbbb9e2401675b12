"""How long each request of a drain is waited for: to connect, and for the answer to begin."""

from __future__ import annotations

import re
from typing import Any

import pytest
import urllib3

from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture

ALWAYS: dict[str, Any] = {"times": None}
STASH, PLEX = (5.0, 60.0), (20.0, 90.0)
"""What Stash gets, and what the settings allow Plex."""

WITNESS = (10.0, 10.0)


@pytest.fixture
def limits(monkeypatch):
    """Return the limits of what is asked from now on, by method and path."""
    asked: dict[str, set[tuple[float, float]]] = {}
    send = urllib3.PoolManager.request

    def request(pool, method, url, *rest, **options):
        path = re.sub(r"/\d+(,\d+)*", "/N", url.split("://")[1].partition("/")[2].partition("?")[0])
        timeout = options["timeout"]
        asked.setdefault(f"{method} /{path}", set()).add(
            (timeout.connect_timeout, timeout.read_timeout)
        )
        return send(pool, method, url, *rest, **options)

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    return asked


@pytest.fixture
def desk(make_desk):
    return make_desk(skip_fields="", connect_timeout=PLEX[0], read_timeout=PLEX[1], max_retries=1)


def test_what_is_asked_in_the_course_of_the_work_waits_as_the_settings_say(desk, limits):
    scene = desk.scene("a.mp4", studio=desk.stash.add_studio("Quay"), cover=picture(1))
    desk.item("a.mp4")
    desk.drain(scene)
    desk.clock.step(5.0)
    desk.drain()
    assert limits == {
        "POST /graphql": {STASH},
        "GET /scene/N/screenshot": {STASH},
        "GET /": {PLEX},
        "GET /library/sections": {PLEX},
        "GET /library/sections/N/all": {PLEX},
        # What a missing answer costs is a name that counts as the user's.
        "GET /library/sections/N/collections": {WITNESS},
        "GET /library/metadata/N": {PLEX},
        "PUT /library/sections/N/all": {PLEX},
        "POST /library/metadata/N/posters": {PLEX},
        "POST /library/metadata/N/arts": {PLEX},
    }


def test_another_item_is_asked_about_for_ten_seconds(desk, limits):
    scenes = [desk.scene(f"{one}.mp4", size=one) for one in (1, 2)]
    items = [desk.item(f"{one}.mp4", size=one) for one in (1, 2)]
    desk.drain(scenes[1])
    limits.clear()
    desk.plex.faults.add(Fault("status", **ALWAYS, **scopes.item(items[0], "edit")))
    desk.drain(scenes[0])
    assert limits["PUT /library/sections/N/all"] == {PLEX, WITNESS}
    assert limits["GET /library/metadata/N"] == {PLEX}


@pytest.mark.parametrize(("kind", "path"), [("arts", "/"), ("posters", "/")])
def test_a_sign_of_life_of_a_server_that_refuses_pictures_takes_ten_seconds(
    desk, limits, kind, path
):
    scene = desk.scene("a.mp4", cover=picture(1))
    desk.item("a.mp4")
    desk.plex.faults.add(Fault("status", status=403, **ALWAYS, **scopes.uploads(kind)))
    desk.drain(scene)
    assert limits[f"GET {path}"] == {PLEX, WITNESS}


@pytest.mark.parametrize(("patience", "probe"), [(45.0, (15.0, 15.0)), (45.1, PLEX), (300.0, PLEX)])
def test_a_task_that_frees_stashs_one_place_soon_probes_plex_for_fifteen_seconds(
    desk, limits, patience, probe
):
    desk.drain()
    desk.plex.down()
    desk.add(desk.scene("a.mp4"))
    limits.clear()
    desk.app.drain(Foreground("test", patience=patience), Silent(), lambda: False)
    # The first look shows that it is away, and then each probe.
    assert limits["GET /"] == {probe}
    assert limits["GET /identity"] == {probe}
