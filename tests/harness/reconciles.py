"""Reconcile in the test's own process, against both stand-ins."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from stash2plex.app import open_app
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.servers.stash_address import StashAddress
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
from tests.harness.process import Stage

DAY = 86_400.0


@pytest.fixture
def open_world(tmp_path):
    @contextmanager
    def opened(scenes, **settings):
        with Stage(str(tmp_path / "stash")) as world:
            world.fill(scenes)
            overrides = {
                "plex_url": world.plex.url,
                "plex_token": world.plex.token,
                "skip_fields": "poster background",
                **settings,
            }
            app = open_app(
                str(tmp_path / "data"), StashAddress(world.stash.url), overrides=overrides
            )
            try:
                yield world, app
            finally:
                app.close()

    (tmp_path / "stash").mkdir()
    return opened


def change_settings(app, **settings):
    """Have the next reading find other settings."""
    reader = app.settings_reader
    reader.overrides = {**reader.overrides, **settings}


def run(app, scope=Scope.ALL, *, dry_run=False, stopped=lambda: False):
    return reconcile_library(app, scope, dry_run=dry_run, observer=Silent(), stopped=stopped)


def rows(app, sql):
    return list(app.store.connection.execute(sql))


def found(report):
    return {kind.value: number for kind, number in report.counts.items() if number}
