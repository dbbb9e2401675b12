"""Hooks of the stand-in: which fire, what they get, and who ends them."""

import json
import socket
from typing import Any

from stash2plex_testing.stash import FakeStash
from tests.standins.plugins import SLOW, YML, alive, pids, plugin
from tests.support import until


def test_update_hook_runs_inside_the_save_and_its_changes_are_shown(stash: FakeStash) -> None:
    plugin(
        stash,
        """
        import http.client, json, sys
        request = json.load(sys.stdin)
        context = request["args"]["hookContext"]
        server = request["server_connection"]
        if context["input"]["title"] != "hooked":
            cookie = server["SessionCookie"]
            text = 'mutation { sceneUpdate(input: {id: %d, title: "hooked"}) { id } }'
            connection = http.client.HTTPConnection("127.0.0.1", server["Port"])
            connection.request(
                "POST", "/graphql", json.dumps({"query": text % context["id"]}),
                {"Content-Type": "application/json", "Cookie": f"session={cookie['Value']}"},
            )
            connection.getresponse().read()
            connection.close()
        print(json.dumps({"output": context}))
        """,
    )
    stash.add_scene("a")
    shown = stash.client().query(
        'mutation { sceneUpdate(input: {id: 1, title: "b", organized: true}) { title } }'
    )
    assert shown == {"sceneUpdate": {"title": "hooked"}}
    inner, outer = stash.hook_runs
    assert inner.result["input"]["title"] == "hooked"
    context = outer.result
    assert context["type"] == outer.trigger == "Scene.Update.Post"
    assert context["id"] == 1
    assert sorted(context["inputFields"]) == ["id", "organized", "title"]
    assert set(context["input"]) == {
        "clientMutationId", "id", "title", "code", "details", "director", "url", "urls", "date",
        "rating100", "o_counter", "organized", "studio_id", "gallery_ids", "performer_ids",
        "movies", "groups", "tag_ids", "cover_image", "stash_ids", "resume_time",
        "play_duration", "play_count", "primary_file_id",
    }  # fmt: skip
    assert context["input"]["id"] == "1"
    assert context["input"]["details"] is None
    assert outer.seconds >= inner.seconds


def test_a_hook_that_triggers_itself_runs_ten_deep(stash: FakeStash) -> None:
    plugin(
        stash,
        """
        import http.client, json, sys
        request = json.load(sys.stdin)
        server = request["server_connection"]
        connection = http.client.HTTPConnection("127.0.0.1", server["Port"])
        connection.request(
            "POST", "/graphql",
            json.dumps({"query": "mutation { sceneUpdate(input: {id: 1}) { id } }"}),
            {"Content-Type": "application/json",
             "Cookie": "session=" + server["SessionCookie"]["Value"]},
        )
        connection.getresponse().read()
        connection.close()
        print('{"output": "ok"}')
        """,
    )
    stash.add_scene()
    stash.client().query("mutation { sceneUpdate(input: {id: 1}) { id } }")
    assert len(stash.hook_runs) == 10


def contexts(stash: FakeStash) -> list[dict[str, Any]]:
    return [run.result["args"]["hookContext"] for run in stash.hook_runs]


def test_which_operations_fire_what(stash: FakeStash) -> None:
    plugin(stash)
    for number in range(4):
        stash.add_scene(files=[f"/data/{number}.mp4"])
    stash.add_performer("p"), stash.add_group("g"), stash.add_tag("t"), stash.add_tag("u")
    ask = stash.client().query
    ask('mutation { sceneCreate(input: {title: "new"}) { id } }')
    ask("mutation { bulkSceneUpdate(input: {ids: [1, 2], tag_ids: {mode: ADD, ids: [1]}}) { id } }")
    ask("mutation { sceneDestroy(input: {id: 1}) }")
    ask("mutation { sceneMerge(input: {source: [3], destination: 2}) { id } }")
    ask("mutation { tagsMerge(input: {source: [1], destination: 2}) { id } }")
    ask('mutation { performerUpdate(input: {id: 1, name: "q"}) { id } }')
    ask('mutation { groupUpdate(input: {id: 1, name: "h"}) { id } }')
    ask('mutation { scenesUpdate(input: [{id: 2, title: "x"}, {id: 4, code: "y"}]) { id } }')
    stash.scan_moved_file(stash.library.scenes[4].files[0], "/data/moved.mp4")
    stash.auto_tag(stash.library.scenes[4])
    seen = contexts(stash)
    assert [(context["type"], context["id"]) for context in seen] == [
        ("Scene.Create.Post", 5),
        ("Scene.Update.Post", 1),
        ("Scene.Update.Post", 2),
        ("Scene.Destroy.Post", 1),
        ("Tag.Merge.Post", 2),
        ("Performer.Update.Post", 1),
        ("Group.Update.Post", 1),
        ("Movie.Update.Post", 1),
        ("Scene.Update.Post", 2),
        ("Scene.Update.Post", 4),
        ("Scene.Update.Post", 4),
    ]
    assert seen[0]["input"] is None
    assert "inputFields" not in seen[0]
    assert seen[1]["input"]["tag_ids"] == {"ids": ["1"], "mode": "ADD"}
    assert seen[3]["input"]["path"] == "/data/0.mp4"
    assert len(seen[3]["input"]["oshash"]) == 16
    assert seen[4]["input"] == {"source": ["1"], "destination": "2"}
    assert [values["id"] for values in seen[9]["input"]] == ["2", "4"]
    assert sorted(seen[9]["inputFields"]) == ["code", "id"]
    assert seen[10]["input"] is None


def test_inputs_that_gqlgen_made_leave_out_what_is_null(stash: FakeStash) -> None:
    plugin(stash, yml=YML.replace("Tag.Merge.Post", "Tag.Merge.Post, Tag.Update.Post"))
    stash.add_scene(files=["/data/a.mp4"])
    stash.add_performer("p"), stash.add_group("g"), stash.add_tag("t")
    ask = stash.client().query
    ask(
        "mutation { bulkSceneUpdate(input: {ids: [1], tag_ids: {mode: SET}, rating100: 5}) { id } }"
    )
    ask('mutation { tagUpdate(input: {id: 1, description: "x", parent_ids: []}) { id } }')
    ask('mutation { groupUpdate(input: {id: 1, name: "h"}) { id } }')
    ask('mutation { performerUpdate(input: {id: 1, name: "q"}) { id } }')
    bulk, tag, group, movie, performer = [context["input"] for context in contexts(stash)]
    assert bulk == {"ids": ["1"], "tag_ids": {"mode": "SET"}, "rating100": 5}
    assert tag == {"id": "1", "description": "x"}
    assert group == movie == {"id": "1", "name": "h"}
    # Fields that the schema has no more are still in the struct.
    assert {"aliases", "height", "url", "weight"} <= performer.keys()
    assert performer["aliases"] is None


def test_disabled_plugins_do_nothing(stash: FakeStash) -> None:
    plugin(stash)
    stash.add_scene()
    ask = stash.client().query
    ask("mutation ($m: BoolMap!) { setPluginsEnabled(enabledMap: $m) }", {"m": {"example": False}})
    ask("mutation { sceneUpdate(input: {id: 1}) { id } }")
    assert stash.hook_runs == []
    assert stash.run_task("example", "Do it").wait().status == "FAILED"


def test_a_client_that_leaves_kills_the_hook_and_those_of_the_rest(stash: FakeStash) -> None:
    plugin(stash, SLOW)
    stash.add_scene(), stash.add_scene()
    text = 'mutation { bulkSceneUpdate(input: {ids: [1, 2], title: "kept"}) { id } }'
    body = json.dumps({"query": text}).encode()
    with socket.create_connection(("127.0.0.1", stash.port)) as connection:
        head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(f"POST /graphql HTTP/1.1\r\n{head}".encode() + body)
        until(lambda: pids(stash))
    until(lambda: not alive(pids(stash)[0]))
    until(lambda: stash.hook_runs)
    assert [run.killed for run in stash.hook_runs] == [True]
    assert stash.hook_runs[0].error == "signal: killed"
    assert [scene.title for scene in stash.scenes] == ["kept", "kept"]
