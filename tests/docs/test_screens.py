"""The screens in the docs are what the commands show now."""

from __future__ import annotations

import os

import pytest

from tools.build_screens import DOCS, screens


def test_screens_are_what_the_commands_show():
    drawn = screens()
    there = os.listdir(os.path.join(DOCS, "screens"))
    # The pictures of the page are photographs: they depend on the browser and its fonts.
    assert sorted(name for name in there if name.endswith(".svg")) == sorted(
        os.path.basename(name) for name in drawn
    )
    for name, text in drawn.items():
        with open(os.path.join(DOCS, name), encoding="utf-8") as file:
            assert file.read() == text, f"{name} is not current; run make docs"


BY_HAND = ["stash-package.png", "stash-page.png", "stash-source.png"]
"""Taken from a real Stash, which no verb can start."""


def test_every_picture_of_the_page_is_there():
    pytest.importorskip("playwright", reason="playwright is not installed")
    from tools.build_page_screens import screens as pictures  # needs playwright

    there = os.listdir(os.path.join(DOCS, "screens"))
    assert sorted(name for name in there if name.endswith(".png")) == sorted(
        [*BY_HAND, *(f"page-{screen.name}.png" for screen in pictures())]
    )
