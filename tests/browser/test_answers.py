"""What the page's tests answer has the form that the plugin's operations have."""

from __future__ import annotations

import pytest

from stash2plex_testing.page import answers
from tests.page.conftest import check, read_schema

KNOWN = sorted(set(answers.ANSWERS) & set(read_schema()["$defs"]))


@pytest.mark.parametrize("mode", KNOWN)
def test_they_fit_the_schema(mode):
    check(mode, answers.ANSWERS[mode])


def test_so_do_the_other_pages():
    for page in (answers.page(), answers.WELL, answers.FRESH, answers.at_step("files")):
        check("page", page)


def test_each_has_one():
    assert set(answers.ANSWERS) == set(KNOWN)
