"""The host page: a small Stash interface around a plugin's page, with Stash's own libraries.

`ui/host.js` is bundled with the locked npm packages into a folder of the cache; nothing of it is
in git. A FakeStash whose `core.interface` names that folder serves it as Stash serves its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess

from stash2plex_testing.stash.images import Reply, missing

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ui")
PACKAGES = ("package.json", "package-lock.json")
SOURCES = ("index.html", "host.js", "host.css")

CSP = (
    "default-src data: 'self' 'unsafe-inline'; connect-src data: 'self' ws: wss:; "
    "img-src data: *; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; media-src blob: 'self'; worker-src blob:; "
    "child-src 'none'; object-src 'none'; form-action 'self'"
)
"""What Stash sends with its page (stash.md §7.5)."""

KINDS = {".js": "text/ecmascript", ".css": "text/css"}
"""The script's old name: the server does not compress it, which takes longer than to send it."""


def built(cache: str) -> str:
    """Return the folder below `cache` that has the host page; "" if it was not built."""
    made = os.path.join(cache, f"host-{_digest()}")
    return made if os.path.exists(os.path.join(made, "index.html")) else ""


def build(cache: str) -> str:
    """Bundle the host page below the folder `cache`, unless it is there; returns its folder.

    Not for two processes at once. Raises RuntimeError with a sentence where npm is missing or its
    packages cannot be fetched.
    """
    if made := built(cache):
        return made
    if shutil.which("npm") is None:
        raise RuntimeError("npm is not installed, and the host page is made of npm packages.")
    work = os.path.join(cache, "host-packages")
    os.makedirs(work, exist_ok=True)
    for name in (*PACKAGES, *SOURCES):
        shutil.copy(os.path.join(SOURCE, name), work)
    # No scripts of packages are run; the lock holds the hash of each.
    _run(work, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    bundle = os.path.join(work, "bundle")
    esbuild = os.path.join(work, "node_modules", ".bin", "esbuild")
    _run(
        work, esbuild, "host.js", "host.css", "--bundle", "--minify", "--log-level=error",
        "--outdir=" + bundle, '--define:process.env.NODE_ENV="production"',
    )  # fmt: skip
    shutil.copy(os.path.join(work, "node_modules", "axe-core", "axe.min.js"), bundle)
    shutil.copy(os.path.join(work, "index.html"), bundle)
    made = os.path.join(cache, f"host-{_digest()}")
    shutil.rmtree(made, ignore_errors=True)
    os.replace(bundle, made)
    return made


def _digest() -> str:
    digest = hashlib.sha256()
    for name in (*PACKAGES, *SOURCES):
        with open(os.path.join(SOURCE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def _run(folder: str, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
        raise RuntimeError(f"{os.path.basename(command[0])} failed: {last[0]}")


def index(folder: str, prefix: str) -> Reply:
    """Return the page, with the `prefix` of a proxy as its base, as Stash does."""
    with open(os.path.join(folder, "index.html"), encoding="utf-8") as file:
        text = file.read().replace('<base href="/">', f'<base href="{prefix.rstrip("/")}/">')
    return Reply(200, text.encode(), "text/html", {"Content-Security-Policy": CSP})


def asset(folder: str, path: str) -> Reply:
    """Return a file of the bundle."""
    file = os.path.join(folder, os.path.basename(path))
    kind = KINDS.get(os.path.splitext(file)[1])
    if kind is None or not os.path.isfile(file):
        return missing()
    with open(file, "rb") as opened:
        return Reply(200, opened.read(), kind)
