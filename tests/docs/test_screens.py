"""The screens in the docs are what the commands show now."""

from __future__ import annotations

import os

from tools.build_screens import DOCS, screens


def test_screens_are_what_the_commands_show():
    drawn = screens()
    assert sorted(os.listdir(os.path.join(DOCS, "screens"))) == sorted(
        os.path.basename(name) for name in drawn
    )
    for name, text in drawn.items():
        with open(os.path.join(DOCS, name), encoding="utf-8") as file:
            assert file.read() == text, f"{name} is not current; run make docs"
