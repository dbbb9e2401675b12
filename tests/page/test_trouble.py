"""The cards of what is wrong: servers, the worker and a setting, each with its cure."""

from __future__ import annotations

from stash2plex import start_trouble
from stash2plex.errors import Refused, Unavailable
from stash2plex.store.notices import note_trouble
from tests.page.conftest import Page


def cards(desk):
    return {(card["kind"], card["name"]): card for card in Page(desk.app).call("trouble")["cards"]}


def test_a_server_that_is_away_and_one_that_refuses_are_cards_with_a_cure(make_desk):
    desk = make_desk()
    desk.add(desk.scene("a.mp4"))
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex rests."), 1)
    card = cards(desk)["server", "plex"]
    assert (card["what"], card["do"], card["action"], card["number"]) == (
        "Plex rests.", "What waits is sent once it works again.", "try_now", 1,
    )  # fmt: skip
    desk.app.store.breakers["plex"].failed(Refused("Plex", "The token is wrong."), 1)
    desk.app.store.breakers["stash"].failed(Refused("Stash", "Stash wants a log-in."), 1)
    found = cards(desk)
    plex, stash = found["server", "plex"], found["server", "stash"]
    assert (plex["do"], plex["action"]) == ("Sign in again.", "sign_in")
    assert (stash["do"], stash["action"]) == (
        "Press any button of Stash2Plex in Stash.", "health",
    )  # fmt: skip


def test_what_stopped_the_worker_and_a_setting_are_cards(make_desk):
    desk = make_desk()
    start_trouble.record_trouble(
        desk.app.folder, start_trouble.Trouble("It cannot start.", "Install Python.")
    )
    note_trouble(desk.app.store.connection, "The Plex URL is none.")
    found = cards(desk)
    worker, setting = found["worker", ""], found["setting", ""]
    assert (worker["what"], worker["do"], worker["action"]) == (
        "It cannot start.", "Install Python.", "health",
    )  # fmt: skip
    assert (setting["what"], setting["do"], setting["action"]) == (
        "The Plex URL is none.", "Correct it.", "settings",
    )  # fmt: skip
