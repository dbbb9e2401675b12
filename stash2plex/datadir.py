"""Finds and prepares the data folder. Imports `os` only, because the hook imports this."""

import errno
import os

from stash2plex.errors import StoreUnavailable

DATABASE_NAME = "stash2plex.db"
LOG_NAME = "worker.log"
START_LOG_NAME = "worker-start.log"
"""What a worker wrote before it opened its log; on Windows, where a log that is open cannot be
renamed."""
TROUBLE_NAME = "worker-trouble.json"
"""Exists while something keeps the worker from working; see `start_trouble`."""
PATH_LIMIT = 490
"""Bytes in the database's path: SQLite allows 512, and adds names for its own files."""

MAX_ON_WINDOWS = 247
"""Characters in a folder's path on Windows, unless long paths are on; a name may have 255."""

TEMPORARY_FOLDERS = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - asked about, never written by us
"""Where SQLite looks for a temporary folder on POSIX; Windows always has one."""

RIGHTS_FIX = "Make it writable for the user that runs Stash, or set STASH2PLEX_DATA_DIR."
ELSEWHERE_FIX = "Set STASH2PLEX_DATA_DIR to another folder."
FOLDER_FIXES = {
    errno.ENAMETOOLONG: "Its path is too long: set STASH2PLEX_DATA_DIR to a shorter one.",
    errno.ENOENT: f"Its drive or network share is not there. {ELSEWHERE_FIX}",
    errno.ENOSPC: "Free some disk space.",
    errno.EDQUOT: "Free some disk space.",
    errno.EROFS: f"It is on a read-only file system. {ELSEWHERE_FIX}",
    errno.ELOOP: f"Its links point at each other. {ELSEWHERE_FIX}",
}


def locate(server_dir: str | None, plugin_dir: str | None) -> str:
    """Return the data folder's path without touching it.

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
    """Return a value that changes whenever a file is written; empty without a file."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def check_owner(folder: str, settings_file: str, stash_dir: str) -> None:
    """Raise StoreUnavailable if the data in `folder` belong to another Stash.

    `settings_file` is the file of the Stash that they belong to, `stash_dir` the folder of this
    one's. A Stash that was moved has no file in the old place any more, so its data stay its own.
    """
    if not settings_file or not stash_dir or os.path.dirname(settings_file) == stash_dir:
        return
    try:
        if os.path.samefile(os.path.dirname(settings_file), stash_dir):
            return
    except OSError:
        return
    if os.path.exists(settings_file):
        raise StoreUnavailable(
            f"The data folder “{folder}” belongs to the Stash with the settings “{settings_file}”.",
            "Give each Stash a STASH2PLEX_DATA_DIR of its own, or set none.",
        )


def prepare(folder: str) -> str:
    """Create the folder if it is missing (mode 0700) and return the database's path.

    If root creates the folder, it belongs to the owner of the folder above, who runs Stash.
    """
    if len(os.fsencode(folder)) > PATH_LIMIT - len(DATABASE_NAME):
        why = "SQLite opens no path of that length"
        raise _unusable(folder, why, FOLDER_FIXES[errno.ENAMETOOLONG])
    missing = _missing(folder)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for new in missing:
            give_to_owner(new)
    except OSError as error:
        raise _cannot_make(folder, error) from error
    return os.path.join(folder, DATABASE_NAME)


def _missing(folder: str) -> list[str]:
    """List the folder and those above it that do not exist yet, topmost first."""
    missing: list[str] = []
    while folder and not os.path.lexists(folder):
        missing.insert(0, folder)
        above = os.path.dirname(folder)
        # A drive or share that is not there has nothing above it.
        folder = above if above != folder else ""
    return missing


def give_to_owner(path: str) -> None:
    """Give a file or folder that root created to the owner of the folder it is in.

    Root on the command line must leave nothing that Stash's user cannot write. Raises OSError.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        above = os.stat(os.path.dirname(path) or ".")
        if above.st_uid:
            os.chown(path, above.st_uid, above.st_gid)


def _cannot_make(folder: str, error: OSError) -> StoreUnavailable:
    """Describe a data folder that cannot be created, with a cause that the user can remove."""
    missing = _missing(folder)
    path = os.path.dirname(missing[0]) if missing else folder
    if os.path.islink(path) and not os.path.exists(path):
        target = os.path.join(os.path.dirname(path), os.readlink(path))
        return _unusable(
            folder,
            f"“{path}” is a link to “{target}”, which does not exist",
            f"Create “{target}”, or remove the link.",
        )
    if os.path.exists(path) and not os.path.isdir(path):
        return _unusable(
            folder,
            f"“{path}” is a file, not a folder",
            "Move it away, or set STASH2PLEX_DATA_DIR to another folder.",
        )
    if error.errno == errno.ENOENT and len(folder) > MAX_ON_WINDOWS:
        why = "Windows finds no path of that length"
        return _unusable(folder, why, FOLDER_FIXES[errno.ENAMETOOLONG])
    return _unusable(
        folder, error.strerror or str(error), FOLDER_FIXES.get(error.errno or 0, RIGHTS_FIX)
    )


def _unusable(folder: str, why: str, fix: str) -> StoreUnavailable:
    return StoreUnavailable(f"The data folder “{folder}” cannot be created: {why}.", fix)


def keep_temporary_files(folder: str) -> None:
    """Make SQLite use `folder` for temporary files if the system has no folder for them.

    A container with a read-only root has none, and sorting a large index needs one. The files have
    no name and disappear with the process. Call this before `sqlite3` is imported: SQLite looks
    only once.
    """
    usual = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), *TEMPORARY_FOLDERS)
    if not any(place and os.access(place, os.W_OK | os.X_OK) for place in usual):
        os.environ["SQLITE_TMPDIR"] = folder
