"""Where the durable state lives. Standard `os` only: the hook imports this."""

import os

from stash2plex.errors import StoreUnavailable

DATABASE_NAME = "stash2plex.db"
LOG_NAME = "worker.log"


def locate(server_dir: str | None, plugin_dir: str | None) -> str:
    """Name the data folder, without touching it.

    Order: `$STASH2PLEX_DATA_DIR`, `$STASH_PLUGIN_DATA`, `<server_dir>/stash2plex`,
    `<plugin_dir>/data`. `server_dir` is Stash's config folder: it is writable, survives updates
    of the plugin, and is a volume in Docker (stash.md §8.3).
    """
    for variable in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
        if value := os.environ.get(variable):
            return os.path.abspath(value)
    if server_dir:
        return os.path.join(os.path.abspath(server_dir), "stash2plex")
    if plugin_dir:
        return os.path.join(os.path.abspath(plugin_dir), "data")
    raise StoreUnavailable(
        "There is no data folder.",
        "Set STASH2PLEX_DATA_DIR to a folder that can be written.",
    )


def file_stamp(path: str) -> str:
    """Return what changes whenever a file is written: its time and size; empty without a file."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def prepare(folder: str) -> str:
    """Make the folder if it is missing (mode 0700) and return the database's path."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The data folder “{folder}” cannot be made: {error.strerror}.",
            "Make it writable for the user that runs Stash, or set STASH2PLEX_DATA_DIR.",
        ) from error
    return os.path.join(folder, DATABASE_NAME)
