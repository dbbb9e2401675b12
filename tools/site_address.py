"""The one place that names the address of the project's site.

The project has no home yet: when it has one, change `SITE` and run `make docs`, which writes the
address into the documents.
"""

from __future__ import annotations

import re

SITE = "https://stash2plex.example"
"""Documents, archive and index. `.example` can never be a real host."""

SOURCE = f"{SITE}/index.yml"
"""What users enter in Stash as the address of a source."""

MENTIONED = re.compile(r"https://[a-z0-9.-]+(?:/[A-Za-z0-9_-]+)*/index\.yml")


def with_address(text: str) -> str:
    """Return a document with every address of an index replaced by ours."""
    return MENTIONED.sub(SOURCE, text)
