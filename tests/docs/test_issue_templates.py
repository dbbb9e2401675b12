"""What we ask of users who report something: the report, and where each of them finds it."""

from __future__ import annotations

import os

import yaml

from stash2plex.cli.main import cli
from tests.docs.test_release import read
from tools.build_plugin import ROOT

FOLDER = ".github/ISSUE_TEMPLATE"


def fields(name):
    return {one["id"]: one for one in yaml.safe_load(read(FOLDER, name))["body"] if "id" in one}


def test_the_report_is_asked_for_by_the_words_of_the_page_and_the_command_line():
    asked = fields("1-something-is-wrong.yml")["report"]
    assert asked["validations"] == {"required": True}
    words = " ".join(asked["attributes"]["description"].split())
    assert "**Make the report** under Trouble" in words
    page = read("plugin", "ui", "texts", "en.js")
    assert '"report.make": "Make the report"' in page
    assert '"view.trouble": "Trouble"' in page
    assert "process_queue.py report" in words
    assert "report" in cli.commands
    assert "process_queue.py report" in read("docs", "guides", "posting-a-log.md")


def test_every_template_has_a_field_that_is_needed():
    names = sorted(os.listdir(os.path.join(ROOT, FOLDER)))
    assert yaml.safe_load(read(FOLDER, names.pop())) == {"blank_issues_enabled": False}
    for name in names:
        form = yaml.safe_load(read(FOLDER, name))
        assert {"name", "description", "labels", "body"} <= set(form)
        assert any(one["validations"]["required"] for one in fields(name).values())
