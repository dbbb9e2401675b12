"""Prepares what the page's tests need; returns 0 whatever is missing: those tests are skipped.

They need the packages of requirements/browser.txt, a Chromium, and npm for the host page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from stash2plex_testing.stash import host

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(ROOT, "build")
LOCK = os.path.join(ROOT, "requirements", "browser.txt")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Install and bundle what is not there; report what stays missing."""
    lacks = [lack for lack in (_no_driver(), _no_browser(), _no_host_page()) if lack]
    for lack in lacks:
        print(f"The page's tests are skipped: {lack}", file=sys.stderr)
    return 0


def find_browser() -> str:
    """Return the path of a Chromium, or "" if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), "")


def find_host_page() -> str:
    """Return the folder of the host page, or "" if it was not built."""
    return host.built(CACHE)


def _no_driver() -> str:
    try:
        import playwright  # noqa: F401, PLC0415 - asked whether it is there
    except ImportError:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*command, "--require-hashes", "-r", LOCK], check=False)
        return (
            "the packages of requirements/browser.txt cannot be installed."
            if done.returncode
            else ""
        )
    return ""


def _no_browser() -> str:
    return "" if find_browser() else "no Chromium was found."


def _no_host_page() -> str:
    try:
        host.build(CACHE)
    except RuntimeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
