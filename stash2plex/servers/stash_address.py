"""Stash's address and log-in, as Stash passes them to a plugin."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from stash2plex.errors import ConfigError


@frozen(repr=False)
class StashAddress:
    """Stash's address and log-in; never printed."""

    url: str
    api_key: str = ""
    cookie: tuple[str, str] | None = None
    certificate: str = ""
    """A file with the certificate that Stash shows; empty where none is known."""


CERTIFICATE_NAME = "stash.crt"
"""How Stash names its certificate, beside its configuration."""


def read_server_connection(info: Mapping[str, Any]) -> StashAddress:
    """Turn the connection that Stash passes to a plugin into an address (stash.md §2.1).

    The host is what Stash binds to, so "every address" becomes the loopback address.
    """
    host = str(info.get("Host") or "")
    if host in ("", "0.0.0.0", "::", "[::]"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]{1,255}", host):
        raise ConfigError(f"Stash's connection has no usable host: {host[:80]!r}.")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    port = info.get("Port")
    if type(port) is not int or not 0 < port < 65536:  # noqa: PLR2004 - of TCP
        raise ConfigError("Stash's connection has no usable port.")
    scheme = "https" if info.get("Scheme") == "https" else "http"
    cookie = info.get("SessionCookie")
    pair = None
    if isinstance(cookie, dict) and cookie.get("Name") and cookie.get("Value"):
        pair = (str(cookie["Name"]), str(cookie["Value"]))
    folder = info.get("Dir")
    own = os.path.join(folder, CERTIFICATE_NAME) if scheme == "https" and folder else ""
    return StashAddress(f"{scheme}://{host}:{port}", cookie=pair, certificate=own)
