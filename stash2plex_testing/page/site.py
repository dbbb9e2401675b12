"""A FakeStash with the page in it, whose operations answer what was written down for them."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from stash2plex_testing.page import answers
from stash2plex_testing.stash import FakeStash

HERE = os.path.dirname(os.path.abspath(__file__))
PLUGIN = os.path.join(os.path.dirname(os.path.dirname(HERE)), "plugin")
STUB = os.path.join(HERE, "stub_plugin.py")


class Site:
    """A FakeStash with our page, and what the page asked the plugin for."""

    def __init__(self, folder: str, interface: str) -> None:
        """Prepare it below `folder`; `interface` is the folder of the built host page."""
        self.stash = FakeStash(root=folder)
        self.stash.core.interface = interface
        self.stash.generate(scenes=3)
        self.plugin = os.path.join(self.stash.plugins_dir, "Stash2Plex")
        shutil.copytree(PLUGIN, self.plugin)
        os.remove(os.path.join(self.plugin, "Stash2PlexHooks.yml"))
        shutil.copy(STUB, os.path.join(self.plugin, "stash2plex_plugin.py"))
        self.answers = dict(answers.ANSWERS)
        self.answer()

    def answer(self, **changed: Any) -> None:
        """Change what operations answer from now on."""
        self.answers.update(changed)
        path = os.path.join(self.plugin, "answers.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.answers, file)
        os.replace(path + ".new", path)

    def calls(self, mode: str = "") -> list[dict[str, Any]]:
        """List the arguments of the operations so far, those of `mode` only."""
        path = os.path.join(self.plugin, "calls.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            found = [json.loads(line) for line in file]
        return [args for args in found if not mode or args["mode"] == mode]
