"""Which failed check counts as the cause of which other one, and reports without a server."""

from __future__ import annotations

import pytest

from stash2plex.errors import StoreDamaged, StoreUnavailable, Unavailable
from stash2plex.operations.health.checks import Check, failed, passed
from stash2plex.operations.health.report import (
    NAMES,
    free_bytes,
    health_without_stash,
    health_without_store,
    once_each,
)

SENDS = ["Stash", "Stash log-in", "settings", "Plex", "Plex token", "edit rights"]
NEEDED = ["database", "disk", *SENDS[:5], "Plex server", "Plex library", "edit rights"]
CAUSES = {
    "circuit breaker": SENDS,
    "worker": NEEDED,
    "queue": [*NEEDED, "circuit breaker", "worker"],
}


def report(*wrong: str) -> list[Check]:
    """Return a whole report in which the named checks failed."""
    return [
        failed(name, f"About {name}.", "Fix it.") if name in wrong else passed(name, "All is well.")
        for name in NAMES
    ]


@pytest.mark.parametrize("name", CAUSES)
def test_what_follows_from_what(name):
    followed = []
    for cause in NAMES:
        if cause == name:
            continue
        found = {check.name: check for check in once_each(report(name, cause))}
        skipped = Check(name, "skipped", f"About {name}. It follows from “{cause}”.")
        if found[name] == skipped:
            followed.append(cause)
        else:
            assert found[name] == failed(name, f"About {name}.", "Fix it.")
        assert found[cause].ok is (name in CAUSES.get(cause, ()))
    # A log-in that failed is no cause while the settings could be read with it.
    assert sorted(followed) == sorted(set(CAUSES[name]) - {"Stash log-in"})


def test_the_first_cause_is_named_and_every_other_check_counts_for_itself():
    found = {check.name: check for check in once_each(report(*NAMES))}
    assert {name for name, check in found.items() if check.ok} == set(CAUSES)
    assert found["circuit breaker"].detail == "About circuit breaker. It follows from “Stash”."
    assert found["worker"].detail == "About worker. It follows from “database”."
    assert found["queue"].detail == "About queue. It follows from “database”."


def needs(checks: list[Check], by: str) -> set[str]:
    words = f"Not checked: it needs “{by}”."
    return {check.name for check in checks if (check.state, check.detail) == ("skipped", words)}


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (StoreUnavailable("It is full.", "Free some disk space."), "Free some disk space."),
        (StoreDamaged("It is damaged."), "Check the folder."),
    ],
)
def test_a_report_without_a_database(error, fix):
    checks = health_without_store(error)
    assert tuple(check.name for check in checks) == NAMES
    found = {check.name: check for check in checks}
    assert found["python"] == passed("python", "It has every part that is needed.")
    assert found["database"] == failed("database", error.what, fix, error.exit_code)
    assert needs(checks, "database") == set(NAMES) - {"python", "database"}


def test_a_report_without_stash():
    checks = health_without_stash(Unavailable("Stash", "Stash rests."))
    assert tuple(check.name for check in checks) == NAMES
    found = {check.name: check for check in checks}
    assert found["Stash"] == failed(
        "Stash",
        "Stash rests.",
        "Start Stash; on a command line also check STASH2PLEX_STASH_URL. Or name the folder with "
        "--data-dir.",
        3,
    )
    assert needs(checks, "Stash") == set(NAMES) - {"python", "Stash"}


def test_the_room_on_the_disk_is_that_of_the_folder(tmp_path):
    assert 0 < free_bytes(str(tmp_path)) < 2**60
