"""Which certificate of a server is trusted beside those that the system trusts."""

from __future__ import annotations

import base64
import hashlib
import re

import urllib3

SYSTEM, PINNED, SIGNED = "system", "pinned", "signed"
MODES = (SYSTEM, PINNED, SIGNED)
"""What a server shows is valid for the system, is the certificate of the file itself, or is signed
by one in the file. In the last case it must name the host as well."""

CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)

MAX_BYTES = 1 << 20
"""Bytes of a file of certificates that are read."""


def fingerprint_of(path: str) -> str:
    """Return the SHA-256 of the first certificate of a PEM file; empty if there is none.

    The first one is the server's own, as servers read the file too; others only complete the chain.
    """
    try:
        with open(path, "rb") as file:
            match = CERTIFICATE.search(file.read(MAX_BYTES))
        return hashlib.sha256(base64.b64decode(match[1])).hexdigest() if match else ""
    except (OSError, ValueError):
        return ""


class Trust:
    """Decides how one server is trusted, given a file of certificates for it; "" for none.

    A server whose own certificate is in the file is trusted whatever name and dates that has: it
    proves that it holds the key. Nothing else is trusted for its being there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fingerprint = ""
        self.mode = SYSTEM

    def options(self) -> dict[str, object]:
        """Return the arguments of a connection pool that trusts the server so."""
        if self.mode == PINNED:
            return {"cert_reqs": "CERT_NONE", "assert_fingerprint": self._fingerprint}
        if self.mode == SIGNED:
            return {"cert_reqs": "CERT_REQUIRED", "ca_certs": self.path}
        return {"cert_reqs": "CERT_REQUIRED"}

    def go_on(self) -> bool:
        """Try the next way after one that failed; returns whether there is any.

        A renewed file counts at once.
        """
        fingerprint = fingerprint_of(self.path) if self.path else ""
        if not fingerprint:
            changed, self.mode = self.mode != SYSTEM, SYSTEM
            return changed
        self._fingerprint = fingerprint
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]
        return True


def make_pool(connections: int, **trust: object) -> urllib3.PoolManager:
    """Make the connections to one server."""
    return urllib3.PoolManager(maxsize=connections, block=True, retries=False, **trust)  # type: ignore[arg-type]  # by name
