"""Canaries for token, key and cookie: everything is run, everything is searched, none is found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import suppress

from stash2plex.tasks.registry import TASKS
from stash2plex_testing.plex import Fault
from tests.support import present

TOKEN, KEY = "canary-token-7f3a91", "canary-key-c04be8"


class Watch:
    """Reads command line and environment of every process of ours, as long as it runs."""

    def __init__(self, mark):
        self.mark = mark
        self.others = set(filter(str.isdigit, os.listdir("/proc")))
        """Processes that were there before; ours come later."""
        self.seen = {}
        self.core_sizes = {}
        """The last that was seen of each worker: how large a memory dump of it may get."""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.02):
            for pid in filter(str.isdigit, set(os.listdir("/proc")) - self.others):
                with suppress(OSError):
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        line = file.read()
                    if self.mark in line and int(pid) != os.getpid():
                        with open(f"/proc/{pid}/environ", "rb") as file:
                            self.seen[pid] = line + file.read()
                        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                            limits = re.search(r"core file size +(\w+) +(\w+)", file.read())
                        if b"\0worker\0" in line:
                            self.core_sizes[pid] = present(limits).groups()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def everything_below(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with suppress(FileNotFoundError), open(path, "rb") as file:
                found[path] = file.read()
    return found


def shell(stage, tmp_path, *arguments):
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    config = tmp_path / "config.toml"
    config.write_text(
        f'stash_url = "{stage.stash.url}"\nstash_api_key = "{KEY}"\nplex_token = "{TOKEN}"\n'
    )
    done = subprocess.run(
        [sys.executable, "-IS", os.path.join(plugin, "process_queue.py"),
         "--config", str(config), "--debug", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_no_secret_is_ever_anywhere(make_stage, tmp_path):
    stage = make_stage(
        4,
        settings={"debug_logging": True},
        username="keeper",
        password="canary-password",
        api_key=KEY,
    )
    stage.plex.token = TOKEN
    said = {}
    with Watch(b"plugins/Stash2Plex") as watch:
        stage.configure(debug_logging=True)
        for scene in (1, 2):
            stage.edit(scene, title=f"Lantern {scene}")
        stage.until(lambda: stage.queue()["pending"] + stage.queue()["in_progress"] == 0)
        # Every kind of failure that has words of its own.
        for fault in (
            Fault("status", status=401),
            Fault("status", status=400, method="PUT"),
            Fault("redirect"),
            Fault("html", path="metadata"),
            Fault("reset", method="PUT"),
        ):
            stage.plex.faults.add(fault)
            stage.edit(3, title=f"Fog {fault.kind} {fault.status}")
            said[f"fault {fault.kind}"] = stage.said("process_queue", max_wait=0)
            stage.plex.faults.clear()
        stage.configure(plex_url=f"http://{TOKEN}@127.0.0.1:9/?X-Plex-Token={TOKEN}")
        said["bad address"] = stage.said("process_queue", max_wait=0)
        stage.configure(plex_url="http://127.0.0.1:9")
        said["no server"] = stage.said("process_queue", max_wait=0)
        stage.configure(plex_token=f"{TOKEN} with a space")
        said["bad token"] = stage.said("process_queue", max_wait=0)
        stage.configure(debug_logging=True)
        for task in TASKS:
            said[task.mode] = stage.said(task.mode, max_wait=0, scene_id=1, scene_ids=[1])
        for arguments in (
            ["status"], ["--json", "status"], ["sync", "--all"], ["--json", "process"],
            ["dlq", "list"], ["--json", "dlq", "list"], ["sync", "--scene", "x"],
        ):  # fmt: skip
            said[" ".join(arguments)] = shell(stage, tmp_path, *arguments).decode()
        stage.end_worker()
    # One that ends before it has read anything has nothing to dump.
    with open(os.path.join(stage.data_dir, "worker.log"), encoding="utf-8") as file:
        started = re.findall(r"has started \(process (\d+)\)", file.read())
    sizes = {watch.core_sizes[pid] for pid in started if pid in watch.core_sizes}
    assert sizes == {("0", "0")}
    assert stage.wrong() == []
    cookies = {
        part.partition("=")[2]
        for entry in stage.stash.requests
        for part in entry.headers.get("Cookie", "").split("; ")
        if part.startswith("session=")
    }
    assert cookies
    assert KEY in {entry.headers.get("ApiKey") for entry in stage.stash.requests}
    places = {
        **everything_below(stage.data_dir),
        **{f"process {pid}": text for pid, text in watch.seen.items()},
        **{f"said by {name}": text.encode() for name, text in said.items()},
        "log of Stash": "\n".join(line.message for line in stage.stash.log).encode(),
        "addresses at Stash": "\n".join(entry.path for entry in stage.stash.requests).encode(),
        "addresses at Plex": json.dumps(
            [[record.path, record.query] for record in stage.plex.requests]
        ).encode(),
    }
    assert len(watch.seen) > 3
    assert any(path.endswith("stash2plex.db") for path in places)
    assert any(path.endswith("worker.log") for path in places)
    for place, text in places.items():
        for secret in (TOKEN, KEY, "canary-password", *cookies):
            assert secret.encode() not in text, place
    assert stage.plex.tokens_in_urls == 0
