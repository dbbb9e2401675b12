"""Makes copies of the work tree: the tree itself is never measured or broken."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = "stash2plex"
"""The folder whose lines count. Everything below it is found without a list."""

STATE_VARIABLE = "S2P_REACH_STATE"
"""Environment variable that names the folder for the measurements."""

TEST_VARIABLE = "S2P_REACH_TEST"
"""Environment variable that names the running test."""

PREFIX = "s2p-tree-"
"""How the names of copies begin; the id of the process that made the copy follows."""


def tree_files(root: str = ROOT) -> list[str]:
    """List the files of the tree, including new ones, without those that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name for name in listed.stdout.split("\0") if name}
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


def digest(names: Iterable[str], root: str = ROOT) -> str:
    """Return a digest of names and contents."""
    total = hashlib.sha256()
    for name in names:
        with open(os.path.join(root, name), "rb") as file:
            total.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()[:16]


class TreeCopy:
    """A copy of the work tree in a separate folder, removed at the end. A context manager.

    The copy is in `tree`; temporary files of what runs in it are in `scratch`.
    """

    def __init__(self, root: str = ROOT) -> None:
        self._root = root
        self.folder = ""

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        os.mkdir(self.scratch)
        for name in tree_files(self._root):
            target = os.path.join(self.tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(self._root, name), target)
        for name in ("build", "dist"):
            # What `make plugin` made: the packages in the archive, and the archive.
            held = os.path.join(self._root, name)
            if os.path.isdir(held):
                ignored = shutil.ignore_patterns("reach", "site")
                shutil.copytree(held, os.path.join(self.tree, name), ignore=ignored)
        # A test of the documents lists them with git.
        subprocess.run(["git", "init", "--quiet", self.tree], check=True)
        subprocess.run(["git", "add", "--all"], cwd=self.tree, check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.end_processes()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def tree(self) -> str:
        """The folder of the copied files."""
        return os.path.join(self.folder, "tree")

    @property
    def scratch(self) -> str:
        """The folder for temporary files."""
        return os.path.join(self.folder, "scratch")

    def build_archive(self) -> bool:
        """Build the archive from the copy; returns False if that fails."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.build_plugin"],
            cwd=self.tree,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def end_processes(self) -> None:
        """Kill what was started from this copy and still runs, including detached workers."""
        if self.folder:
            end_processes(self.folder)


def end_processes(folder: str) -> None:
    """Kill the processes that `processes_below` lists."""
    for pid in processes_below(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes_below(folder: str) -> list[int]:
    """List the processes whose command line names a path below a folder."""
    needle = folder.encode() + b"/"
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
            if needle in words and int(pid) != os.getpid():
                found.append(int(pid))
    return found


def remove_orphans() -> None:
    """Remove the copies that killed processes left behind."""
    base = tempfile.gettempdir()
    for name in os.listdir(base):
        pid = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            end_processes(os.path.join(base, name))
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
