"""What a health check answers, and how an error becomes one."""

from __future__ import annotations

import re
from typing import Any

from attrs import asdict, frozen

from stash2plex.errors import Stash2PlexError

ADVICE = re.compile(
    r"(?<=[.?!]) "
    r"(?=(?:Put|Correct|Make|Use|Free|Update|Set|Turn|Try|Look|If that|Run|Name)\b)"
)
"""Where a message goes over from what happened to what to do: at its first imperative that is not
part of a title or path."""


@frozen
class Check:
    """One line of the health report.

    `detail` says what was found, `fix` what to do where `ok` is false. `exit_code` is what a
    command line ends with when this is the worst that was found.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    exit_code: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return it as the operation answers it (contract §5)."""
        return asdict(self, filter=lambda attribute, _: attribute.name != "exit_code")


def passed(name: str, detail: str) -> Check:
    """Say that all is well."""
    return Check(name, ok=True, detail=detail, exit_code=0)


def failed(name: str, detail: str, fix: str, exit_code: int = 1) -> Check:
    """Say what is wrong and what to do."""
    return Check(name, ok=False, detail=detail, fix=fix, exit_code=exit_code)


def blocked(name: str, by: str) -> Check:
    """Say that a check could not run because another one failed."""
    return Check(name, ok=False, detail=f"Not checked: it needs “{by}”.", fix=f"Mend “{by}” first.")


def failed_with(name: str, error: Stash2PlexError, fix: str) -> Check:
    """Turn an error into a failed check; advice in its message goes before `fix`."""
    what, _, advice = str(error).partition("\n")
    for match in ADVICE.finditer(what):
        if what.count("“", 0, match.start()) == what.count("”", 0, match.start()):
            what, advice = what[: match.start()], what[match.end() :]
            break
    return failed(name, what, advice or fix, error.exit_code)


def check_lines(checks: list[Check]) -> list[str]:
    """Say the checks in words, a line each."""
    return [
        f"{check.name}: {check.detail}" + ("" if check.ok or not check.fix else f" → {check.fix}")
        for check in checks
    ]
