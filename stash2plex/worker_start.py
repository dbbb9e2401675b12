"""Turns the process into the worker: from the entry script to the first line of the drain.

An update may land while modules are imported. So the stamp of the files is taken first, and if the
modules do not fit together, a new process imports them again.
"""

import gc
import os
import sys
import time

from stash2plex import bytecode
from stash2plex.codestamp import read_stamp
from stash2plex.python_parts import missing_part
from stash2plex.start_trouble import Trouble, record_trouble

TRIES = 6
"""How many starts an update may take; then files that cannot be imported are an error."""

TRIES_VARIABLE = "STASH2PLEX_WORKER_TRY"


def become_worker(arguments: list[str], plugin_dir: str) -> int:
    """Run as the worker of the data folder `arguments[0]`; returns the exit code.

    Whatever prevents the start is stored for the user.
    """
    stamp = read_stamp(plugin_dir)
    try:
        from stash2plex.generated_code import GeneratedCode  # noqa: PLC0415 - after the stamp

        with GeneratedCode(bytecode.folder_in_use()):
            from stash2plex.operations.background import run_worker  # noqa: PLC0415 - after the stamp
    except (ImportError, SyntaxError, AttributeError, NameError, ValueError) as error:
        return _not_imported(error, arguments[0])
    gc.enable()
    os.environ.pop(TRIES_VARIABLE, None)
    return run_worker(arguments, plugin_dir, stamp)


def _not_imported(error: Exception, folder: str) -> int:
    """Start again if an update may be under way, else store what is missing; returns the exit code.

    The process stays the same, so it keeps the lock that it was given, and Stash's connection is
    still unread in the pipe.
    """
    missing = missing_part(error) if isinstance(error, ImportError) else None
    number = int(os.environ.get(TRIES_VARIABLE, "1"))
    if missing is None and number < TRIES and hasattr(os, "execv"):
        os.environ[TRIES_VARIABLE] = str(number + 1)
        time.sleep(0.5 * number)
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this program
    what = f"The background worker cannot be started: {missing.what if missing else error}"
    fix = str(missing.fix) if missing else "Update the plugin, or install it again."
    record_trouble(folder, Trouble(what, fix))
    sys.excepthook(type(error), error, error.__traceback__)
    return missing.exit_code if missing else 1
