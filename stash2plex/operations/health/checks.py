"""What a health check answers, and how an error becomes one."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from stash2plex.errors import Stash2PlexError

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
"""The states of a check."""


@frozen
class Check:
    """One line of the health report.

    `detail` is what was found, `fix` what to do about a failed one. `exit_code` is what a command
    line ends with when this is the worst that was found.
    """

    name: str
    state: str
    detail: str
    fix: str | None = None
    exit_code: int = 0

    @property
    def ok(self) -> bool:
        """Whether it needs nothing of the user: a skipped one waits for another."""
        return self.state != FAILED

    def as_json(self) -> dict[str, Any]:
        """Return it as the operation answers it (contract §5)."""
        return {
            "name": self.name,
            "ok": self.ok,
            "state": self.state,
            "detail": self.detail,
            "fix": self.fix or "",
        }


def passed(name: str, detail: str) -> Check:
    """Return a check that found all well, or nothing to look at yet."""
    return Check(name, PASSED, detail)


def failed(name: str, detail: str, fix: str, exit_code: int = 1) -> Check:
    """Return a check that found something wrong, with what to do."""
    return Check(name, FAILED, detail, fix, exit_code)


def blocked(name: str, by: str) -> Check:
    """Return a check that could not run because another one failed."""
    return Check(name, SKIPPED, f"Not checked: it needs “{by}”.")


def follows(check: Check, by: str) -> Check:
    """Turn a failed check into a skipped one: its cause is what another one found."""
    return Check(check.name, SKIPPED, f"{check.detail} It follows from “{by}”.")


def failed_with(name: str, error: Stash2PlexError, fix: str) -> Check:
    """Turn an error into a failed check; `fix` is for one that brings no advice of its own."""
    return failed(name, error.what, error.fix or fix, error.exit_code)
