"""Finds parts of Python's standard library that a system may lack. `sys` only."""

import sys

from stash2plex.errors import MissingPart

PYTHON = "python"
"""The name of the check that reports a missing part."""

PACKAGES = {
    "sqlite3": "SQLite (Debian: libpython3-stdlib; Alpine: sqlite-libs; source: libsqlite3-dev)",
    "zlib": "zlib (Debian: zlib1g; source: zlib1g-dev)",
    "ssl": "OpenSSL (Debian: libssl3; source: libssl-dev)",
}
"""The library that each part is built with."""


def missing_part(error: ImportError) -> MissingPart | None:
    """Return the part of Python's standard library that is missing; None for other modules."""
    top = (error.name or "").partition(".")[0]
    if top not in sys.stdlib_module_names:
        return None
    part = top.lstrip("_")
    needs = PACKAGES.get(part)
    return MissingPart(
        f"The Python that Stash uses, “{sys.executable}”, was built without its part “{part}”.",
        (f"Install it with {needs}, or name" if needs else "Name")
        + " another Python under Settings > System > Python executable path.",
    )


def has_tls() -> bool:
    """Return whether this Python can speak https."""
    try:
        import ssl  # noqa: PLC0415 - asks whether it can be imported
    except ImportError:
        return False
    return bool(ssl.HAS_TLSv1_2)
