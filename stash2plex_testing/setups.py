"""Broken set-ups, each with the health line that names it, for the tests and the docs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stash2plex.operations.health.checks import Check
from stash2plex_testing.patient import (
    SCENES,
    Patient,
    another_server,
    dead_letters,
    disabled,
    disk_full,
    due_and_nobody,
    due_and_off,
    empty_library,
    everything_twice,
    expired_session,
    forgotten,
    https_address,
    maintenance,
    newer_database,
    no_folder,
    nothing,
    older_hooks,
    older_stash,
    other_files,
    plex_fault,
    plex_hangs,
    plex_is_off,
    seen_by_the_token,
    session_only,
    setting,
    shared_user,
    show_entries,
    show_library,
    stash_is_busy,
    stash_is_off,
    unlisted_library,
    waiting_for_plex,
    without_hooks,
    without_owner,
    works_with,
)
from stash2plex_testing.world import World


@dataclass(frozen=True)
class Setup:
    """What is wrong, how to cause it here, which check names it, and with which words.

    `also` are other checks that rightly fail.
    """

    name: str
    check: str
    says: tuple[str, ...]
    spoil: Callable[[Patient], None]
    world: dict[str, Any] = field(default_factory=dict)
    scenes: int = SCENES
    also: tuple[str, ...] = ()


def examine(setup: Setup) -> list[Check]:
    """Build the set-up on loopback, spoil it and read its health."""
    with tempfile.TemporaryDirectory(prefix="stash2plex-") as folder:
        world = World(folder, **setup.world)
        with world:
            world.fill(setup.scenes)
            patient = Patient(world, works_with(world), os.path.join(folder, "data"))
            show_entries(world)
            setup.spoil(patient)
            return patient.health()


KEEPER = {"username": "keeper", "password": "lantern"}

SETUPS = (
    Setup(
        "Plex URL was never filled in", "settings", ("Plex URL is not set",), setting(plex_url="")
    ),
    Setup(
        "Plex token was never filled in",
        "settings",
        ("Plex token is not set",),
        setting(plex_token=""),
    ),
    Setup(
        "A setting that cannot be used",
        "settings",
        ("max_tags", "allowed: a whole number from 1 to 500"),
        setting(max_tags="many"),
    ),
    Setup(
        "The plugin was switched off in version 1",
        "settings",
        ("“enabled”", "stored as false"),
        setting(enabled=False),
    ),
    Setup("Stash is off", "Stash", ("refuses the connection", "Start Stash"), stash_is_off),
    Setup("Stash is busy with a scan", "Stash", ("database is locked",), stash_is_busy),
    Setup(
        "Stash has a password and no API key",
        "Stash log-in",
        ("It expires", "Make an API key"),
        session_only,
        KEEPER,
    ),
    Setup(
        "The session of Stash has expired",
        "Stash log-in",
        ("does not accept our credentials", "Make an API key"),
        expired_session,
        KEEPER,
    ),
    Setup(
        "The hooks are disabled",
        "hooks",
        ("“Stash2Plex Hooks” is disabled", "Enable “Stash2Plex Hooks” under Settings > Plugins"),
        disabled("Stash2PlexHooks"),
    ),
    Setup(
        "The plugin is disabled, seen from a command line",
        "hooks",
        ("“Stash2Plex” is disabled", "Enable “Stash2Plex” under Settings > Plugins"),
        disabled("Stash2Plex"),
    ),
    Setup(
        "The hooks were not installed",
        "hooks",
        ("has not read “Stash2Plex Hooks”", "Reload plugins", "install it again"),
        without_hooks,
    ),
    Setup(
        "The hooks are those of an older version",
        "hooks",
        ("“Stash2Plex Hooks” 1.9.0", "Reload plugins"),
        older_hooks,
    ),
    Setup(
        "Stash is too old for the hooks",
        "hooks",
        ("v0.25.1 is too old", "Update Stash to v0.27"),
        older_stash,
    ),
    Setup(
        "A wrong port",
        "Plex",
        ("refuses the connection", "is the port right"),
        setting(plex_url="http://127.0.0.1:9"),
    ),
    Setup("Plex is off", "Plex", ("refuses the connection",), plex_is_off),
    Setup(
        "A host name that does not exist",
        "Plex",
        ("host name “no-such-host.invalid:32400” is not known",),
        setting(plex_url="http://no-such-host.invalid:32400"),
    ),
    Setup(
        "An https address for a Plex without TLS",
        "Plex",
        ("it speaks http, not https",),
        https_address,
    ),
    Setup(
        "Plex does not answer", "Plex", ("did not answer the identity check in time",), plex_hangs
    ),
    Setup("Plex is in maintenance", "Plex", ("is busy", "migrations", "Wait"), maintenance),
    Setup(
        "A log-in page before Plex",
        "Plex",
        ("a redirect", "really listens"),
        plex_fault("redirect"),
    ),
    Setup(
        "Something else at the address", "Plex", ("text/html", "really Plex"), plex_fault("html")
    ),
    Setup(
        "A wrong token",
        "Plex token",
        ("does not accept the token", "Put a"),
        setting(plex_token="old"),
    ),
    Setup(
        "A Plex without owner that takes us for a stranger",
        "Plex token",
        ("has no owner", "allowedNetworks"),
        without_owner,
    ),
    Setup(
        "A token that is shown no names of files",
        "Plex token",
        ("shows it no names of files", "server's owner"),
        seen_by_the_token("nothing"),
    ),
    Setup(
        "A token that is shown no folders",
        "Plex token",
        ("only the names of files", "server's owner"),
        seen_by_the_token("names"),
    ),
    Setup(
        "A library that Plex does not list",
        "Plex library",
        ("“Old Harbour” cannot be listed", "“Harbour Films” can", "lose no attempts"),
        unlisted_library,
    ),
    Setup(
        "Another Plex server",
        "Plex server",
        ("A different Plex server", "Rebuild Plex Index"),
        another_server,
    ),
    Setup(
        "A misspelt excluded tag",
        "tags in settings",
        ("names “Nihgt, indoor”, but Stash", "Correct Exclude tags"),
        setting(exclude_tags='"Nihgt, indoor"'),
    ),
    Setup(
        "One misspelt library of two",
        "Plex library",
        ("“Harbour Filmz”", "“Harbour Films” is used", "Correct"),
        setting(plex_library="Harbour Films, Harbour Filmz"),
    ),
    Setup(
        "A misspelt library",
        "Plex library",
        ("“Harbour Filmz”", "It has: “Harbour Films”", "Correct"),
        setting(plex_library="Harbour Filmz"),
    ),
    Setup("A library of the wrong type", "Plex library", ("has the type show",), show_library),
    Setup("An empty library", "matches", ("0 of 12", "Scan the library"), empty_library),
    Setup(
        "A token of a shared user", "edit rights", ("read this library but not edit",), shared_user
    ),
    Setup("Plex holds other files", "matches", ("0 of 12", "Stash has “/data"), other_files),
    Setup(
        "Every file is in Plex twice",
        "matches",
        ("12 match several", "Set Path map"),
        everything_twice,
    ),
    Setup(
        "A wrong path map",
        "path mapping",
        ("right for 0 of 12", "Correct Path map, such as “/data=>/media/library”"),
        setting(path_map="/data=>/somewhere/else"),
    ),
    Setup(
        "A clock that is far off",
        "clocks",
        ("Plex +", "NTP"),
        nothing,
        {"plex_ahead": 7230.0},
    ),
    Setup(
        "The data folder cannot be created",
        "database",
        ("cannot be created", "Move it away"),
        no_folder,
    ),
    Setup(
        "The database is of a newer version",
        "database",
        ("newer", "Update the plugin"),
        newer_database,
    ),
    Setup("The disk is full", "disk", ("Only 3 MiB", "Free some disk space"), disk_full),
    Setup(
        "The worker is off", "worker", ("off, and 12 scenes are due", "Process Queue"), due_and_off
    ),
    Setup("No worker runs", "worker", ("no worker is running",), due_and_nobody),
    Setup(
        "A queue that was never processed",
        "queue",
        ("25 h", "Process Queue"),
        forgotten,
    ),
    Setup("An outage", "circuit breaker", ("Waiting for Plex", "asked again"), waiting_for_plex),
    Setup(
        "Dead letters pile up",
        "dead letters",
        ("12 scenes given up", "9 because Plex has no such file", "Retry Dead Letters"),
        dead_letters,
    ),
)
"""Each of them happens to real users."""
