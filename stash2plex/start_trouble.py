"""Keeps what stops the worker from starting, running or writing, until the user was notified.

It is a small file in the data folder and not a row, because the database may be the problem.
"""

import json
import os
import sys
from typing import NamedTuple

from stash2plex.datadir import LOG_NAME, TROUBLE_NAME

TOLD_NAME = "worker-trouble-told.json"
LIMIT = 65_536
"""How many bytes of the file are read."""


class Trouble(NamedTuple):
    """What happened and what to do."""

    what: str
    fix: str


def record_trouble(folder: str, trouble: Trouble) -> bool:
    """Keep a trouble for the next hook or task; returns whether it is new.

    One that was reported is not reported again. If the folder cannot be written, each is new.
    """
    if trouble in (_read(folder, TROUBLE_NAME), _read(folder, TOLD_NAME)):
        return False
    path = os.path.join(folder, TROUBLE_NAME)
    try:
        descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, json.dumps(trouble._asdict()).encode())
        finally:
            os.close(descriptor)
        os.replace(path + ".new", path)
    except OSError:
        # Then it is reported more than once.
        return True
    return True


def read_trouble(folder: str) -> Trouble | None:
    """Return the trouble of a data folder, reported or not; None if there is none."""
    return _read(folder, TROUBLE_NAME) or _read(folder, TOLD_NAME)


def take_trouble(folder: str) -> Trouble | None:
    """Return a trouble that was not reported yet, and mark it as reported."""
    trouble = _read(folder, TROUBLE_NAME)
    try:
        os.replace(os.path.join(folder, TROUBLE_NAME), os.path.join(folder, TOLD_NAME))
    except OSError:
        return trouble
    return trouble


def end_trouble(folder: str) -> None:
    """Delete the trouble, because a worker works again."""
    for name in (TROUBLE_NAME, TOLD_NAME):
        try:
            os.remove(os.path.join(folder, name))
        except OSError:
            continue


def _read(folder: str, name: str) -> Trouble | None:
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            kept = json.loads(file.read(LIMIT))
        return Trouble(str(kept["what"]), str(kept["fix"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fault_trouble(error: Exception) -> Trouble:
    """Describe a worker that ended because of a fault in our code."""
    kind = type(error).__name__
    return Trouble(
        f"The background worker has ended because of a fault in Stash2Plex ({kind}).",
        f"“{LOG_NAME}” has the details; an update may fix it.",
    )


def start_trouble(folder: str, error: OSError) -> Trouble:
    """Explain why the worker could not be started.

    The system reports the same error for the program, its log and its folder, so each is checked.
    """
    log = os.path.join(folder, LOG_NAME)
    if os.path.isdir(log):
        return Trouble(
            f"The background worker cannot be started: “{log}” is a folder, not a file.",
            f"Move “{log}” away.",
        )
    if os.path.islink(log) and not os.path.exists(log):
        target = os.path.join(folder, os.readlink(log))
        return Trouble(
            f"The background worker cannot be started: “{log}” is a link to “{target}”, which "
            "cannot be created.",
            f"Create the folder of “{target}”, or remove the link.",
        )
    if os.path.lexists(log) and not os.access(log, os.W_OK):
        return Trouble(
            f"The background worker cannot be started: “{log}” belongs to {_owner(log)}, and Stash "
            f"runs as {_this_user()}.",
            f"Delete “{log}”, or give it to the user that runs Stash.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Trouble(
            f"The background worker cannot be started: “{folder}” belongs to {_owner(folder)}, and "
            f"Stash runs as {_this_user()}.",
            f"Give “{folder}” and the files in it to the user that runs Stash.",
        )
    python = sys.executable or ""
    if not os.path.isfile(python) or not os.access(python, os.X_OK):
        return Trouble(
            f"The background worker cannot be started: Python reports its path as “{python}”, "
            "which is not a program.",
            "Enter Python's full path under Settings > System > Python executable path.",
        )
    return Trouble(
        f"The background worker cannot be started: {error.strerror or error}.",
        "Check what limits processes on this machine; “Process Queue” sends what waits.",
    )


def _owner(path: str) -> str:
    try:
        return _user(os.lstat(path).st_uid)
    except OSError:
        return "another user"


def _this_user() -> str:
    return _user(os.geteuid()) if hasattr(os, "geteuid") else "another user"


def _user(number: int) -> str:
    """Name a user with the number, which Docker's settings use too."""
    try:
        import pwd  # noqa: PLC0415 - Windows has none

        return f"“{pwd.getpwuid(number).pw_name}” (uid {number})"
    except (ImportError, KeyError):
        return f"uid {number}"
