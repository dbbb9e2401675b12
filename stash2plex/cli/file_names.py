"""Keeps file names as Stash names them, whatever the terminal's locale."""

from __future__ import annotations

import os
import sys


def restart_with_utf8_names() -> None:
    """Restart this program with file names in UTF-8, unless they are already.

    Stash names files in UTF-8. With a Latin-1 or EUC locale, Python would encode the same name in
    other bytes, and the data would go into another folder. Output stays in the terminal's encoding.
    Windows always has Unicode names.
    """
    if sys.getfilesystemencoding().lower() == "utf-8":
        return
    os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding}:replace")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - the same program
