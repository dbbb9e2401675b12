"""Builds dist/Stash2Plex.zip and dist/index.yml, byte for byte the same from the same commit."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENDOR = os.path.join(ROOT, "build", "vendor")
LOCK = os.path.join(ROOT, "requirements", "runtime.txt")
MAX_BYTES = 3_000_000

LEFT_OUT = ("pygments", "markdown_it_py", "mdurl", "markdown_it", "colorama", "bin")
"""rich needs these for highlighted source, Markdown and old Windows consoles; we show none."""


def main() -> int:
    """Build both files and print the result."""
    vendor_packages()
    moment = commit_time()
    dist = os.path.join(ROOT, "dist")
    os.makedirs(dist, exist_ok=True)
    archive = os.path.join(dist, "Stash2Plex.zip")
    write_archive(archive, moment)
    size = os.path.getsize(archive)
    if size > MAX_BYTES:
        print(f"{archive} has {size:,} bytes, more than {MAX_BYTES:,}.", file=sys.stderr)
        return 1
    write_index(os.path.join(dist, "index.yml"), archive, moment)
    print(f"dist/Stash2Plex.zip: {size:,} bytes", file=sys.stderr)
    return 0


def vendor_packages() -> None:
    """Unpack the locked pure-Python packages, unless the lock has not changed since last time."""
    with open(LOCK, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(VENDOR, ".lock")
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == wanted:
                return
    shutil.rmtree(VENDOR, ignore_errors=True)
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:",
            # Wheels for any machine: a compiled one would not work on Alpine.
            "--platform", "any", "--implementation", "py", "--abi", "none",
            "--python-version", "3.11", "--target", VENDOR, "-r", LOCK,
        ],
        check=True,
    )  # fmt: skip
    for name in os.listdir(VENDOR):
        if name.split("-")[0].lower().replace("-", "_") in LEFT_OUT:
            shutil.rmtree(os.path.join(VENDOR, name))
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted)


def commit_time() -> datetime:
    """Return the date of the build, which decides whether Stash offers an update (stash.md §8.1).

    It is `SOURCE_DATE_EPOCH` if that is set, else the date of the commit. Changes that are not
    committed do not count: such a build has the date of its commit. Without git it is the time of
    the newest source file.
    """
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.fromtimestamp(int(epoch), UTC)
    shown = _git("log", "--topo-order", "--reverse", "--format=%H %ct %P")
    if not shown:
        print("There is no git history: the date is that of the newest file.", file=sys.stderr)
        return datetime.fromtimestamp(newest_file(), UTC)
    if _git("status", "--porcelain"):
        print("Not everything is committed: the date is that of the commit.", file=sys.stderr)
    return datetime.fromtimestamp(commit_date(shown.splitlines()), UTC)


def _git(*arguments: str) -> str:
    """Run git in the tree; returns its output, or "" without git or history."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def commit_date(history: Iterable[str]) -> int:
    """Return the date of the last commit of a history, in seconds since the epoch.

    Each line is a commit, its committer time and its parents; parents come first. A rebase writes
    many commits in one second, and clocks differ: a commit that is not later than its parents
    counts as one second later than the latest of them. So every commit has a later date than those
    before it, and the same history always gives the same dates.
    """
    dates: dict[str, int] = {}
    date = 0
    for line in history:
        commit, seconds, *parents = line.split()
        # A shallow clone does not have the parents of its first commits.
        date = max([int(seconds), *(dates[one] + 1 for one in parents if one in dates)])
        dates[commit] = date
    return date


def newest_file() -> int:
    """Return when a file of the archive was last changed, in seconds since the epoch.

    The vendored packages are left out: they are unpacked by the build.
    """
    paths = [path for _, path in archive_files() if not path.startswith(VENDOR)]
    return int(max(os.path.getmtime(path) for path in paths))


def archive_files() -> list[tuple[str, str]]:
    """List (name in the archive, path on disk), sorted by name."""
    found = []
    trees = [
        (os.path.join(ROOT, "plugin"), ""),
        (os.path.join(ROOT, "stash2plex"), "stash2plex"),
        (VENDOR, "vendor"),
    ]
    for tree, prefix in trees:
        for folder, folders, names in os.walk(tree):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                path = os.path.join(folder, name)
                inside = os.path.join(prefix, os.path.relpath(path, tree)).replace(os.sep, "/")
                if wanted(inside):
                    found.append((inside, path))
    found.append(("LICENSE", os.path.join(ROOT, "LICENSE")))
    return sorted(found)


def wanted(name: str) -> bool:
    """Keep code, data and licences; leave out records of the installation."""
    if name.endswith((".pyc", ".lock", ".pyi", ".exe", ".so", ".pyd")):
        return False
    if ".dist-info/" in name:
        return "licenses/" in name or name.endswith(("/METADATA", "/LICENSE"))
    return True


def write_archive(path: str, moment: datetime) -> None:
    """Write the zip: sorted names, one time, fixed modes."""
    stamp = moment.timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in archive_files():
            entry = zipfile.ZipInfo(name, date_time=stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            with open(source, "rb") as file:
                archive.writestr(entry, file.read(), compresslevel=9)


def write_index(path: str, archive: str, moment: datetime) -> None:
    """Write the source index with its one entry (stash.md §8.1)."""
    with open(os.path.join(ROOT, "plugin", "Stash2Plex.yml"), encoding="utf-8") as file:
        plugin = yaml.safe_load(file)
    with open(archive, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    entry = {
        "id": "Stash2Plex",
        "name": plugin["name"],
        "version": str(plugin["version"]),
        "date": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "path": os.path.basename(archive),
        "sha256": digest,
        "metadata": {"description": plugin["description"]},
    }
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump([entry], file, sort_keys=False, allow_unicode=True)


if __name__ == "__main__":
    sys.exit(main())
