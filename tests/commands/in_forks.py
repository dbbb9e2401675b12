"""Runs several command lines, each in a fork of one interpreter: the modules are imported once.

Reads the command lines from stdin, as a JSON list of lists of words, and writes for each its exit
code and its two streams, whose bytes are written as Latin-1. The streams are those that this
interpreter made at its start, so the encoding is that of its environment.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

from stash2plex.cli.main import main


def run(words: list[str]) -> tuple[int, str, str]:
    """Run one command line; returns its exit code and what it wrote to both streams."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            main(words)
        _, status = os.waitpid(child, 0)
        written = []
        for file in (out, err):
            file.seek(0)
            written.append(file.read().decode("latin-1"))
    return os.waitstatus_to_exitcode(status), written[0], written[1]


if __name__ == "__main__":
    outcomes = [run(words) for words in json.loads(sys.stdin.buffer.read())]
    sys.stdout.buffer.write(json.dumps(outcomes).encode())
