"""The command “operation”: its arguments, and its answer in words."""

from __future__ import annotations

import json


def test_a_task_that_answers_with_a_sentence_shows_it_as_it_is(desk):
    sentence = json.loads(desk.run("operation", "clear_queue", "--json")[1])
    assert desk.run("operation", "clear_queue")[:2] == (0, f"{sentence}\n")


def test_one_scene_is_previewed_as_a_task_where_its_id_is_given(desk):
    assert json.loads(desk.run("operation", "preview", "scene_id=2", "--json")[1])["seen"] == 1
    assert json.loads(desk.run("operation", "preview", "--json")[1])["seen"] == 6
