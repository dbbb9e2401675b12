"""Makes an archive as it was before the script: its hooks are processes, one per object."""

from __future__ import annotations

import zipfile

import yaml


def write_process_archive(archive: str, path: str) -> None:
    """Write a copy of the archive to `path`, with the script's hooks in the plugin's own yml."""
    with zipfile.ZipFile(archive) as new, zipfile.ZipFile(path, "w") as old:
        hooks = yaml.safe_load(new.read("Stash2PlexHooks.yml"))["hooks"]
        for name in new.namelist():
            if name == "Stash2Plex.yml":
                config = yaml.safe_load(new.read(name))
                config["version"] = str(config["version"])
                old.writestr(name, yaml.safe_dump({**config, "hooks": hooks}))
            elif not name.startswith("Stash2PlexHooks"):
                old.writestr(name, new.read(name))
