"""What a health check answers, and how an error becomes one."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from stash2plex.errors import Stash2PlexError

ADVICE = re.compile(
    r"(?<=[.?!]) "
    r"(?=(?:Put|Correct|Make|Use|Free|Update|Set|Turn|Try|Look|If that|Run|Name)\b)"
)
"""Where a message goes over from what happened to what to do: at its first imperative that is not
part of a title or path."""


PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
"""The states of a check."""

MARKS = {PASSED: "pass", FAILED: "FAIL", SKIPPED: "skip"}
"""How a command line shows them."""


@frozen
class Check:
    """One line of the health report.

    `detail` is what was found, `fix` what to do about a failed one. `exit_code` is what a command
    line ends with when this is the worst that was found.
    """

    name: str
    state: str
    detail: str
    fix: str = ""
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
            "fix": self.fix,
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
    """Turn an error into a failed check; advice in its message goes before `fix`."""
    what, _, advice = str(error).partition("\n")
    for match in ADVICE.finditer(what):
        if what.count("“", 0, match.start()) == what.count("”", 0, match.start()):
            what, advice = what[: match.start()], what[match.end() :]
            break
    return failed(name, what, advice or fix, error.exit_code)


def check_lines(checks: list[Check]) -> list[str]:
    """Return a line for each check, with its mark."""
    return [f"{MARKS[check.state]} {check_line(check)}" for check in checks]


def check_line(check: Check) -> str:
    """Return what was found, and what to do where it failed."""
    return f"{check.name}: {check.detail}" + (f" → {check.fix}" if check.fix else "")


def health_lines(checks: list[Check]) -> list[str]:
    """Return the failed checks, numbered.

    Stash's log shows the newest line first, and those of one moment in any order.
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
