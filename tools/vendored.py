"""Reads what travels in the archive: each package's name, version, licence and hashes."""

from __future__ import annotations

import os
import re
from email.parser import HeaderParser

from attrs import frozen

from tools.build_plugin import LOCK, VENDOR, vendor_packages

LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@frozen
class Package:
    """A vendored package; `hashes` are SHA-256 of its files in the index, as locked."""

    name: str
    version: str
    licence: str
    summary: str
    licence_files: tuple[str, ...]
    hashes: tuple[str, ...]


def packages() -> list[Package]:
    """List the vendored packages by name; unpacks them first if that is not done yet."""
    vendor_packages()
    locked = _hashes()
    found = []
    for folder in sorted(os.listdir(VENDOR)):
        if not folder.endswith(".dist-info"):
            continue
        info = os.path.join(VENDOR, folder)
        with open(os.path.join(info, "METADATA"), encoding="utf-8") as file:
            about = HeaderParser().parse(file)
        name = str(about["Name"]).lower().replace("_", "-")
        found.append(
            Package(
                name=name,
                version=str(about["Version"]),
                licence=str(about["License-Expression"] or about["License"]),
                summary=str(about["Summary"]),
                licence_files=tuple(_licence_files(info)),
                hashes=tuple(locked[name]),
            )
        )
    return found


def _licence_files(info: str) -> list[str]:
    """List the files of a package's licence, relative to its dist-info folder."""
    names = []
    for folder, _, files in os.walk(info):
        for name in files:
            inside = os.path.relpath(os.path.join(folder, name), info).replace(os.sep, "/")
            if inside.startswith(("licenses/", "LICENSE")):
                names.append(inside)
    return sorted(names)


def _hashes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    with open(LOCK, encoding="utf-8") as file:
        for line in file:
            if start := LOCKED.match(line):
                name = start[1].lower()
                found[name] = []
            found.get(name, []).extend(HASH.findall(line))
    return found
