"""What the user types and reads: words, JSON, layout and exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from stash2plex.lock import drain_runs
from stash2plex.operations.health.checks import blocked, failed, passed
from stash2plex.operations.health.report import NAMES
from stash2plex.tasks.registry import TASKS
from stash2plex.ui.screens import health_screen, status_screen
from stash2plex_testing.world import ROOT
from tests.support import until


def give_up_two(desk):
    for folder in "ab":
        desk.plex.add_item(desk.section, file=f"/media/{folder}/quay.mp4")
    twins = [
        desk.stash.add_scene(title=f"Twins {number}", files=[f"/data/{number}/quay.mp4"])
        for number in range(2)
    ]
    code, out, _ = desk.run("sync", "--all")
    assert (code, "2 given up" in out) == (1, True)
    return [twin.id for twin in twins]


def test_status_health_and_outages_in_words_and_as_json(desk):
    assert desk.run("sync", "--all")[0] == 0
    code, out, _ = desk.run("status")
    assert code == 0
    assert "In sync: 6 scenes" in out
    assert "So far: 6 scenes written, an edit takes" in out
    assert json.loads(desk.run("status", "--json")[1]) == json.loads(
        desk.run("--json", "status", "--format", "json")[1]
    )
    code, out, _ = desk.run("health")
    assert (code, f"All {len(NAMES)} checks pass." in out) == (0, True)
    assert {check["ok"] for check in json.loads(desk.run("health", "--json")[1])["checks"]} == {
        True
    }
    code, out, _ = desk.run("outages")
    assert (code, out.startswith("No outage since")) == (0, True)
    assert json.loads(desk.run("outages", "--json")[1])["total"] == 0


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"plex_url": "http://127.0.0.1:9"}, 3),
        ({"plex_token": "old"}, 2),
        ({"plex_library": "Harbour Filmz"}, 2),
        ({}, 0),
    ],
)
def test_health_ends_with_the_worst_it_found(desk, settings, code):
    desk.set(**settings)
    assert desk.run("health")[0] == code


def test_health_reports_a_folder_that_cannot_be_used(desk):
    with open(desk.folder, "w", encoding="ascii"):
        pass
    code, out, _ = desk.run("health")
    assert (code, "database: The data folder" in out) == (1, True)


def test_dead_letters_listed_shown_retried_and_discarded(desk):
    first, second = give_up_two(desk)
    code, out, _ = desk.run("dlq", "list")
    assert (code, "2 dead letters in all." in out) == (0, True)
    assert f"scene:{first} (ambiguous," in out
    rows = json.loads(desk.run("dlq", "list", "--reason", "ambiguous", "--json")[1])
    assert (rows["total"], rows["groups"][0]["words"]) == (2, "several Plex items fit")
    out = desk.run("dlq", "show", str(first))[1]
    assert "File: “/data/0/quay.mp4”" in out
    assert "What to do: Set Path map" in out
    assert "History:" in out
    assert desk.run("dlq", "show", "1")[0] == 2
    code, _, err = desk.run("dlq", "retry")
    assert (code, "one of --scene ID, --reason, or --all" in err) == (2, True)
    assert json.loads(desk.run("dlq", "retry", "--scene", str(first), "--json")[1]) == {
        "changed": 1
    }
    assert json.loads(desk.run("dlq", "discard", "--all", "--json")[1]) == {"changed": 1}
    assert json.loads(desk.run("dlq", "recover", "--json")[1]) == {"changed": 0}
    assert json.loads(desk.run("dlq", "purge", "--days", "0", "--json")[1]) == {"changed": 0}
    assert second


NEEDS = {
    "check_settings": "“values”", "save_settings": "“values”", "connect": "Plex URL",
    "scenes": "“state”", "retry_reason": "“reason”", "discard_reason": "“reason”",
    "entity": "“performer_id”", "choose_item": "“rating_key”",
}  # fmt: skip
"""Operations of the page that need an argument of their own, and what their error names."""


def test_any_task_or_operation_runs_from_the_command_line(desk, monkeypatch):
    # Nobody listens there.
    monkeypatch.setenv("STASH2PLEX_PLEX_TV_URL", "http://127.0.0.1:9")
    desk.run("sync", "--all")
    for task in TASKS:
        code, out, err = desk.run("operation", task.mode, "scene_ids=[1]", "scene_id=1", "--json")
        assert "\x01" not in err
        if task.mode in NEEDS:
            assert (code, NEEDS[task.mode] in err) == (2, True), f"{task.mode}: {err}"
        elif task.mode in ("sign_in", "choose_server"):
            assert (code, "plex.tv" in err) == (3, True), f"{task.mode}: {err}"
        else:
            assert code == 0, f"{task.mode}: {err}"
            assert json.loads(out) is not None
    code, _, err = desk.run("operation", "purge_dlq", "days=soon")
    assert (code, "“days” is 'soon'" in err) == (2, True)
    assert desk.run("operation", "sail")[0] == 2
    assert desk.run("operation", "status", "nonsense")[0] == 2


def test_a_hidden_library_is_hidden_in_what_a_person_may_post(desk):
    give_up_two(desk)
    desk.set(obfuscate_paths=True)
    assert "Twins" not in desk.run("health")[1]
    for words in (["status"], ["health"], ["outages"], ["dlq", "list"]):
        out = desk.run(*words)[1]
        assert "Twins" not in out
        assert "Harbour" not in out
        assert "/data" not in out
    assert "Twins" in desk.run("dlq", "list", "--json")[1]
    desk.set(obfuscate_paths=True, plex_library="Secret films")
    code, out, err = desk.run("process")
    assert code == 2
    assert "movie-type library named" in " ".join(out.split())
    assert "Secret" not in out + err
    assert "Secret" not in desk.run("operation", "clear_match_cache")[2]


def test_the_shell_completes_commands(desk, monkeypatch):
    monkeypatch.setenv("_STASH2PLEX_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", "stash2plex ")
    monkeypatch.setenv("COMP_CWORD", "he")
    assert "plain,health" in desk.run()[1]


def test_completion_and_help(desk):
    for shell, word in (("zsh", "#compdef stash2plex"), ("fish", "complete")):
        code, out, _ = desk.run("completion", shell)
        assert (code, word in out) == (0, True)
    known = desk.run("--help")[1]
    for name in ("status", "process", "sync", "dlq", "health", "outages", "import-legacy", "serve"):
        assert name in known


def test_the_demo_has_help_of_its_own(desk):
    code, out, _ = desk.run("demo", "--help")
    assert code == 0
    assert "--scenes" in out


@pytest.mark.parametrize("flags", [[], ["--debug"]])
def test_every_decision_is_explained_where_that_is_asked_for(desk, flags):
    code, out, err = desk.run(*flags, "sync", "--all")
    assert code == 0
    log = os.path.join(desk.folder, "worker.log")
    written = ""
    if os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            written = file.read()
    for said in (err, written):
        assert ("debug" in said, "scene:1: " in said) == (bool(flags), bool(flags))
    assert "6 scenes" in err + out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["process", "--sail"], "--sail"),
        (["sail"], "No such command 'sail'"),
        (["sync", "--wait", "soon", "--all"], "Invalid value for '--wait'"),
        (["scene"], "Missing argument 'ID'"),
    ],
)
def test_what_is_typed_wrongly_is_named_and_ends_with_2(desk, given, said):
    code, out, err = desk.run(*given)
    assert (code, out) == (2, "")
    assert said in err
    assert "Usage:" in err


# -- Prometheus -----------------------------------------------------------------------------

SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{([a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="[^"]*")*)\})? (\S+)')


def test_prometheus_text_is_valid_and_says_nothing_of_the_library(desk):
    give_up_two(desk)
    out = desk.run("status", "--format", "prometheus")[1]
    families: dict[str, Any] = {}
    current = ""
    for line in out.splitlines():
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current not in families, "a family must come once and whole"
            families[current] = (kind, [])
        elif not line.startswith("# HELP "):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            name, labels, value = sample.groups()
            assert name.startswith(current)
            families[current][1].append((name.removeprefix(current), labels, float(value)))
    assert out.endswith("\n")
    values = {
        name + end + (f"{{{labels}}}" if labels else ""): value
        for name, (_, samples) in families.items()
        for end, labels, value in samples
    }
    assert values['stash2plex_scenes_total{outcome="written"}'] == 6
    assert values['stash2plex_dead_letters_total{reason="ambiguous"}'] == 2
    assert values['stash2plex_queue_keys{state="dead"}'] == 2
    assert values["stash2plex_plex_up"] == 1
    kind, samples = families["stash2plex_edit_seconds"]
    assert kind == "histogram"
    buckets = [value for end, _, value in samples if end == "_bucket"]
    assert buckets == sorted(buckets)
    assert samples[len(buckets) - 1][1] == 'le="+Inf"'
    assert buckets[-1] == values["stash2plex_edit_seconds_count"] == 6
    assert all(
        name.endswith("_total") == (kind == "counter") for name, (kind, _) in families.items()
    )
    assert "Twins" not in out
    assert "Harbour" not in out


# -- screens --------------------------------------------------------------------------------


def drawn(renderable, width, color=None):
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=color is not None, color_system=color)
    console.print(renderable)
    return shown.getvalue()


@pytest.mark.parametrize("width", [30, 40, 80, 200])
def test_screens_fit_their_width_and_lose_no_word(desk, width):
    desk.run("sync", "--all")
    status = json.loads(desk.run("status", "--json")[1])
    out = drawn(status_screen(status, str), width)
    assert max(len(line) for line in out.splitlines()) <= width
    assert "Harbour Films" in " ".join(out.split())
    checks = [
        passed("Stash", "Version 1, answers in 3 ms."),
        failed("Plex token", "Plex does not accept it.", "Put a fresh one in."),
        blocked("Plex library", "Plex token"),
    ]
    out = drawn(health_screen(checks, width, str), width)
    assert max(len(line) for line in out.splitlines()) <= width
    for word in ("pass", "FAIL", "skip", "→", "fresh"):
        assert word in out


@pytest.mark.parametrize("width", [40, 80])
def test_while_it_drains_there_is_a_bar_and_all_the_rest(desk, width):
    status = json.loads(desk.run("status", "--json")[1])
    status["queue"]["pending"] = 30
    status["worker"] |= {"running": True, "origin": "service", "pid": 17, "handled": 10}
    status |= {"eta_s": 90, "rate_per_s": 0.33}
    lines = drawn(status_screen(status, str), width).splitlines()
    assert "━" in lines[0]
    assert lines[1].startswith("Now")
    words = " ".join(" ".join(lines).split())
    assert "the service is running (process 17), 0.3/s, about 1 min 30 s left" in words
    status["worker"]["why"] = "Plex is busy."
    status["worker"]["outlook"] = "Waiting for Plex, next try in 8 s."
    status["eta_s"] = None
    words = " ".join(drawn(status_screen(status, str), width).split())
    assert "Plex is busy. Waiting for Plex, next try in 8 s." in words
    assert "left" not in words


def test_colour_says_nothing_that_words_do_not(desk):
    checks = [failed("Plex token", "Plex does not accept it.", "Put a fresh one in.")]
    plain = drawn(health_screen(checks, 80, str), 80)
    coloured = drawn(health_screen(checks, 80, str), 80, "standard")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[" in coloured


def test_no_colour_where_it_is_not_wanted(desk):
    process = subprocess.run(
        [sys.executable, "-m", "stash2plex", "status"],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"},
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert "\x1b[3" not in process.stdout
    assert "Queue" in process.stdout


# -- processes ------------------------------------------------------------------------------


def started(desk, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "stash2plex", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_service_sends_what_comes_and_ends_cleanly(desk, number, code):
    desk.set(skip_fields="poster background", background_worker="off")
    process = started(desk, "serve")
    until(lambda: os.path.exists(desk.folder) and drain_runs(desk.folder))
    desk.run("operation", "sync", "scene_ids=[1,2,3]")
    until(lambda: desk.plex.count("PUT") == 3)
    status = json.loads(desk.run("status", "--json")[1])
    assert status["worker"]["origin"] == "service"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "The service has started" in err
    assert "The service ends" in err
    status = json.loads(desk.run("status", "--json")[1])
    assert (status["queue"]["pending"], status["synced"]) == (0, 3)


def test_watching_writes_again_and_again_and_ends_with_ctrl_c(desk):
    process = started(desk, "status", "--watch")
    queues = (line for line in process.stdout if line.startswith("Queue:"))
    assert [next(queues).partition(",")[0] for _ in range(2)] == ["Queue: 0 due"] * 2
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_on_a_terminal_one_screen_is_kept_up_to_date(desk):
    pty = pytest.importorskip("pty", reason="Windows has no such terminal")
    desk.run("operation", "status")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stash2plex", "status", "--watch"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    try:
        seen = bytearray()

        def shows(words):
            if select.select([ours], [], [], 0)[0]:
                seen.extend(os.read(ours, 65536))
            return words in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen)

        until(lambda: shows(b"0 due"))
        desk.stash.configure_plugin("Stash2Plex", {"background_worker": "off"})
        desk.run("operation", "sync", "scene_ids=[1,2]")
        until(lambda: shows(b"2 due"))
        # The cursor goes back up: it is the same screen.
        assert re.search(rb"\x1b\[\d*A", seen)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    os.close(ours)
    assert process.returncode == 130
