"""A set-up that works, and everything that can be done to it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Any

from stash2plex.app import App, open_app
from stash2plex.errors import StoreError, Unavailable
from stash2plex.lock import FileLock, show_presence
from stash2plex.operations.health.checks import Check
from stash2plex.operations.health.report import health_without_store, read_health
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.plex.access import Sight
from stash2plex_testing.world import ROOT, World

HOOKS_CONFIG = "Stash2PlexHooks.yml"
SCENES = 12
TiB = 2**40


@dataclass
class Patient:
    """A set-up that works until something is done to it."""

    world: World
    settings: dict[str, Any]
    folder: str
    free: int = TiB
    cookie: tuple[str, str] | None = None
    api_key: str = ""
    drain: FileLock | None = None
    """The lock that a running drain holds."""

    def open(self) -> App:
        """Open the application, as the plugin does."""
        self.world.stash.configure_plugin("Stash2Plex", self.settings)
        app = open_app(self.folder, StashAddress(self.world.stash.url, self.api_key, self.cookie))
        app.random = Random(1)
        app.monotonic = lambda: 0.0  # how fast this machine answers is not part of a set-up
        return app

    def health(self) -> list[Check]:
        """Read the report, as the operation does."""
        try:
            app = self.open()
        except StoreError as error:
            return health_without_store(error)
        try:
            return read_health(app, lambda _: self.free)
        finally:
            app.close()
            if self.drain is not None:
                self.drain.release()


def works_with(world: World) -> dict[str, Any]:
    """Return settings that work."""
    return {"plex_url": world.plex.url, "plex_token": world.plex.token}


def setting(**values: Any) -> Callable[[Patient], None]:
    """Return a function that stores other settings."""

    def spoil(patient: Patient) -> None:
        patient.settings |= values

    return spoil


def show_entries(world: World) -> None:
    """Have Stash read our two entries, without the code."""
    os.makedirs(entries_folder(world))
    for name in ("Stash2Plex.yml", HOOKS_CONFIG):
        shutil.copy(os.path.join(ROOT, "plugin", name), entries_folder(world))
    world.stash.plugins.reload()


def entries_folder(world: World) -> str:
    """Name the plugin's folder."""
    return os.path.join(world.stash.plugins_dir, "Stash2Plex")


def disabled(plugin_id: str) -> Callable[[Patient], None]:
    """Disable one of the two entries."""
    return lambda patient: patient.world.stash.plugins.disabled.add(plugin_id)


def without_hooks(patient: Patient) -> None:
    """Leave out the second entry, as may happen when files are copied by hand."""
    os.remove(os.path.join(entries_folder(patient.world), HOOKS_CONFIG))
    patient.world.stash.plugins.reload()


def older_hooks(patient: Patient) -> None:
    """Leave the second entry as it was before an update."""
    path = os.path.join(entries_folder(patient.world), HOOKS_CONFIG)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^version: .*$", "version: 1.9.0", text))
    patient.world.stash.plugins.reload()


def older_stash(patient: Patient) -> None:
    """Run a Stash from before goja ran its scripts."""
    patient.world.stash.core.version = "v0.25.1"


def plex_fault(kind: str, **values: Any) -> Callable[[Patient], None]:
    """Return a function that makes Plex fail for good."""

    def spoil(patient: Patient) -> None:
        patient.world.plex.faults.add(Fault(kind, times=None, **values))

    return spoil


def nothing(_: Patient) -> None:
    """Leave everything as it is."""


def https_address(patient: Patient) -> None:
    patient.settings["plex_url"] = patient.world.plex.url.replace("http:", "https:")


def plex_hangs(patient: Patient) -> None:
    patient.settings["read_timeout"] = 0.2
    plex_fault("hang")(patient)


def plex_is_off(patient: Patient) -> None:
    patient.world.plex.down()


def stash_is_off(patient: Patient) -> None:
    patient.world.stash.configure_plugin("Stash2Plex", patient.settings)
    patient.world.stash.down()


def stash_is_busy(patient: Patient) -> None:
    patient.world.stash.faults.add("graphql_error", path="/graphql", times=None)


def shared_user(patient: Patient) -> None:
    patient.settings["plex_token"] = patient.world.plex.viewer_token


def show_library(patient: Patient) -> None:
    patient.world.plex.add_section("Lantern Series", "show")
    patient.settings["plex_library"] = "Lantern Series"


def maintenance(patient: Patient) -> None:
    patient.world.plex.maintenance(True)


def another_server(patient: Patient) -> None:
    app = patient.open()
    app.open_session().index.adopt_server("the-server-of-before")
    app.close()


def other_files(patient: Patient) -> None:
    for item in patient.world.plex.all_items():
        patient.world.plex.move_file(item, f"/films/{item.rating_key}/harbour.mkv")


def unlisted_library(patient: Patient) -> None:
    old = patient.world.plex.add_section("Old Harbour", locations=["/old"])
    patient.world.plex.faults.add(Fault("status", times=None, **scopes.library(old)))


def seen_by_the_token(sight: Sight) -> Callable[[Patient], None]:
    """Show the token less about the files."""

    def spoil(patient: Patient) -> None:
        patient.world.plex.access.sight[patient.world.plex.token] = sight

    return spoil


def without_owner(patient: Patient) -> None:
    patient.world.plex.access.claim = "stranger"


def everything_twice(patient: Patient) -> None:
    world = patient.world
    for item in world.plex.all_items():
        copy = item.parts[0].path.replace("/media/library", "/media/copies")
        world.plex.add_item(world.section, file=copy)


def empty_library(patient: Patient) -> None:
    patient.world.plex.add_section("Empty", locations=["/media/empty"])
    patient.settings["plex_library"] = "Empty"


def expired_session(patient: Patient) -> None:
    patient.cookie = ("session", patient.world.stash.cookie())
    patient.world.stash.expire_cookies()


def session_only(patient: Patient) -> None:
    patient.cookie = ("session", patient.world.stash.cookie())


def disk_full(patient: Patient) -> None:
    patient.free = 3 * 2**20


def no_folder(patient: Patient) -> None:
    with open(patient.folder, "w", encoding="ascii"):
        pass


def newer_database(patient: Patient) -> None:
    patient.open().close()
    with closing(sqlite3.connect(os.path.join(patient.folder, "stash2plex.db"))) as database:
        database.execute("PRAGMA user_version = 9000")


def due_and_off(patient: Patient) -> None:
    patient.settings["background_worker"] = "off"
    app = patient.open()
    app.store.queue.add_many([("scene", number) for number in range(1, SCENES + 1)])
    app.close()


def due_and_nobody(patient: Patient) -> None:
    app = patient.open()
    app.store.queue.add_many([("scene", number) for number in range(1, SCENES + 1)])
    app.close()


def forgotten(patient: Patient) -> None:
    due_and_nobody(patient)
    patient.drain = show_presence(patient.folder, time.sleep)
    with closing(sqlite3.connect(os.path.join(patient.folder, "stash2plex.db"))) as database:
        database.execute("UPDATE queue SET added_at = added_at - 90000, due_at = due_at - 90000")
        database.commit()


def waiting_for_plex(patient: Patient) -> None:
    app = patient.open()
    for _ in range(3):
        app.store.breakers["plex"].failed(Unavailable("Plex", "Plex did not answer in time."), 7)
    app.close()


def dead_letters(patient: Patient) -> None:
    app = patient.open()
    queue = app.store.queue
    queue.add_many([("scene", number) for number in range(1, SCENES + 1)])
    for number, claim in enumerate(queue.claim(SCENES, 60.0)):
        reason = "ambiguous" if number % 4 == 0 else "not_in_plex"
        queue.bury(claim, title=f"Pier {claim.id}", reason=reason, error="No Plex file fits.")
    app.close()
