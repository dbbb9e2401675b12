"""Entry script: Stash starts it as `python3 -IS stash2plex_plugin.py`.

-I and -S keep site-packages, PYTHONPATH and sibling plugin folders out: nothing can shadow our
modules, and the start takes 9 ms where a crowded site-packages makes it 37.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older one must get this far
    print(
        f'{{"error": "Stash2Plex needs Python 3.11 or newer; this is {sys.version.split()[0]}. '
        "Install one where Stash runs, and name it under Settings > System > Python executable "
        'path."}'
    )
    sys.exit(2)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "vendor")]

from stash2plex.plugin import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], HERE))
