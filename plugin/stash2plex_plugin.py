"""Entry script: Stash starts it as `python3 -IS stash2plex_plugin.py`.

-I and -S keep site-packages, PYTHONPATH and sibling plugin folders out: nothing can shadow our
modules, and the start takes 9 ms where a crowded site-packages makes it 37.
"""

import gc
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older one must get this far
    print(
        f'{{"error": "Stash2Plex needs Python 3.11 or newer; this is {sys.version.split()[0]}. '
        "Install one where Stash runs, and name it under Settings > System > Python executable "
        'path."}'
    )
    sys.exit(2)

# A save is over before garbage matters; everything else turns it on again.
gc.disable()

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "vendor")]

# Compiled files are kept in the data folder: Stash would leave those beside the modules behind when
# it uninstalls the plugin. It is guessed from the two places where Stash installs: below the
# plugins folder, or below a source's folder in there. The request tells for sure, but only after
# these modules are imported. The first import is not written before the folder is there. All that
# is written is for this user only.
os.umask(0o077)
PLACES = [os.path.join(HERE, *up, "stash2plex") for up in (("..",) * 3, ("..",) * 2)]
if named := os.environ.get("STASH2PLEX_DATA_DIR") or os.environ.get("STASH_PLUGIN_DATA"):
    PLACES = [named]
for place in PLACES:
    compiled = os.path.join(os.path.abspath(place), "bytecode")
    sys.pycache_prefix = compiled
    sys.dont_write_bytecode = not os.path.isdir(compiled)
    if not sys.dont_write_bytecode:
        break

try:
    from stash2plex import bytecode

    bytecode.start(HERE, compiled)

    from stash2plex.plugin import main
except ImportError as error:
    # Stash unpacks an update while its hooks run: this file may be there before the package.
    what = str(error).replace("\\", "/").replace('"', "'")
    print(
        f'{{"error": "Stash2Plex cannot be started: {what}. If it is being updated, the change is '
        'found when Stash2Plex next looks at Stash; if not, uninstall and install it again."}'
    )
    sys.exit(1)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], HERE))
