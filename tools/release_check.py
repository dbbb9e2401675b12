"""Checks before a release that everything agrees and that the archive can be built again.

`--tag v2.0.0` also checks that the tag is that of this version and that the changelog is closed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

from stash2plex.version import VERSION
from tools.build_plugin import LOCK, ROOT, VENDOR, commit_time
from tools.build_site import BESIDE, SITE
from tools.vendored import packages

TREES = ("plugin", "stash2plex", "tools")
FILES = ("LICENSE", os.path.relpath(LOCK, ROOT), "pyproject.toml")


def main() -> int:
    """Run every check and list what is wrong; returns 1 if something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", help="the tag of the release, such as v2.0.0")
    tag = parser.parse_args().tag
    wrong = [*wrong_versions(tag), *wrong_licences(), *wrong_site(), *different_builds()]
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    if not wrong:
        print(f"Stash2Plex {VERSION} can be released.", file=sys.stderr)
    return bool(wrong)


def wrong_versions(tag: str | None) -> list[str]:
    """List where another version than ours is named; with a tag, also an open changelog."""
    wrong = []
    for name in ("Stash2Plex", "Stash2PlexHooks"):
        found = yaml.safe_load(_read("plugin", f"{name}.yml"))["version"]
        if str(found) != VERSION:
            wrong.append(f"plugin/{name}.yml has version {found}, stash2plex/version.py {VERSION}")
    heads = re.findall(r"^## (.+)$", _read("CHANGELOG.md"), re.MULTILINE)
    if not any(head.split()[0] == VERSION for head in heads):
        wrong.append(f"CHANGELOG.md has no section {VERSION}")
    if tag is None:
        return wrong
    if tag != f"v{VERSION}":
        wrong.append(f"the tag is {tag}, and the version needs v{VERSION}")
    if "unreleased" in heads[0].lower() or heads[0].split()[0] != VERSION:
        wrong.append(f"CHANGELOG.md does not begin with the released section {VERSION}")
    return wrong


def wrong_licences() -> list[str]:
    """List the packages of the archive whose licence is not in it."""
    return [
        f"{package.name} travels without the text of its licence"
        for package in packages()
        if not package.licence_files or package.licence == "None"
    ]


def wrong_site() -> list[str]:
    """List what is missing on the site, or is there in another state than in dist."""
    wrong = []
    for name in BESIDE:
        paths = (os.path.join(ROOT, "dist", name), os.path.join(SITE, name))
        if not all(os.path.isfile(path) for path in paths):
            wrong.append(f"dist/{name} or dist/site/{name} is missing")
        elif _digest(paths[0]) != _digest(paths[1]):
            wrong.append(f"dist/site/{name} is not dist/{name}")
    pages = ("index.html", "search/search_index.json")
    return wrong + [
        f"dist/site/{page} is missing"
        for page in pages
        if not os.path.isfile(os.path.join(SITE, page))
    ]


def different_builds() -> list[str]:
    """Build the archive twice more, in folders, zones and modes of their own, and compare."""
    wanted = _digest(os.path.join(ROOT, "dist", "Stash2Plex.zip"))
    epoch = str(int(commit_time().timestamp()))
    wrong = []
    for zone, umask, name in (("UTC-14", 0o022, "a"), ("UTC+11", 0o077, "a longer näme")):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, name)
            os.makedirs(copy)
            for tree in TREES:
                shutil.copytree(os.path.join(ROOT, tree), os.path.join(copy, tree))
            for file in FILES:
                os.makedirs(os.path.dirname(os.path.join(copy, file)), exist_ok=True)
                shutil.copyfile(os.path.join(ROOT, file), os.path.join(copy, file))
            if name == "a":
                # The other copy downloads the locked packages again.
                shutil.copytree(VENDOR, os.path.join(copy, "build", "vendor"))
            subprocess.run(
                [sys.executable, "-m", "tools.build_plugin"],
                cwd=copy,
                check=True,
                capture_output=True,
                umask=umask if os.name == "posix" else -1,
                env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "TZ": zone, "PYTHONHASHSEED": "7"},
            )
            if _digest(os.path.join(copy, "dist", "Stash2Plex.zip")) != wanted:
                wrong.append(f"a build with the zone {zone} gives another archive")
    return wrong


def _read(*parts: str) -> str:
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
