"""Texts and lists too long for a URL: they go through, and the log records what was cut."""

from __future__ import annotations

from stash2plex_testing.plex import Fault


def test_a_text_of_a_megabyte_goes_through_and_says_so(bench, make_run):
    scene, item = bench.add(details="灯台と霧。" * 200_000)
    run = make_run()
    run.queue.add("scene", scene.id)
    assert run.drain().progress.done == 1
    held = item.texts["summary"]
    assert scene.details.startswith(held)
    assert len(held) > 1500
    assert any("longer than Plex takes: the first" in line for line in run.heard.lines)
    scene.title += ", again"
    run.queue.add("scene", scene.id)
    run.drain()
    assert item.texts["summary"] == held
    edits = [record.query for record in bench.plex.requests if record.method == "PUT"]
    assert sum("summary.value" in query for query in edits) == 1


def test_ten_thousand_letters_of_english_are_sent_whole(bench, make_run):
    details = ("The lantern was lit. " * 500)[:10_000].strip()
    scene, item = bench.add(details=details)
    run = make_run()
    run.queue.add("scene", scene.id)
    run.drain()
    assert item.texts["summary"] == details


def test_a_change_that_is_too_long_for_one_url_goes_out_field_by_field(bench, make_run):
    tags = [bench.stash.add_tag(f"灯台 {number} " + "霧" * 12) for number in range(100)]
    scene, item = bench.add(details="霧" * 1700, tags=tags)
    run = make_run()
    run.queue.add("scene", scene.id)
    assert run.drain().progress.done == 1
    assert item.texts["summary"] == "霧" * 1700
    assert 90 < len(item.tags["genre"]) <= 100
    assert bench.plex.count("PUT") > 1
    assert {"summary", "genre", "title"} <= item.locked


def test_a_proxy_that_takes_no_long_request_is_named(bench, make_run):
    scene, _ = bench.add()
    bench.plex.faults.add(Fault("status", method="PUT", status=414, times=None))
    run = make_run()
    run.queue.add("scene", scene.id)
    run.drain()
    ((error,),) = run.rows("SELECT error FROM dead_letter")
    assert "a proxy in front of it accepts no request of this size" in error


def test_a_list_to_remove_is_bounded_like_a_list_to_add(bench, make_run):
    scene, item = bench.add(tags=[bench.stash.add_tag(f"Tide {number}") for number in range(50)])
    item.tags["genre"] = [f"灯台 {number} " + "霧" * 12 for number in range(200)]
    run = make_run()
    run.queue.add("scene", scene.id)
    assert run.drain().progress.done == 1
    assert sorted(item.tags["genre"]) == sorted(f"Tide {number}" for number in range(50))
    assert bench.plex.longest_url < 20_200
