"""Every reason that the plugin may give has words on the page."""

from __future__ import annotations

import json
import os

import pytest
import quickjs

from stash2plex.errors import Stash2PlexError
from stash2plex.operations import reasons
from stash2plex.rules import scene_states
from stash2plex.store.names import WAITING
from stash2plex_testing.page.site import PLUGIN


@pytest.fixture(scope="module")
def texts():
    context = quickjs.Context()
    with open(os.path.join(PLUGIN, "ui", "texts", "en.js"), encoding="utf-8") as file:
        context.eval(file.read())
    return json.loads(context.eval("JSON.stringify(Stash2Plex.texts.en)"))


def family(kind):
    yield kind
    for below in kind.__subclasses__():
        yield from family(below)


def ours():
    """Yield the kinds of errors of the package; tests make others."""
    return (kind for kind in family(Stash2PlexError) if kind.__module__.startswith("stash2plex."))


def test_each_reason_has_words(texts):
    codes = {kind.reason for kind in ours()} | set(reasons.REASONS) | set(WAITING) - {""}
    assert {code for code in codes if not texts.get(f"reason.{code}")} == set()
    assert {code for code in scene_states.REASONS if not texts.get(f"left_out.{code}")} == set()


def test_no_words_are_left_of_a_reason_that_is_gone(texts):
    known = {f"reason.{kind.reason}" for kind in ours()}
    known |= {f"reason.{code}" for code in (*reasons.REASONS, *WAITING)}
    known |= {f"left_out.{code}" for code in scene_states.REASONS}
    shown = {id_ for id_ in texts if id_.startswith(("reason.", "left_out."))}
    assert shown - known == set()


def test_words_are_words(texts):
    assert not [id_ for id_, text in texts.items() if id_.startswith("reason.") and "_" in text]
