"""Runs the archive's command line and kills itself, with SIGKILL, at a named point.

`python -IS killed_at.py <plugin folder> <point> <n> <command…>`: the n-th time that the point is
reached. The package knows nothing of this.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys


def main():
    folder, point, number, *arguments = sys.argv[1:]
    sys.path[:0] = [folder, os.path.join(folder, "vendor")]
    use_compiled_files(folder)
    counter = itertools.count(1)

    def reach():
        if next(counter) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    from stash2plex.bytecode import folder_in_use
    from stash2plex.generated_code import GeneratedCode

    with GeneratedCode(folder_in_use()):
        place(point, reach)
        from stash2plex.cli.main import main as run

    run(arguments)


def use_compiled_files(folder):
    """Take them from the data folder, as the script does whose place this one takes."""
    sys.dont_write_bytecode = True
    from stash2plex import bytecode

    data_dir = os.path.join(os.path.dirname(os.path.dirname(folder)), "stash2plex")
    bytecode.start(folder, os.path.join(data_dir, bytecode.FOLDER))


def place(point, reach):
    """Wrap one function so that the point lies before or after it."""
    from stash2plex import app, db, workqueue
    from stash2plex.servers import plex, transport
    from stash2plex.store import records, undo_marks
    from stash2plex.sync import indexing as plexindex

    owner, name = {
        "commit": (db.transaction, "__exit__"),
        "edit": (plex.Plex, "edit"),
        "upload": (plex.Plex, "upload"),
        "read": (plex.Plex, "items"),
        "request": (transport.Transport, "request"),
        "claim": (workqueue.WorkQueue, "claim"),
        "ack": (workqueue.WorkQueue, "ack"),
        "record": (records.Records, "put"),
        "reading": (records.Records, "keep_reading"),
        "index": (plexindex.PlexIndex, "refresh"),
        "session": (app.App, "open_session"),
        "choice": (plex.Plex, "choose_picture"),
        "undone": (undo_marks.UndoMarks, "end"),
    }[point.split("-", 1)[1]]
    original = getattr(owner, name)

    def before(*positional, **named):
        reach()
        return original(*positional, **named)

    def after(*positional, **named):
        result = original(*positional, **named)
        reach()
        return result

    setattr(owner, name, before if point.startswith("before-") else after)


if __name__ == "__main__":
    main()
