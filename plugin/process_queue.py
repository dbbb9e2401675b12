"""Drains the queue from a shell, with a progress bar: `python3 process_queue.py`.

The whole command line is here too: `python3 process_queue.py status`, `--help` and so on.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older one must get this far
    sys.exit(f"Stash2Plex needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "vendor")]

from stash2plex.cli import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    main(sys.argv[1:] or ["process"])
