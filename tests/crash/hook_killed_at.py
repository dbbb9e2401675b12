"""Runs a hook and kills itself, with SIGKILL, at a named point of it.

`python -IS hook_killed_at.py <plugin folder> <point>`, the request on standard input.
"""

from __future__ import annotations

import os
import signal
import sys


def kill(*_positional, **_named):
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    folder, point = sys.argv[1:]
    sys.path[:0] = [folder, os.path.join(folder, "vendor")]
    from stash2plex import db, hook, plugin, starter

    side, name = point.split("-", 1)
    owner, attribute = {
        "open": (hook, "connect"),
        "commit": (db.transaction, "__exit__"),
        "start": (hook, "start_worker"),
        "spawn": (os, "posix_spawn"),
        "answer": (plugin, "write_answer"),
    }[name]
    assert starter
    original = getattr(owner, attribute)

    def after(*positional, **named):
        original(*positional, **named)
        kill()

    setattr(owner, attribute, kill if side == "before" else after)
    plugin.main([], folder)


if __name__ == "__main__":
    main()
