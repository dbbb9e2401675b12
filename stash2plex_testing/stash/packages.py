"""Installing an archive as Stash's package manager does (stash.md §8.2).

Reading and writing yml in C is ten times as fast, and every test with an archive installs it.
"""

from __future__ import annotations

import contextlib
import os
import re
import zipfile

import yaml

MANIFEST = "manifest"
"""The file that lists what a package brought. It belongs to Stash."""


def install(archive: str, plugins_dir: str, local: str, now: str) -> str:
    """Unpack or update a package; returns its id.

    It goes into a folder named by its id, below `local` if the source has such a path.
    An update deletes the files of the old manifest and leaves all others (stash.md §8.2).
    """
    with zipfile.ZipFile(archive) as package:
        names = [entry.filename for entry in package.infolist() if not entry.is_dir()]
        package_id = _package_id(archive, names)
        config = yaml.load(package.read(f"{package_id}.yml"), Loader=yaml.CSafeLoader)
        folder = os.path.join(plugins_dir, local, package_id)
        os.makedirs(folder, exist_ok=True)
        uninstall_files(folder)
        for entry in package.infolist():
            package.extract(entry, folder)
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                os.chmod(os.path.join(folder, entry.filename), mode)
    manifest = {
        "id": package_id,
        "name": str(config.get("name", package_id)),
        "metadata": {"description": str(config.get("description", ""))},
        "version": str(config.get("version", "")),
        "date": now[:19].replace("T", " "),
        "requires": [],
        "source_repository": "file:///index.yml",
        "files": names,
    }
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        yaml.dump(manifest, file, Dumper=yaml.CSafeDumper, allow_unicode=True)
    return package_id


def _package_id(archive: str, names: list[str]) -> str:
    """Name a package after the archive, as an index does, or after its only yml."""
    configs = [name.removesuffix(".yml") for name in names if re.fullmatch(r"[^/]+\.yml", name)]
    stem = os.path.splitext(os.path.basename(archive))[0]
    if stem in configs:
        return stem
    if len(configs) != 1:
        raise ValueError(f"{archive} has {len(configs)} yml files at its root, not one.")
    return configs[0]


def uninstall(plugins_dir: str, local: str, package_id: str) -> None:
    """Remove a package: what its manifest lists, and its folder where that leaves it empty."""
    folder = os.path.join(plugins_dir, local, package_id)
    uninstall_files(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def uninstall_files(folder: str) -> None:
    """Delete the files that the manifest of a folder lists, and the manifest."""
    path = os.path.join(folder, MANIFEST)
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        listed = yaml.load(file, Loader=yaml.CSafeLoader)["files"]
    for name in listed:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))
    os.unlink(path)
