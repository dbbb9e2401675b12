"""How we write, as far as a search can tell: see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import tokenize

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WRITTEN_BY_US = ("stash2plex/", "stash2plex_testing/", "tools/", "plugin/")
USERS_READ = tuple(f"stash2plex/{room}/" for room in ("ui", "operations", "tasks", "cli", "sync"))
RULES_OF_WRITING = "CONTRIBUTING.md"
"""Names the words that it forbids."""

FIRST_WORDS = re.compile(r"(Say|Tell|Note)s?\b")
"""Of a docstring: a function returns, records, shows or reports."""

BANNED = re.compile(
    r"\b(persons?|somebody|someone|anew|afresh|lest|be it|by (it|them)sel(f|ves)|shall"
    r"|mend(s|ed|ing)?|for ever|is no (error|failure|fault|trouble|news)|nothing of ours)\b"
    r"|\b(most|least|waits?|for|after|within|last|took|each) so (long|many|much)\b",
    re.IGNORECASE,
)

KEYS = re.compile(r"\bkeys? (is |are )?(due|wait(s|ing|ed)?|queued|given up|on hold)\b")
"""Users read of scenes."""


def files(*endings):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [name for name in listed if name.endswith(endings)]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


OURS = [name for name in files(".py") if name.startswith(WRITTEN_BY_US)]
DOCUMENTS = [
    name
    for name in files(".md", ".yml", ".svg", ".js", "Makefile")
    if not name.startswith(("tests/", ".")) and name != RULES_OF_WRITING
]


def docstrings(text):
    """List the docstrings of modules, classes and functions, and the texts below constants."""
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield str(statement.value.value)


def texts_and_comments(text):
    """List every text and comment of a program, on one line each."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            yield " ".join(token.string.split())


def test_docstrings_begin_with_what_a_function_does():
    assert [
        (name, text) for name in OURS for text in docstrings(read(name)) if FIRST_WORDS.match(text)
    ] == []


def test_docstrings_of_tests_keep_to_the_same_rules():
    assert [
        (name, text)
        for name in files(".py")
        if name.startswith("tests/")
        for text in docstrings(read(name))
        if FIRST_WORDS.match(text) or BANNED.search(" ".join(text.split()))
    ] == []


def test_programs_use_no_word_that_stops_a_reader():
    assert [
        (name, text)
        for name in OURS
        for text in texts_and_comments(read(name))
        if BANNED.search(text)
    ] == []


def test_documents_use_no_word_that_stops_a_reader():
    assert [
        (name, line)
        for name in DOCUMENTS
        for line in read(name).splitlines()
        if BANNED.search(line)
    ] == []


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith(USERS_READ)])
def test_users_read_of_scenes_and_not_of_keys(name):
    documented = set(docstrings(read(name)))
    for node in ast.walk(ast.parse(read(name))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value in documented or not KEYS.search(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count":
            noun = node.args[-1]
            assert not (isinstance(noun, ast.Constant) and str(noun.value).endswith("key"))
