"""Defines a health check, and how an error becomes one."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from stash2plex.errors import Stash2PlexError

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
"""The states of a check."""


@frozen
class Check:
    """One line of the health report.

    `detail` is what was found, `fix` what to do if it failed. `exit_code` is what the command line
    ends with if this is the worst that was found.
    """

    name: str
    state: str
    detail: str
    fix: str | None = None
    exit_code: int = 0

    @property
    def ok(self) -> bool:
        """Whether the user need not act; a skipped check depends on another one."""
        return self.state != FAILED

    def as_json(self) -> dict[str, Any]:
        """Return the check as the operation answers it (contract §5)."""
        return {
            "name": self.name,
            "ok": self.ok,
            "state": self.state,
            "detail": self.detail,
            "fix": self.fix or "",
        }


def passed(name: str, detail: str) -> Check:
    """Return a check that found all well, or nothing to check yet."""
    return Check(name, PASSED, detail)


def failed(name: str, detail: str, fix: str, exit_code: int = 1) -> Check:
    """Return a check that found something wrong, and what to do about it."""
    return Check(name, FAILED, detail, fix, exit_code)


def blocked(name: str, by: str) -> Check:
    """Return a check that could not run because another one failed."""
    return Check(name, SKIPPED, f"Not checked: it needs “{by}”.")


def follows(check: Check, by: str) -> Check:
    """Turn a failed check into a skipped one whose cause another check found."""
    return Check(check.name, SKIPPED, f"{check.detail} It follows from “{by}”.")


def failed_with(name: str, error: Stash2PlexError, fix: str) -> Check:
    """Turn an error into a failed check; `fix` is used if the error has no advice of its own."""
    return failed(name, error.what, error.fix or fix, error.exit_code)
