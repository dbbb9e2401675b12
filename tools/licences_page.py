"""Writes the page of what travels in the archive, and under which licence."""

from __future__ import annotations

from tools.vendored import packages


def licences_page() -> str:
    """Return a table of the vendored packages."""
    lines = [
        "# Licences",
        "",
        (
            "Stash2Plex is under the MIT licence. Its archive also holds these packages, as their "
            "authors published them and without a change, each with the text of its licence in "
            "`vendor/<package>.dist-info`. `sbom.cdx.json` beside the archive lists the same for "
            "programs (CycloneDX 1.6), with the hashes that the build accepts."
        ),
        "",
        "| Package | Version | Licence | What it is |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| [{package.name}](https://pypi.org/project/{package.name}/) | {package.version} "
        f"| {package.licence} | {package.summary} |"
        for package in packages()
    ]
    lines += [
        "",
        (
            "Name and idea come from an older plugin for Stash, Stash2Plex 1.x, which this one "
            "replaces. No code of it is in here: its settings keep their meaning, and the command "
            "`stash2plex import-legacy` reads what its queue still held. Thanks to its authors, "
            "and to its users for what they reported there."
        ),
    ]
    return "\n".join(lines) + "\n"
