"""Checks our two entries in Stash: the plugin, and the hooks that hand it each save."""

from __future__ import annotations

import re

from stash2plex.app import HOOKS_ID, PLUGIN_ID
from stash2plex.errors import ServerError
from stash2plex.operations.health.checks import Check, failed, failed_with, passed
from stash2plex.servers.stash import PluginEntry, Stash
from stash2plex.version import OLDEST_STASH

HOOKS = "hooks"

HOOKS_NAME = "Stash2Plex Hooks"
"""The name of the second entry under Settings > Plugins."""

LATER = "Stash2Plex learns of a save only when it next looks at Stash."
RELOAD_FIX = (
    "Press “Reload plugins” under Settings > Plugins. If that does not help, update Stash2Plex "
    "there, or uninstall and install it again; settings and queue stay."
)


def check_hooks(stash: Stash, version: str) -> Check:
    """Check that Stash has both entries, enabled and of the same version, and can run the second.

    `version` is Stash's. A Stash without our plugin passes: then a command line uses it.
    """
    try:
        entries = {entry.id: entry for entry in stash.plugins()}
    except ServerError as error:
        return failed_with(HOOKS, error, RELOAD_FIX)
    plugin, hooks = entries.get(PLUGIN_ID), entries.get(HOOKS_ID)
    if plugin is None and hooks is None:
        return passed(HOOKS, "Stash2Plex is not installed in this Stash; it looks for changes.")
    if is_too_old(version):
        return failed(
            HOOKS,
            f"Stash {version} is too old for our hooks: {LATER}",
            f"Update Stash to v{OLDEST_STASH[0]}.{OLDEST_STASH[1]} or newer.",
        )
    for entry, name in ((plugin, PLUGIN_ID), (hooks, HOOKS_NAME)):
        if entry is None:
            return failed(HOOKS, f"Stash has not read “{name}”: {LATER}", RELOAD_FIX)
        if not entry.enabled:
            return failed(
                HOOKS,
                f"“{name}” is disabled: {LATER}",
                f"Enable “{name}” under Settings > Plugins.",
            )
    return _check_versions(plugin, hooks)


def _check_versions(plugin: PluginEntry | None, hooks: PluginEntry | None) -> Check:
    ours, theirs = (entry.version if entry else "" for entry in (plugin, hooks))
    if ours != theirs:
        return failed(
            HOOKS,
            f"“{PLUGIN_ID}” has version {ours or 'unknown'}, “{HOOKS_NAME}” {theirs or 'unknown'}.",
            RELOAD_FIX,
        )
    return passed(HOOKS, f"“{PLUGIN_ID}” and “{HOOKS_NAME}” are enabled, version {ours}.")


def is_too_old(version: str) -> bool:
    """Return whether a Stash is certainly too old; an unreadable version is not."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) < OLDEST_STASH
