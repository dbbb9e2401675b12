"""What opening a data folder sets up and reports, a rehearsal, and how errors of SQLite end."""

from __future__ import annotations

import io
import os
import sqlite3
from random import Random

import pytest

from stash2plex.app import make_stash, open_app, store_errors_mapped
from stash2plex.db import connect, get_meta, set_meta
from stash2plex.errors import ConfigError, Refused, StoreDamaged, StoreUnavailable
from stash2plex.logs.handlers import Logs
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash
from tests.harness.in_process import Desk, fill, make_app
from tests.support import ManualClock

NO_COPY_MADE = (
    "The database was not copied before the update, so there is no way back to the version before: "
    "the disk has no room."
)
NOBODY = StashAddress("http://127.0.0.1:9")


@pytest.fixture
def limits():
    """Put the process's umask back afterwards; its core files stay forbidden."""
    mask = os.umask(0o022)
    yield
    os.umask(mask)


@pytest.mark.usefixtures("limits")
def test_what_is_written_is_for_this_user_and_memory_is_never_written(tmp_path):
    app = open_app(str(tmp_path / "data"), NOBODY, stash_dir="/config")
    assert os.umask(0o077) == 0o077
    import resource  # Windows has none

    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    assert (app.folder, app.overrides, app.stash_dir) == (str(tmp_path / "data"), {}, "/config")
    assert os.path.exists(tmp_path / "data" / "stash2plex.db")
    app.logs.logger.warning("The lantern is lit.")
    app.close()
    assert "warning The lantern is lit." in (tmp_path / "data" / "worker.log").read_text()
    with pytest.raises(sqlite3.ProgrammingError):
        app.store.connection.execute("SELECT 1")


@pytest.mark.usefixtures("limits")
def test_an_update_without_a_copy_is_reported_once(tmp_path):
    path = tmp_path / "stash2plex.db"
    connection = connect(str(path))
    set_meta(connection, "no_copy", "the disk has no room")
    connection.close()
    heard = []
    for _ in range(2):
        shown = io.StringIO()
        open_app(str(tmp_path), NOBODY, logs=Logs(shown)).close()
        heard.append(shown.getvalue())
    assert heard == [f"\x01w\x02{NO_COPY_MADE}\n", ""]


@pytest.mark.usefixtures("limits")
def test_the_address_of_plex_tv_and_overrides_are_taken(tmp_path, monkeypatch):
    app = open_app(str(tmp_path / "a"), NOBODY, overrides={"max_tags": 3})
    usual = app.plex_tv_url
    app.close()
    assert app.overrides == {"max_tags": 3}
    monkeypatch.setenv("STASH2PLEX_PLEX_TV_URL", "http://127.0.0.1:9/tv")
    app = open_app(str(tmp_path / "b"), NOBODY)
    app.close()
    assert (usual, app.plex_tv_url) == ("https://plex.tv", "http://127.0.0.1:9/tv")


@pytest.mark.parametrize("login", ["key", "cookie", "none"])
def test_a_client_of_stash_brings_its_key_or_its_cookie(tmp_path, login):
    stash = FakeStash(root=str(tmp_path), username="keeper", password="lantern", api_key="light")
    with stash:
        client = make_stash(
            StashAddress(
                stash.url,
                api_key="light" if login == "key" else "",
                cookie=("session", stash.cookie()) if login == "cookie" else None,
            )
        )
        if login == "none":
            with pytest.raises(Refused):
                client.config_path()
        else:
            assert os.path.basename(client.config_path()) == "config.yml"
        client.close()


# -- sessions and rehearsals --------------------------------------------------------------


def test_a_session_is_the_same_until_the_settings_change(tmp_path):
    with Desk(str(tmp_path)) as desk:
        first = desk.app.open_session()
        assert desk.app.open_session() is first
        assert first.settings.max_tags == 100
        desk.app.settings_reader.overrides = {**desk.app.overrides, "max_tags": 3}
        second = desk.app.open_session()
        assert (second is first, second.settings.max_tags) == (False, 3)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (
            {"enabled": False},
            "Stash2Plex is switched off: the old setting “enabled” is stored as false.",
        ),
        ({"plex_url": ""}, "Plex URL is not set."),
        ({"plex_token": ""}, "Plex token is not set."),
    ],
)
def test_no_session_without_a_plex_to_send_to(tmp_path, settings, what):
    with Desk(str(tmp_path)) as desk:
        desk.app.settings_reader.overrides = {**desk.app.overrides, **settings}
        with pytest.raises(ConfigError) as failure:
            desk.app.open_session()
        assert failure.value.what == what
        if "enabled" in settings:
            assert failure.value.fix == "Turn it on again in the plugin's settings."


def test_a_rehearsal_changes_a_copy_alone(tmp_path):
    with Desk(str(tmp_path)) as desk:
        scenes = fill(desk, 3)
        desk.add(*scenes)
        with desk.app.rehearsal() as copy:
            assert copy.store.queue.counts().pending == 3
            copy.store.queue.add("scene", 99)
            copy.open_session().index.refresh(copy.settings().plex_library)
            set_meta(copy.store.connection, "lantern", "lit")
            assert (copy.store.queue.counts().pending, copy.store.plex_files.size()) == (4, 3)
        with pytest.raises(sqlite3.ProgrammingError):
            copy.store.connection.execute("SELECT 1")
        assert desk.app.store.queue.counts().pending == 3
        assert desk.app.store.plex_files.size() == 0
        assert get_meta(desk.app.store.connection, "lantern") is None


# -- errors of SQLite ---------------------------------------------------------------------


@pytest.fixture
def app(tmp_path):
    app = make_app(str(tmp_path / "data"), NOBODY.url, ManualClock())
    yield app
    app.store.connection.close()


def fail_with(app, code):
    error = sqlite3.DatabaseError("the harbour is closed")
    error.sqlite_errorcode = code
    with store_errors_mapped(app):
        raise error


def test_damage_during_a_run_sets_the_file_aside(app):
    path = os.path.join(app.folder, "stash2plex.db")
    app.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(path, "r+b") as file:
        file.write(b"harbour " * 999)
    with pytest.raises(StoreDamaged) as failure:
        fail_with(app, sqlite3.SQLITE_CORRUPT)
    assert failure.value.what == (f"“{path}” is damaged (the harbour is closed). It was set aside.")
    assert failure.value.fix == "Run the task again; it compares every scene."
    with pytest.raises(sqlite3.ProgrammingError):
        app.store.connection.execute("SELECT 1")
    assert len([name for name in os.listdir(app.folder) if "damaged" in name]) >= 1


def test_another_error_during_a_run_leaves_the_file(app):
    with pytest.raises(StoreUnavailable) as failure:
        fail_with(app, sqlite3.SQLITE_FULL)
    path = os.path.join(app.folder, "stash2plex.db")
    assert failure.value.what == f"“{path}” cannot be used: the harbour is closed."
    assert app.store.connection.execute("SELECT 1").fetchone() == (1,)
    with store_errors_mapped(app):
        assert Random(1).random() < 1
