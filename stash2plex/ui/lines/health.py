"""The health report in words."""

from __future__ import annotations

from stash2plex.operations.health.checks import FAILED, PASSED, SKIPPED, Check

MARKS = {PASSED: "pass", FAILED: "FAIL", SKIPPED: "skip"}
"""How the command line shows each state."""


def check_lines(checks: list[Check]) -> list[str]:
    """Return a line for each check, with its mark."""
    return [f"{MARKS[check.state]} {check_line(check)}" for check in checks]


def check_line(check: Check) -> str:
    """Return what was found and, for a failed check, what to do."""
    return f"{check.name}: {check.detail}" + (f" → {check.fix}" if check.fix else "")


def health_lines(checks: list[Check]) -> list[str]:
    """Return the failed checks, numbered.

    Stash's log shows the newest line first, and lines of the same moment in any order.
    """
    wrong = [check for check in checks if not check.ok]
    return [
        f"{number} of {len(wrong)}: {check_line(check)}" for number, check in enumerate(wrong, 1)
    ]


def health_sentence(checks: list[Check]) -> str:
    """Return the summary of the report."""
    wrong = [check.name for check in checks if not check.ok]
    skipped = sum(check.state == SKIPPED for check in checks)
    if not wrong:
        return f"All {len(checks)} checks pass."
    need = "needs" if len(wrong) == 1 else "need"
    text = f"{len(wrong)} of {len(checks)} checks {need} you: {', '.join(wrong)}."
    if skipped:
        text += f" {skipped} can only be checked after that."
    return text
