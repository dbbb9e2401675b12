"""What a release needs: one version, one address, workflows of verbs, a bill of what is inside."""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
import zipfile

import pytest
import yaml

from stash2plex.version import VERSION
from stash2plex_testing.world import ARCHIVE
from tools import build_docs, build_site, check_workflows, release_check
from tools.bill_of_materials import bill
from tools.build_plugin import ROOT
from tools.site_address import MENTIONED, SOURCE, with_address
from tools.vendored import packages

WORKFLOWS = os.path.join(ROOT, ".github", "workflows")
NOT_VERBS = (
    "apk add --no-cache bash build-base git make",  # a bare container has none of them
    "git config --global --add safe.directory",  # the clone belongs to another user there
    "gh release create",  # publishes; there is nothing to check in it
)


def documents():
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def test_versions_agree_before_a_release():
    assert release_check.wrong_versions(None) == []
    assert release_check.wrong_licences() == []


def test_a_tag_needs_its_version_and_a_closed_changelog(monkeypatch):
    assert any("the tag is v0.9" in line for line in release_check.wrong_versions("v0.9"))
    heads = f"## {VERSION}\n\n- **a**: b\n\n## 1.0.0\n"
    real = release_check._read
    monkeypatch.setattr(
        release_check, "_read", lambda *p: heads if p == ("CHANGELOG.md",) else real(*p)
    )
    assert release_check.wrong_versions(f"v{VERSION}") == []
    heads = f"## Unreleased\n\n{heads}"
    assert release_check.wrong_versions(f"v{VERSION}") == [
        f"CHANGELOG.md does not begin with the released section {VERSION}"
    ]


def test_version_lines_are_written_by_make_docs():
    for name in build_docs.VERSIONED:
        assert re.findall(r"(?m)^version: (.*)$", read(name)) == [VERSION]


def test_every_document_names_the_one_address():
    named = {name: set(MENTIONED.findall(read(name))) for name in documents()}
    assert {name for name, found in named.items() if found} == set(build_docs.ADDRESSED)
    assert set().union(*named.values()) == {SOURCE}
    assert with_address("see https://elsewhere.example/a/index.yml.") == f"see {SOURCE}."


def steps():
    for name in sorted(os.listdir(WORKFLOWS)):
        for job in yaml.safe_load(read(".github", "workflows", name))["jobs"].values():
            for step in job.get("steps", []):
                if "run" in step:
                    yield step["run"]


def test_workflows_run_verbs_that_exist():
    verbs = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    ran = [step for step in steps() if not step.startswith(NOT_VERBS)]
    assert ".ci/run" in ran
    assert [
        step for step in ran if step != ".ci/run" and re.split(r"[ ]", step)[:2][1] not in verbs
    ] == []
    assert all(step == ".ci/run" or step.startswith("make ") for step in ran)


def test_workflows_pass_actionlint():
    command = check_workflows.command()
    if command is None:
        pytest.skip("there is neither actionlint nor Go here")
    files = [os.path.join(WORKFLOWS, name) for name in sorted(os.listdir(WORKFLOWS))]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    if "proxy" in done.stderr or "dial tcp" in done.stderr:
        pytest.skip("Go cannot get the module of actionlint here")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bill_lists_what_the_archive_holds():
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = archive.namelist()
    inside = {name.split("/")[1] for name in names if re.match(r"vendor/[^/]+\.dist-info/", name)}
    found = packages()
    assert {f"{one.name.replace('-', '_')}-{one.version}.dist-info" for one in found} == inside
    for one in found:
        assert any("licenses/" in file or "LICENSE" in file for file in one.licence_files)
        assert one.hashes
        assert all(len(digest) == 64 for digest in one.hashes)
    document = bill(found, "0" * 64)
    refs = {one["bom-ref"] for one in document["components"]} | {"stash2plex"}
    assert {one["ref"] for one in document["dependencies"]} == refs
    assert set(document["dependencies"][0]["dependsOn"]) == refs - {"stash2plex"}
    assert {one["licenses"][0]["license"]["id"] for one in document["components"]} <= {
        "MIT", "BSD-3-Clause", "PSF-2.0",
    }  # fmt: skip


def slug(head):
    """Return the anchor of a heading, as GitHub and the generator of the site make it."""
    text = unicodedata.normalize("NFKD", re.sub(r"[`*]|\]\([^)]*\)", "", head))
    text = re.sub(r"[^\w\s-]", "", text.encode("ascii", "ignore").decode()).strip().lower()
    return re.sub(r"[-\s]+", "-", text)


def anchors(name):
    text = re.sub(r"```.*?```", "", read(name), flags=re.DOTALL)
    return {slug(head) for head in re.findall(r"(?m)^#+ (.+)$", text)}


@pytest.mark.parametrize("name", documents())
def test_every_link_to_a_heading_finds_it(name):
    folder = os.path.dirname(name)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", read(name)):
        if "://" not in target:
            place = os.path.normpath(os.path.join(folder, target)) if target else name
            assert anchor in anchors(place), f"{name}: {target}#{anchor}"


@pytest.mark.parametrize(
    ("page", "link", "changed"),
    [
        ("index.md", "docs/guides/install.md#paths", "guides/install.md#paths"),
        ("index.md", "CONTRIBUTING.md", "contributing.md"),
        ("guides/install.md", "../../README.md#read-on", "../index.md#read-on"),
        ("guides/install.md", "see-and-steer.md", "see-and-steer.md"),
        ("guides/install.md", "../screens/health.svg", "../screens/health.svg"),
        ("contributing.md", "docs/decisions/0024-mutants.md", "decisions/0024-mutants.md"),
        ("index.md", "https://stashapp.cc", "https://stashapp.cc"),
    ],
)
def test_links_lead_to_the_same_page_on_the_site(page, link, changed):
    assert build_site.with_links_of_site(f"[x]({link})", page) == f"[x]({changed})"


def test_every_page_but_the_decisions_is_in_the_menu():
    menu = set(re.findall(r"(?m): ([a-z-]+(?:/[\w-]+)?\.md)$", read("mkdocs.yml")))
    pages = {build_site.PAGES[name] for name in build_site.PAGES}
    pages |= {name.removeprefix("docs/") for name in documents() if name.startswith("docs/")}
    assert {name for name in pages - menu if not re.match(r"decisions/0", name)} == set()
    assert menu - pages - {"decisions/README.md"} == set()
