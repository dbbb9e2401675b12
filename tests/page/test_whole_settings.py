"""What operations answer under many settings, without a worker, with a wrong token, or no Plex."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from tests.harness.in_process import Desk
from tests.page.test_whole_answers import harbour, utc, watched_from_now
from tests.page.test_whole_operations import Tour, by_head, furnish

OTHER: list[tuple[str, dict[str, Any]]] = [
    ("settings", {}),
    ("page", {}),
    ("paths", {}),
    ("libraries", {}),
    ("library", {}),
    ("preview", {}),
    ("candidates", {"scene_id": 7}),
    ("scene", {"scene_id": 6}),
    ("wake", {}),
    ("hold", {"step": "library"}),
    ("queue_status", {}),
    ("page", {}),
    ("start", {}),
    ("resume", {}),
    ("trouble", {}),
    ("connect", {"url": "PLEX"}),
]

SENT: list[tuple[str, dict[str, Any]]] = [
    ("sync", {"scene_ids": [6]}),
    ("retry_dlq", {}),
    ("queue_status", {}),
    ("page", {}),
    ("wake", {}),
    ("process_queue", {"max_wait": "1"}),
    ("reconcile_all", {}),
    ("library", {}),
]
"""What sends, or cannot."""


def other_tour(folder: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Ask under one setting after the other."""
    with utc(), ExitStack() as stack:
        settings = {
            "path_map": "/data=>/media;/quay=>/quay", "plex_library": "Harbour Films",
            "background_worker": "off", "reconcile_interval": "hourly", "only_organized": True,
            "ignore_tags": "Fog", "max_tags": 1, "connect_timeout": 3.5,
        }  # fmt: skip
        desk = stack.enter_context(Desk(folder, **settings))
        watched_from_now(desk)
        furnish(desk)
        harbour(desk)
        desk.scene("elsewhere.mp4", size=12, organized=True)
        desk.scene("pier.mp4", size=1, organized=True)
        told = {}
        for head, changes in (
            ("many settings", {}),
            ("two libraries", {"plex_library": ""}),
            ("a wrong token", {"plex_token": "wrong"}),
            ("no such library", {"plex_token": desk.plex.token, "plex_library": "Nowhere"}),
            ("no Plex set up", {"plex_url": "", "plex_library": ""}),
        ):
            desk.restart(**changes)
            tour = Tour(desk, monkeypatch)
            tour.ask_all(head, OTHER)
            if head != "two libraries":
                tour.ask_all(head, SENT)
            told.update(tour.told)
        return told


def test_every_answer_under_other_settings_is_as_approved(tmp_path, monkeypatch, approved):
    approved(by_head(other_tour(str(tmp_path), monkeypatch)))
