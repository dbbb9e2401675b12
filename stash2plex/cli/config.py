"""Reads the command line's configuration from flags, environment, TOML file and Stash."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping

from attrs import field, frozen

from stash2plex.app import make_stash
from stash2plex.config import SPECS, hide_secrets, read_environment
from stash2plex.datadir import locate
from stash2plex.errors import ConfigError
from stash2plex.servers.stash_address import StashAddress
from stash2plex.servers.trust import fingerprint_of

DEFAULT_STASH_URL = "http://127.0.0.1:9999"


@frozen
class CliOptions:
    """What the flags set; None where they set nothing."""

    stash_url: str | None = None
    stash_certificate: str | None = None
    data_dir: str | None = None
    config_file: str | None = None
    settings: Mapping[str, object] = field(factory=dict)


@frozen
class Resolved:
    """The result of all layers. `settings` take precedence over those that Stash stores."""

    address: StashAddress
    data_dir: str
    settings: Mapping[str, object]


def resolve(options: CliOptions, environment: Mapping[str, str]) -> Resolved:
    """Merge the layers. Raises a ConfigError that names the file or the variable."""
    file = read_file(options.config_file, environment)
    unknown = (
        set(file)
        - {spec.key for spec in SPECS}
        - {
            "stash_url",
            "stash_api_key",
            "stash_certificate",
            "data_dir",
        }
    )
    if unknown:
        raise ConfigError(f"The configuration file has unknown keys: {', '.join(sorted(unknown))}.")

    def first(flag: str | None, name: str) -> str | None:
        value = flag or environment.get(f"STASH2PLEX_{name.upper()}") or file.get(name)
        return None if value is None else str(value)

    address = StashAddress(
        (first(options.stash_url, "stash_url") or DEFAULT_STASH_URL).rstrip("/"),
        api_key=first(None, "stash_api_key") or "",
        certificate=_find_certificate(first(options.stash_certificate, "stash_certificate")),
    )
    if not address.url.startswith(("http://", "https://")):
        raise ConfigError(
            f"The address of Stash is “{hide_secrets(address.url)}”; it must begin with http:// "
            "or https://."
        )
    if re.search(r"[@?#\s]", address.url):
        # The address is shown in messages and kept with them.
        raise ConfigError(
            f"The address of Stash is “{hide_secrets(address.url)}”; it must be a plain "
            "http(s)://host:port. The key goes into STASH2PLEX_STASH_API_KEY."
        )
    settings = {key: value for key, value in file.items() if key in {spec.key for spec in SPECS}}
    settings |= read_environment(environment)
    settings |= options.settings
    data_dir = first(options.data_dir, "data_dir") or _find_data_dir(address)
    return Resolved(address, os.path.abspath(data_dir), settings)


def _find_certificate(named: str | None) -> str:
    """Return the file of Stash's certificate. Raises ConfigError where it holds none."""
    if not named:
        return ""
    path = os.path.abspath(os.path.expanduser(named))
    if not fingerprint_of(path):
        raise ConfigError(
            f"“{path}”, the certificate of Stash, cannot be read or holds none.",
            "Name the file with --stash-certificate, such as stash.crt beside Stash's config.yml.",
        )
    return path


def read_file(path: str | None, environment: Mapping[str, str]) -> dict[str, object]:
    """Read the TOML file. The default one may be missing; a named one must exist."""
    named = path or environment.get("STASH2PLEX_CONFIG")
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(
        environment.get("HOME", os.path.expanduser("~")), ".config"
    )
    chosen = named or os.path.join(home, "stash2plex", "config.toml")
    try:
        with open(chosen, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        if named:
            raise ConfigError(f"The configuration file “{chosen}” does not exist.") from error
        return {}
    except (OSError, ValueError, RecursionError) as error:
        # A parser's error names a line; a decoder's holds the bytes, and so perhaps a token.
        why = str(error) if isinstance(error, (OSError, tomllib.TOMLDecodeError)) else "not TOML"
        raise ConfigError(f"The configuration file “{chosen}” cannot be read: {why}.") from error


def _find_data_dir(address: StashAddress) -> str:
    """Find the folder that the plugin uses, beside Stash's configuration if this machine has it."""
    if os.environ.get("STASH2PLEX_DATA_DIR") or os.environ.get("STASH_PLUGIN_DATA"):
        return locate(None, None)
    stash = make_stash(address)
    try:
        folder = os.path.dirname(stash.config_path())
    finally:
        stash.close()
    if os.path.isdir(folder):
        return locate(folder, None)
    raise ConfigError(
        f"Stash keeps its data in “{folder}”, which is not on this machine (a container?).",
        "Run this inside the container, or name the folder with --data-dir.",
    )
