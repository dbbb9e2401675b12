"""Commands in odd circumstances: nobody reads, another process works, the folder is elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from stash2plex.cli.config import CliOptions, resolve
from stash2plex.errors import ConfigError, Unavailable
from stash2plex.lock import drain_lock
from stash2plex.operations.health.checks import SKIPPED
from stash2plex_testing.world import ROOT, World
from tests.support import until


def started(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "stash2plex", *words],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,
    )


def test_an_address_of_stash_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match="“ftp://quay”; it must begin with http"):
        resolve(CliOptions(stash_url="ftp://quay", data_dir=str(tmp_path)), {})


@pytest.mark.parametrize(("name", "place"), [("HOME", ".config/"), ("XDG_CONFIG_HOME", "")])
def test_the_configuration_is_found_where_the_system_keeps_such_files(tmp_path, name, place):
    folder = tmp_path / place / "stash2plex"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("max_tags = 9\n")
    options = CliOptions(data_dir=str(tmp_path))
    assert resolve(options, {name: str(tmp_path)}).settings == {"max_tags": 9}
    assert resolve(options, {name: str(tmp_path / "elsewhere")}).settings == {}


def test_the_data_folder_is_beside_stash_or_where_the_environment_says(desk, monkeypatch, tmp_path):
    found = resolve(CliOptions(stash_url=desk.stash.url, data_dir=str(tmp_path)), {})
    assert found.data_dir == str(tmp_path)
    monkeypatch.delenv("STASH2PLEX_DATA_DIR")
    options = CliOptions(stash_url=desk.stash.url)
    beside = resolve(options, {}).data_dir
    assert os.path.basename(beside) == "stash2plex"
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path / "given"))
    assert resolve(options, {}).data_dir == str(tmp_path / "given")
    monkeypatch.delenv("STASH_PLUGIN_DATA")
    shutil.rmtree(os.path.dirname(beside))
    with pytest.raises(ConfigError, match="not on this machine") as caught:
        resolve(options, {})
    assert "--data-dir" in (caught.value.fix or "")
    desk.stash.stop()
    with pytest.raises(Unavailable):
        resolve(options, {})


def test_a_reader_that_goes_early_is_no_error_to_show(desk):
    reading, writing = os.pipe()
    os.close(reading)
    process = started("status", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_the_demo_has_help_of_its_own(desk):
    code, out, _ = desk.run("demo", "--help")
    assert code == 0
    assert "--scenes" in out


def test_a_task_that_answers_with_a_sentence_shows_it_as_it_is(desk):
    sentence = json.loads(desk.run("operation", "clear_queue", "--json")[1])
    assert desk.run("operation", "clear_queue")[:2] == (0, f"{sentence}\n")


def test_one_scene_is_previewed_as_a_task_where_its_id_is_given(desk):
    assert json.loads(desk.run("operation", "preview", "scene_id=2", "--json")[1])["seen"] == 1
    assert json.loads(desk.run("operation", "preview", "--json")[1])["seen"] == 6


def test_chosen_and_recent_scenes_are_sent_and_counted(desk):
    code, out, err = desk.run("sync", "--scene", "1", "--scene", "2")
    assert code == 0
    assert "2 scenes" in err
    assert "2 scenes in sync" in out
    code, out, err = desk.run("sync", "--recent")
    assert code == 0
    assert "4 scenes" in err
    assert "4 scenes in sync" in out


def test_what_was_compared_is_shown_before_what_was_sent(desk):
    desk.run("sync", "--all")
    item = desk.plex.all_items()[0]
    item.title = "Somebody's words"
    code, out, _ = desk.run("reconcile")
    assert code == 0
    compared, _, sent = out.partition("scene in sync after")
    assert sent
    assert "1 " in compared


def test_a_service_waits_for_the_process_that_works_and_ends_while_it_waits(desk):
    desk.set(skip_fields="poster background", background_worker="off")
    desk.run("status")
    lock = drain_lock(desk.folder)
    assert lock.acquire()
    process = started("serve")
    for line in process.stderr:
        if "Another process works" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The service" not in err
    process = started("serve")
    for line in process.stderr:
        if "Another process works" in line:
            break
    lock.release()
    for line in process.stderr:
        if "The service has started" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Another process" not in err


def test_a_service_that_stash_refuses_ends_with_why(tmp_path, monkeypatch):
    with World(str(tmp_path), username="keeper", password="lantern", api_key="the key") as world:
        monkeypatch.setenv("STASH2PLEX_STASH_URL", world.stash.url)
        monkeypatch.setenv("STASH2PLEX_STASH_API_KEY", "an old key")
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", str(tmp_path / "data"))
        process = started("serve")
        _, err = process.communicate(timeout=60)
    assert process.returncode not in (0, 1)
    assert "stash2plex: Stash" in err


def test_a_second_signal_ends_at_once():
    code = (
        "import os, signal\n"
        "from stash2plex.cli.shell import StopSignals\n"
        "stop = StopSignals()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "assert stop.wanted()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('still here')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_in_a_command_is_no_trace(desk):
    process = started("status", "--watch", stdout=subprocess.PIPE)
    until(process.stdout.readline)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")


def test_plex_is_checked_while_stash_is_away_where_its_address_is_given(desk, monkeypatch):
    desk.run("sync", "--all")
    monkeypatch.setenv("STASH2PLEX_PLEX_URL", desk.plex.url)
    monkeypatch.setenv("STASH2PLEX_PLEX_TOKEN", desk.plex.token)
    monkeypatch.setenv("STASH2PLEX_PLEX_LIBRARY", desk.section.title)
    desk.stash.stop()
    code, out, _ = desk.run("health", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 3
    assert checks["Plex"]["ok"]
    assert checks["edit rights"]["ok"]
    assert checks["matches"]["state"] == SKIPPED
    assert "Stash" in checks["matches"]["detail"]
