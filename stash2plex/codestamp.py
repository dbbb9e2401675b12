"""Shows whether the plugin's files were replaced since a process began. `os` only."""

import os

MARK = os.path.join("stash2plex", "version.py")
"""Without this file, the plugin is being replaced or was uninstalled."""


def read_stamp(plugin_dir: str) -> tuple[int, int, int] | None:
    """Return a value that changes with any of the plugin's modules; None without the plugin.

    An update replaces one file after the other, so a single file's time could already be new while
    the imported modules are the old ones.
    """
    if not os.path.exists(os.path.join(plugin_dir, MARK)):
        return None
    newest = number = size = 0
    try:
        for folder, folders, names in os.walk(os.path.join(plugin_dir, "stash2plex")):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                status = os.stat(os.path.join(folder, name))
                newest = max(newest, status.st_mtime_ns)
                number += 1
                size += status.st_size
    except OSError:
        # A file disappeared after it was listed.
        return None
    return newest, number, size
