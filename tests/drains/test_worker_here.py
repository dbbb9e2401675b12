"""A background worker's life in the tests' process: what ends it, and what it says then."""

from __future__ import annotations

import os
import signal

import pytest

from stash2plex.codestamp import read_stamp
from stash2plex.datadir import file_stamp
from stash2plex.db import BACKGROUND_WORKER, HOLD, SETTINGS_FILE, set_meta
from stash2plex.errors import ConfigError, OnHold, Refused, Unavailable
from stash2plex.lock import drain_lock, drain_runs, show_presence
from stash2plex.operations import background
from stash2plex.operations.disabled import DisabledWatch
from stash2plex.start_trouble import Trouble, read_trouble, record_trouble
from stash2plex.sync.gate import Closed
from stash2plex.sync.goals import Background, Foreground, Service
from tests.harness.in_process import listen

ENDS = "The background worker ends: "


class Life:
    """A worker over a desk, whose plugin is a folder with two files."""

    def __init__(self, desk, folder, monkeypatch):
        self.desk = desk
        self.plugin = folder / "plugin"
        self.package = self.plugin / "stash2plex"
        self.package.mkdir(parents=True)
        for name in ("version.py", "lantern.py"):
            (self.package / name).write_text("LIT = 1\n")
        self.lock = drain_lock(desk.app.folder)
        self.started: list[tuple[str, str, bytes]] = []
        monkeypatch.setattr(background, "start_worker", lambda *given: self.started.append(given))
        self.lines = listen(desk)

    def stop_signal(self):
        return background._StopSignal(self.desk.app, str(self.plugin), None)

    def run(self, during=lambda: None):
        """Live until something ends it; `during` happens a second from now."""
        self.lines.clear()
        assert self.lock.acquire()
        stop = self.stop_signal()
        self.desk.clock.at[self.desk.clock.now + 1.0] = during
        assert background._work(self.desk.app, self.lock, {"Port": 1}, stop) == 0
        assert not self.lock.held
        assert not drain_runs(self.desk.app.folder)
        return [line for line in self.lines if line.startswith((ENDS, "The plugin was"))]


@pytest.fixture
def life(make_desk, tmp_path, monkeypatch):
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield Life(make_desk(), tmp_path, monkeypatch)
    for number, handler in kept:
        signal.signal(number, handler)


def test_a_worker_without_work_ends_after_a_quarter_of_an_hour(life):
    began = life.desk.clock.now
    record_trouble(life.desk.app.folder, Trouble("It could not start.", ""))
    assert life.run() == [f"{ENDS}nothing is left to do."]
    assert life.lines[0] == f"The background worker has started (process {os.getpid()})."
    assert 900.0 <= life.desk.clock.now - began < 960.0
    # It works again.
    assert read_trouble(life.desk.app.folder) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_by_a_signal(life, number):
    assert life.run(lambda: os.kill(os.getpid(), number)) == [f"{ENDS}it was asked to."]


def test_a_worker_whose_files_changed_starts_the_next_version(life):
    (said,) = life.run(lambda: (life.package / "lantern.py").write_text("LIT = 'brightly'\n"))
    assert said == "The plugin was updated; the new version carries on."
    assert life.started == [
        (life.desk.app.folder, str(life.plugin), b'{"server_connection": {"Port": 1}}')
    ]


def test_a_worker_without_its_files_ends_and_removes_what_is_left(life):
    def uninstall():
        for name in ("version.py", "lantern.py"):
            (life.package / name).unlink()
        cache = life.package / "__pycache__"
        cache.mkdir()
        (cache / "lantern.cpython-313.pyc").write_bytes(b"")
        (life.plugin / "kept").mkdir()
        (life.plugin / "kept" / "by_hand.txt").write_text("")

    began = life.desk.clock.now
    assert life.run(uninstall) == [f"{ENDS}the plugin was uninstalled."]
    # Missing at two looks in a row; a look is every three seconds.
    assert 6.0 <= life.desk.clock.now - began < 10.0
    assert sorted(os.listdir(life.plugin)) == ["kept"]
    assert life.started == []


def test_files_that_are_back_at_the_next_look_are_an_update(life):
    away = life.package / "version.py"

    def replace():
        away.unlink()
        life.desk.clock.at[life.desk.clock.now + 3.0] = lambda: away.write_text("LIT = 22\n")

    (said,) = life.run(replace)
    assert said.startswith("The plugin was updated")


def test_a_worker_whose_folder_was_replaced_ends(life):
    path = os.path.join(life.desk.app.folder, "stash2plex.db")
    assert life.run(lambda: os.rename(path, path + ".old")) == [
        f"{ENDS}its data folder was removed or replaced."
    ]


def install(desk, *names):
    """Let Stash have plugins of these names."""
    os.makedirs(desk.stash.plugins.folder, exist_ok=True)
    for name in names:
        path = os.path.join(desk.stash.plugins.folder, f"{name}.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"name: {name}\nversion: '1'\n")
    desk.stash.plugins.reload()
    return desk.stash.plugins.disabled


def test_a_worker_whose_plugin_was_disabled_ends(life):
    disabled = install(life.desk, "Stash2Plex")
    assert life.run(lambda: disabled.add("Stash2Plex")) == [
        f"{ENDS}the plugin was disabled in Stash."
    ]


def test_a_worker_that_is_switched_off_ends(life):
    life.desk.restart(background_worker="off")
    life.lines = listen(life.desk)
    assert life.run() == [f"{ENDS}Background worker is off."]


def test_a_worker_without_stash_gives_up_with_keys_due(life):
    life.desk.add(life.desk.scene("a/pier.mp4"))
    life.desk.stash.down()
    began = life.desk.clock.now
    (said,) = life.run()
    assert said.startswith(ENDS)
    assert "Stash" in said
    assert 120.0 <= life.desk.clock.now - began < 200.0
    assert life.desk.rows("SELECT id FROM queue") == [(1,)]


def test_a_disabled_plugin_is_asked_for_once_a_minute(make_desk):
    desk = make_desk()
    disabled = install(desk, "Stash2Plex", "Lanterns")
    watch = DisabledWatch(desk.app)
    disabled.add("Stash2Plex")
    desk.stash.clear_log()
    answers = []
    for seconds in (0.0, 59.0, 1.0, 1.0):
        desk.clock.step(seconds)
        answers.append(watch.disabled())
    assert (answers, len(desk.stash.requests)) == ([False, False, True, False], 1)
    disabled.remove("Stash2Plex")
    disabled.add("Lanterns")
    desk.clock.step(60.0)
    assert not watch.disabled()
    assert len(desk.stash.requests) == 2


def test_a_stash_that_does_not_answer_has_disabled_nothing(make_desk):
    desk = make_desk()
    watch = DisabledWatch(desk.app)
    desk.stash.down()
    desk.clock.step(60.0)
    assert not watch.disabled()


@pytest.fixture
def heir(make_desk):
    """A desk, and the lock of a successor."""
    desk = make_desk()
    lock = drain_lock(desk.app.folder)
    yield desk, lock
    lock.release()


def inherit(desk, lock):
    return background.await_end(desk.app.folder, lock, desk.clock.monotonic, desk.clock.sleep)


def know_settings(desk, *, current):
    """Store whether the running worker has read the settings as they are now."""
    path = os.path.join(desk.folder, "config.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("plugins: {}\n")
    stamp = file_stamp(path) if current else "1-1"
    set_meta(desk.app.store.connection, SETTINGS_FILE, f"{stamp} {path}")


def test_a_successor_takes_over_when_the_worker_ends(heir):
    desk, lock = heir
    other = drain_lock(desk.app.folder)
    assert other.acquire()
    desk.clock.at[desk.clock.now + 3.0] = other.release
    began = desk.clock.now
    assert inherit(desk, lock)
    assert lock.held
    assert 3.0 <= desk.clock.now - began < 3.2


def test_a_successor_waits_a_minute_at_most(heir):
    desk, lock = heir
    other = drain_lock(desk.app.folder)
    assert other.acquire()
    began = desk.clock.now
    assert not inherit(desk, lock)
    assert 60.0 <= desk.clock.now - began < 60.2
    other.release()


@pytest.mark.parametrize(
    ("current", "drains", "waits"), [(True, True, False), (True, False, True), (False, True, True)]
)
def test_a_successor_is_needless_once_the_worker_has_read_the_settings(
    heir, current, drains, waits
):
    desk, lock = heir
    other = drain_lock(desk.app.folder)
    assert other.acquire()
    know_settings(desk, current=current)
    presence = show_presence(desk.app.folder, desk.clock.sleep) if drains else None
    began = desk.clock.now
    assert not inherit(desk, lock)
    assert (desk.clock.now - began >= 60.0) is waits
    if presence is not None:
        presence.release()
    other.release()


@pytest.mark.parametrize("name", [HOLD, BACKGROUND_WORKER])
def test_a_successor_that_nobody_wants_gives_the_lock_back(heir, name):
    desk, lock = heir
    know_settings(desk, current=True)
    set_meta(desk.app.store.connection, name, "{}" if name == HOLD else "off")
    assert not inherit(desk, lock)
    assert not lock.held


def closed(error, server=None):
    return Closed(error, 0.0, server)


DOWN = Unavailable("Stash", "Stash is away.")
SHUT = Refused("Stash", "Stash wants a log-in.")


def test_how_long_each_goal_waits_at_a_closed_gate():
    task, worker, service = Foreground("a test"), Background(), Service()
    away, gone = closed(DOWN, "stash"), closed(Unavailable("Plex", "Plex rests."), "plex")
    assert task.reason_to_give_up(gone, 299.9) is None
    assert task.reason_to_give_up(gone, 300.0) == (
        "Plex rests. Waited 5 min 00 s; run the task again later."
    )
    for error in (ConfigError("No."), OnHold("No."), Refused("Plex", "No.")):
        assert task.reason_to_give_up(closed(error), 0.0) == "No."
    assert worker.reason_to_give_up(gone, 1e9) is None
    assert worker.reason_to_give_up(away, 119.9) is None
    assert worker.reason_to_give_up(away, 120.0) == "Stash is away."
    assert worker.reason_to_give_up(closed(SHUT, "stash"), 0.0) == "Stash wants a log-in."
    assert worker.reason_to_give_up(closed(OnHold("A pause.")), 0.0) == "A pause."
    setting = closed(ConfigError("A setting."))
    assert worker.reason_to_give_up(setting, 899.9) is None
    assert worker.reason_to_give_up(setting, 900.0) == "A setting."
    assert service.reason_to_give_up(away, 1e9) is None
    assert service.reason_to_give_up(closed(SHUT, "stash"), 0.0) == "Stash wants a log-in."
    assert service.reason_to_give_up(closed(SHUT, "plex"), 0.0) is None
    assert [Foreground("x", patience=one).probe_seconds for one in (45.0, 45.1)] == [
        15.0, float("inf")
    ]  # fmt: skip


def test_a_service_waits_without_end_but_for_a_stash_that_refuses_it():
    refused = Closed(Refused("Stash", "Stash refuses the key."), 0.0, "stash")
    assert Service().reason_to_give_up(refused, 0.0) == str(refused.error)
    for error, server in (
        (Refused("Plex", "Plex refuses the token."), "plex"),
        (Unavailable("Stash", "Stash cannot be reached."), "stash"),
    ):
        assert Service().reason_to_give_up(Closed(error, 0.0, server), 1e9) is None


def test_the_stamp_of_the_plugins_files_shows_each_change(life):
    stamps = {read_stamp(str(life.plugin))}
    (life.package / "lantern.py").write_text("LIT = 12\n")
    stamps.add(read_stamp(str(life.plugin)))
    os.utime(life.package / "lantern.py", ns=(1, 1 << 62))
    stamps.add(read_stamp(str(life.plugin)))
    (life.package / "boat.py").write_text("")
    stamps.add(read_stamp(str(life.plugin)))
    assert len(stamps) == 4
    cache = life.package / "__pycache__"
    cache.mkdir()
    (cache / "boat.pyc").write_bytes(b"x")
    assert read_stamp(str(life.plugin)) in stamps
    (life.package / "version.py").unlink()
    assert read_stamp(str(life.plugin)) is None
