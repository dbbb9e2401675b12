"""Drains the queue from a shell, with a progress bar: `python3 process_queue.py`.

The whole command line is here too: `python3 process_queue.py status`, `--help` and so on.
"""

import gc
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older one must get this far
    sys.exit(f"Stash2Plex needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "vendor")]

# Compiled files are kept in the data folder: Stash would leave those beside the modules behind when
# it uninstalls the plugin. It is guessed from the two places where Stash installs: below a source's
# folder in the plugins folder, or right in there. The shell's user may not be Stash's, so the first
# import is not written.
os.umask(0o077)
PLACES = [os.path.join(HERE, *up, "stash2plex") for up in (("..",) * 3, ("..",) * 2)]
if named := os.environ.get("STASH2PLEX_DATA_DIR"):
    PLACES = [named]
for place in PLACES:
    compiled = os.path.join(os.path.abspath(place), "bytecode")
    if os.path.exists(compiled) or os.path.exists(os.path.join(place, "stash2plex.db")):
        break
sys.pycache_prefix = compiled
sys.dont_write_bytecode = True

from stash2plex import bytecode  # noqa: E402 - the path comes first

bytecode.start(HERE, compiled)

# Nothing that is imported is garbage, and looking for it takes a tenth of the time.
gc.disable()
try:
    from stash2plex.generated_code import GeneratedCode

    with GeneratedCode(bytecode.folder_in_use()):
        from stash2plex.cli.main import main
except ImportError as error:
    from stash2plex.python_parts import missing_part

    sys.exit(f"stash2plex: {missing_part(error) or error}")

gc.enable()

if __name__ == "__main__":
    main(sys.argv[1:] or ["process"])
