"""What the documents show to type is run, or marked with the reason why it is not."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
import zipfile

import pytest
import yaml

from stash2plex_testing.world import ARCHIVE, World
from tests.docs.test_release import documents, read, slug
from tools.build_plugin import ROOT

BLOCK = re.compile(
    r"(?ms)(?:^ *<!-- (?P<mark>[^\n]*?) -->\n)?^(?P<in> *)```(?P<kind>\w*)\n"
    r"(?P<text>.*?)^(?P=in)```$"
)
TYPED = ("sh", "bash", "console", "powershell")
GUIDES = [name for name in documents() if not name.startswith(("docs/reference", "CHANGELOG"))]


def blocks():
    for name in GUIDES:
        for block in BLOCK.finditer(read(name)):
            if block["kind"] in TYPED:
                yield name, block["mark"] or "", block["text"]


TO_RUN = [(name, text) for name, mark, text in blocks() if mark == "run"]


def test_every_block_is_run_or_marked_with_a_reason():
    assert [
        (name, text)
        for name, mark, text in blocks()
        if mark != "run" and not re.match(r"not run: \S+ \S+", mark)
    ] == []


def test_what_is_for_another_system_names_the_job_that_runs_it():
    jobs = {
        job["name"] for job in yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"].values()
    }
    for name, mark, _ in blocks():
        for job in re.findall(r"the job “([^”]+)”", mark):
            assert job in jobs, f"{name}: {job}"


@pytest.fixture
def home(tmp_path):
    """Return a home with Stash's folder and the plugin in it, and its environment."""
    plugin = tmp_path / ".stash" / "plugins" / "Stash2Plex"
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(plugin)
    with World(str(tmp_path / "world")) as world:
        world.fill(3)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        environment = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "STASH2PLEX_STASH_URL": world.stash.url,
            "STASH2PLEX_DATA_DIR": str(tmp_path / ".stash" / "stash2plex"),
        }
        run = subprocess.run(
            ["python3", str(plugin / "process_queue.py"), "status"],
            env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        yield environment


@pytest.mark.parametrize(("name", "text"), TO_RUN)
def test_a_block_runs(name, text, home):
    typed = [line.removeprefix("$ ") for line in text.splitlines() if line.strip()]
    # Health Check and tasks return 1 for trouble that they found.
    script = "\n".join(f"{line} || [ $? -eq 1 ] || exit 9" for line in typed)
    done = subprocess.run(
        ["bash", "-c", script], env=home, cwd=home["HOME"], capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_compose_file_shows_both_the_same_folder():
    text = next(
        block["text"]
        for block in BLOCK.finditer(read("docs/guides/docker.md"))
        if block["kind"] == "yaml"
    )
    services = yaml.safe_load(text)["services"]
    folders = {
        name: {mount.split(":")[0] for mount in service["volumes"] if mount.startswith("/")}
        for name, service in services.items()
    }
    assert folders["stash"] == folders["plex"] != set()
    assert services["stash"]["ports"] == ["9999:9999"]


def newcomers():
    with open(os.path.join(os.path.dirname(__file__), "newcomers.toml"), "rb") as file:
        return tomllib.load(file)["question"]


@pytest.mark.parametrize("question", newcomers(), ids=lambda one: one["asks"])
def test_a_newcomers_question_is_answered_where_it_is_said_to_be(question):
    page, _, anchor = question["page"].partition("#")
    text = read("docs", page)
    if anchor:
        heads = list(re.finditer(r"(?m)^#+ (.+)$", text))
        at = next(n for n, head in enumerate(heads) if slug(head[1]) == anchor)
        end = heads[at + 1].start() if at + 1 < len(heads) else len(text)
        text = text[heads[at].start() : end]
    for words in question["words"]:
        assert words in " ".join(text.split())
    assert question["clicks"] == 1
    assert f": {page}\n" in read("mkdocs.yml")


def test_ten_questions_were_asked():
    assert len({one["asks"] for one in newcomers()}) == 10


def source_texts():
    """Return the texts of the code, joined as Python joins them; what is filled in is “…”."""
    listed = subprocess.run(
        ["git", "ls-files", "stash2plex/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    joined = " ".join(read(name) for name in listed.stdout.split())
    joined = re.sub(r"\"\s*\(?f?\"", "", joined)
    return re.sub(r"\s+", " ", re.sub(r"\{[^{}]*\}|%s", "…", joined))


def spellings(words):
    """Yield a message as it is, and with up to four words in a row filled in."""
    yield " ".join(words)
    for start in range(len(words)):
        for end in range(start + 1, min(start + 4, len(words) - 1) + 1):
            if len(words) - (end - start) >= 2:
                yield " ".join([*words[:start], "…", *words[end:]])


def test_the_words_of_troubleshooting_are_words_of_the_code():
    table = read("docs/guides/troubleshooting.md")
    cells = re.findall(r"(?m)^\| ([^|]+) \|", table)[2:]
    code = source_texts()
    parts = [part.strip(" .?:;") for cell in cells for part in re.split(r"…| / |“[^”]*”", cell)]
    missing = [
        part
        for part in parts
        if len(part) > 3 and not any(one in code for one in spellings(part.split()))
    ]
    assert len(cells) > 30
    assert missing == [], "\n".join(missing)
