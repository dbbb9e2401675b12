"""A report that can be posted: complete, and without a name."""

from __future__ import annotations

import json
import os

from stash2plex.config import parse_settings
from stash2plex.logs.redact import Pseudonyms
from stash2plex.operations.report import TAIL_BYTES, changed_settings, log_tail

HEADS = [
    "== Versions ==", "== Settings that are not the default ==", "== Health Check ==",
    "== Status ==", "== Last lines of worker.log ==",
]  # fmt: skip


def test_it_has_every_part_and_no_name(desk):
    desk.set(skip_fields="poster background", exclude_tags="Secret cove")
    assert desk.run("process")[0] == 0
    desk.run("sync", "--all")
    with open(os.path.join(desk.folder, "worker.log"), "a", encoding="utf-8") as file:
        line = f"“A hidden pier” at /data/pier.mp4 {desk.plex.token}"
        file.write(f"2026-01-31 12:00:00 warning {line}\n")
    code, out, _ = desk.run("report")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("== ")] == HEADS
    assert "pass Stash: Version v0.30.1" in out
    assert "skip_fields = background poster" in out
    assert "exclude_tags is set" in out
    assert "Queue: 0 due" in out
    titles = [scene.title for scene in desk.stash.library.scenes.values() if scene.title]
    for private in (
        "hidden pier",
        "pier.mp4",
        desk.plex.token,
        "Secret cove",
        "Harbour Films",
        *titles,
    ):
        assert private not in out


def test_it_is_json_and_an_operation_too(desk):
    lines = json.loads(desk.run("report", "--json")[1])["report"]
    asked = json.loads(desk.run("operation", "report")[1])["report"]
    assert [line for line in lines if line.startswith("== ")] == HEADS
    assert [line for line in asked if line.startswith("== ")] == HEADS


def test_without_stash_it_still_has_its_parts(desk, monkeypatch):
    monkeypatch.setenv("STASH2PLEX_STASH_URL", "http://127.0.0.1:9")
    code, out, _ = desk.run("report")
    assert code == 0
    assert "FAIL Stash" in out
    assert [line for line in out.splitlines() if line.startswith("== ")] == HEADS


def test_a_report_without_stash_and_without_a_folder(desk, monkeypatch):
    monkeypatch.setenv("STASH2PLEX_STASH_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("STASH2PLEX_DATA_DIR")
    code, out, _ = desk.run("report")
    assert (code, "FAIL Stash: " in out, "Or name the folder with --data-dir." in out) == (
        0, True, True,
    )  # fmt: skip
    lines = json.loads(desk.run("report", "--json")[1])["report"]
    heads = [line for line in out.splitlines() if line.startswith("== ")]
    assert [line for line in lines if line.startswith("== ")] == heads


def test_without_a_database_it_names_the_reason(desk, tmp_path):
    os.makedirs(desk.folder)
    with open(os.path.join(desk.folder, "stash2plex.db"), "wb"):
        pass
    os.rename(desk.folder, f"{desk.folder}-aside")
    with open(desk.folder, "w", encoding="ascii"):
        pass
    out = desk.run("report")[1]
    assert "FAIL database" in out
    assert str(tmp_path) not in out


def test_what_was_hidden_before_keeps_its_alias():
    alias, other = Pseudonyms(b"one"), Pseudonyms(b"two")
    for text in (
        "“A pier” is gone", "“/data/pier.mp4” is gone", "/data/pier is gone",
        "Plex at http://harbour:32400 is gone", "“http://harbour:32400”",
    ):  # fmt: skip
        hidden = alias.text(text)
        assert hidden != text
        assert other.text(hidden) == hidden


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    assert log_tail(str(tmp_path)) == []
    (tmp_path / "worker.log").write_text("x" * TAIL_BYTES + "\none\ntwo\n", encoding="ascii")
    assert log_tail(str(tmp_path), 2) == ["one", "two"]


def test_texts_of_settings_are_only_called_set():
    settings, _ = parse_settings(
        {"plex_url": "http://harbour:32400", "plex_token": "t" * 20, "max_tags": 7,
         "only_organized": True, "reconcile_interval": "never"}
    )  # fmt: skip
    assert changed_settings(settings) == [
        "plex_url is set", "plex_token is set", "only_organized = True",
        "reconcile_interval = never", "max_tags = 7",
    ]  # fmt: skip


def test_of_a_long_log_only_the_end_is_read(tmp_path):
    (tmp_path / "worker.log").write_text("".join(f"line {n:>6}\n" for n in range(10_000)))
    found = log_tail(str(tmp_path), 10_000)
    assert found[-1] == "line   9999"
    assert sum(len(line) + 1 for line in found) == TAIL_BYTES
