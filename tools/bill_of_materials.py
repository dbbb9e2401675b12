"""Builds dist/sbom.cdx.json: what the archive consists of, as CycloneDX 1.6.

It holds no time and no random serial number, so that two builds of a commit are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from stash2plex.version import VERSION
from tools.build_plugin import ROOT
from tools.vendored import Package, packages

NAME = "sbom.cdx.json"


def main() -> int:
    """Write the bill of materials for the archive in dist."""
    dist = os.path.join(ROOT, "dist")
    with open(os.path.join(dist, "Stash2Plex.zip"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(os.path.join(dist, NAME), "w", encoding="utf-8") as file:
        json.dump(bill(packages(), digest), file, indent=2, ensure_ascii=False)
        file.write("\n")
    return 0


def bill(vendored: list[Package], digest: str) -> dict[str, Any]:
    """Return the bill of an archive with SHA-256 `digest` that holds the packages."""
    plugin = {
        "type": "application",
        "bom-ref": "stash2plex",
        "name": "Stash2Plex",
        "version": VERSION,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": "MIT"}}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": plugin},
        "components": [component(package) for package in vendored],
        "dependencies": [
            {"ref": "stash2plex", "dependsOn": [address(package) for package in vendored]},
            *({"ref": address(package)} for package in vendored),
        ],
    }


def address(package: Package) -> str:
    """Return the package URL, by which tools look a package up."""
    return f"pkg:pypi/{package.name}@{package.version}"


def component(package: Package) -> dict[str, Any]:
    """Describe one package; its hashes are those of the files that the lock accepts."""
    return {
        "type": "library",
        "bom-ref": address(package),
        "name": package.name,
        "version": package.version,
        "description": package.summary,
        "purl": address(package),
        "licenses": [{"license": {"id": package.licence}}],
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{package.name}/{package.version}/",
                "hashes": [{"alg": "SHA-256", "content": one} for one in package.hashes],
            }
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
