"""The report in words, with every name hidden, whatever the settings say."""

from __future__ import annotations

import secrets

from stash2plex.logs.handlers import plain
from stash2plex.logs.redact import Pseudonyms
from stash2plex.operations.report import Report
from stash2plex.ui.lines.health import check_lines, health_sentence
from stash2plex.ui.lines.status import status_lines


def report_lines(report: Report) -> list[str]:
    """Return the report, ready to be posted.

    Without the folder's key the pseudonyms are those of this report alone.
    """
    pseudonyms = Pseudonyms(report.key or secrets.token_bytes(16))

    def hide(line: str) -> str:
        for secret in report.secrets:
            line = line.replace(secret, "(token)")
        return plain(pseudonyms.text(line))

    checks = list(report.health)
    parts = {
        "Versions": [f"{name}: {version}" for name, version in report.versions.items()],
        "Settings that are not the default": list(report.settings),
        "Health Check": [*check_lines(checks), health_sentence(checks)],
        "Status": [] if report.status is None else status_lines(dict(report.status)),
        "Last lines of worker.log": list(report.log),
    }
    lines = []
    for head, content in parts.items():
        lines += [f"== {head} ==", *(hide(line) for line in content or ["(nothing)"]), ""]
    return lines[:-1]
