"""Checks .github/workflows with actionlint, which Go builds from its module."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tools.build_plugin import ROOT

MODULE = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def command() -> list[str] | None:
    """Return how to run actionlint here; None if neither it nor Go is installed."""
    if found := shutil.which("actionlint"):
        return [found]
    go = shutil.which("go") or "/usr/local/go/bin/go"
    return [go, "run", MODULE] if os.access(go, os.X_OK) else None


def main() -> int:
    """Run actionlint in the tree; returns its exit code, or 2 if it cannot be had."""
    found = command()
    if found is None:
        print("actionlint is missing: install it, or Go, which builds it.", file=sys.stderr)
        return 2
    return subprocess.run(found, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
