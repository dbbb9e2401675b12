"""Builds dist/site: the documents as static pages, with the archive and its index beside them.

The documents are written for a reader of the repository. Here README becomes the first page, the
files beside it become pages, and links are changed to fit. A broken link fails the build.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from tools.build_plugin import ROOT, commit_time

SOURCE = os.path.join(ROOT, "build", "site-source")
SITE = os.path.join(ROOT, "dist", "site")
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Files beside `docs` that are pages of the site, by their names there."""
BESIDE = ("Stash2Plex.zip", "index.yml", "sbom.cdx.json")

LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")


def main(generator: str) -> int:
    """Build the site with `generator`, the path of mkdocs; returns the exit code."""
    write_source()
    epoch = str(int(commit_time().timestamp()))
    done = subprocess.run(
        [generator, "build", "--strict", "--clean", "--site-dir", SITE],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        # The generator's authors advertise in every build; the date goes into the site map.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": epoch},
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        return done.returncode
    for name in BESIDE:
        shutil.copyfile(os.path.join(ROOT, "dist", name), os.path.join(SITE, name))
    print(f"dist/site: {sum(len(names) for _, _, names in os.walk(SITE))} files", file=sys.stderr)
    return 0


def write_source() -> None:
    """Copy the documents to where the generator reads them, with the links changed."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, "docs"), SOURCE)
    for name, page in PAGES.items():
        shutil.copyfile(os.path.join(ROOT, name), os.path.join(SOURCE, page))
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            if name.endswith(".md"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                with open(path, "w", encoding="utf-8") as file:
                    file.write(with_links_of_site(text, os.path.relpath(path, SOURCE)))


def with_links_of_site(text: str, page: str) -> str:
    """Return a document with its links changed to lead from `page`, its path on the site."""
    original = {new: old for old, new in PAGES.items()}.get(page, os.path.join("docs", page))
    here = os.path.dirname(original)

    def change(link: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(here, link[2]))
        place = PAGES.get(target, target.removeprefix("docs" + os.sep))
        return link[1] + os.path.relpath(place, os.path.dirname(page) or ".") + link[3]

    return LINK.sub(change, text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
