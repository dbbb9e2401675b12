"""The command “undo”: of all, of some items and fields, and while Plex does not answer."""

from __future__ import annotations

import json


def test_an_undo_that_plex_does_not_answer_names_the_error(desk):
    desk.run("sync", "--scene", "1")
    desk.plex.down()
    code, out, err = desk.run("undo", "--all", "--wait", "0")
    assert code == 3
    assert "1 scene queued to be put back." in err.splitlines()
    assert "refuses the connection" in err
    assert out


def test_an_undo_of_some_items_and_fields(desk):
    desk.run("sync", "--all")
    items = [str(item.rating_key) for item in desk.plex.all_items()]

    def counted(*words):
        code, out, err = desk.run("undo", *words, "--dry-run", "--json")
        assert code == 0, err
        return json.loads(out)["queued"]

    assert counted("--item", items[0], "--item", items[2]) == 2
    assert counted("--item", items[1], "--field", "title", "--field", "summary") == 1
    assert counted("--all") == 6
