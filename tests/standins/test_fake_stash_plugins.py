"""FakeStash's plugins: real processes, hooks inside the save, tasks in a queue, operations."""

import json
import os
import signal
import socket
import textwrap
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash, Job
from stash2plex_testing.stash.jobs import JobError
from stash2plex_testing.stash.manifest import ManifestError, read_manifest
from stash2plex_testing.stash.process import Progress, interpret
from tests.support import until

YML = """\
name: Example
version: 1.10
exec:
  - python
  - "{pluginDir}/run.py"
  - first
interface: raw
errLog: warning
hooks:
  - name: On change
    triggeredBy: [Scene.Update.Post, Scene.Create.Post, Scene.Destroy.Post, Tag.Merge.Post,
                  Performer.Update.Post, Group.Update.Post, Movie.Update.Post]
    defaultArgs: {mode: hook}
tasks:
  - name: Do it
    description: All of it
    defaultArgs: {mode: task, other: "1"}
    execArgs: ["{pluginDir}/more"]
settings:
  b_url: {displayName: URL, type: STRING}
  a_on: {displayName: On, type: BOOLEAN}
ui:
  javascript: [ui.js]
  assets: {/files: shown}
"""

ECHO = """\
    import json, os, sys
    data = sys.stdin.read()
    request = json.loads(data)
    request.update(argv=sys.argv, cwd=os.getcwd(), path=os.environ.get("PYTHONPATH"))
    print(json.dumps({"output": request}))
"""


def plugin(
    stash: FakeStash,
    script: str = ECHO,
    name: str = "example",
    yml: str = YML,
    folder: str = "community/example",
) -> str:
    target = os.path.join(stash.plugins_dir, folder)
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(target, f"{name}.yml"), "w", encoding="utf-8") as file:
        file.write(yml)
    with open(os.path.join(target, "run.py"), "w", encoding="utf-8") as file:
        file.write(textwrap.dedent(script))
    stash.plugins.reload()
    return target


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[FakeStash]:
    with FakeStash(root=str(tmp_path)) as server:
        yield server


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# -- configs ------------------------------------------------------------------------------


def test_config_is_read_with_its_texts_as_written(stash: FakeStash) -> None:
    plugin(stash)
    data = stash.client().query(
        "{ plugins { id name version enabled tasks { name description } hooks { name hooks }"
        " settings { name type display_name } paths { javascript css } } }"
    )["plugins"]
    assert len(data) == 1
    assert data[0]["id"] == "example"
    assert data[0]["version"] == "1.10"
    assert [setting["name"] for setting in data[0]["settings"]] == ["a_on", "b_url"]
    assert data[0]["paths"]["css"] is None


@pytest.mark.parametrize(
    "more",
    ["surprise: 1", "settings: {a: {default: 1}}", "interface: other", "name: twice",
     "ui: {csp: {img-src: []}}", "exec: text", "tasks: [{name: a, icon: b}]",
     "hooks: [{name: a, when: b}]", "settings: {a: {type: PASSWORD}}", "- list", "a: [", "x"],
)  # fmt: skip
def test_strict_configs(tmp_path: Path, more: str) -> None:
    path = tmp_path / "p.yml"
    path.write_text(f"name: P\n{more}\n" if more != "x" else "just text\n")
    with pytest.raises(ManifestError):
        read_manifest(str(path))


def test_a_broken_config_is_logged_and_the_first_of_an_id_wins(stash: FakeStash) -> None:
    plugin(stash, folder="a")
    plugin(stash, folder="b", name="EXAMPLE")
    plugin(stash, folder="c", name="broken", yml="name: B\nwhat: 1\n")
    plugin(stash, folder="d", name="other", yml="name: O\n")
    assert [manifest.id for manifest in stash.plugins.manifests] == ["example", "other"]
    errors = {line.message for line in stash.log if line.level == "error"}
    assert len(errors) == 2
    assert any("field what not found" in error for error in errors)


# -- the process --------------------------------------------------------------------------


def test_what_an_operation_gets_and_gives(stash: FakeStash) -> None:
    folder = plugin(stash)
    output = stash.client().query(
        'mutation ($a: Map) { runPluginOperation(plugin_id: "example", args: $a) }',
        {"a": {"mode": "status", "deep": {"n": 1.5, "list": [True, None]}}},
    )["runPluginOperation"]
    assert output["args"] == {"mode": "status", "deep": {"n": 1.5, "list": [True, None]}}
    assert output["argv"] == [f"{folder}/run.py", "first"]
    assert output["cwd"] == os.getcwd()
    assert output["path"].split(os.pathsep)[-1] == os.path.dirname(folder)
    connection = output["server_connection"]
    assert connection["Host"] == "0.0.0.0"
    assert connection["Port"] == stash.port
    assert connection["Scheme"] == "http"
    assert connection["Dir"] == stash.config_dir
    assert connection["PluginDir"] == folder
    assert connection["SessionCookie"]["Name"] == "session"
    assert connection["SessionCookie"]["MaxAge"] == 0


@pytest.mark.parametrize(
    ("stdout", "code", "output", "error"),
    [
        (b'{"output": {"a": 1}}\n', 0, {"a": 1}, None),
        (b'{"error": "no"}', 0, None, "no"),
        (b'{"error": "no"}', 3, None, "no"),
        (b'{"output": 1}', 3, 1, "exit status 3"),
        (b'stray\n{"error": "no"}', 0, 'stray\n{"error": "no"}', None),
        (b'{"foo": 1}', 0, None, None),
        (b"[1]", 0, "[1]", None),
        (b"", 0, "", None),
        (b'{"output": NaN}', 0, '{"output": NaN}', None),
        (b'{"error": 5}', 0, '{"error": 5}', ""),
        (b'{"error": ""}', 0, None, ""),
        (b'{"error": ""}', 3, None, ""),
        (b"null", 0, None, None),
        (b"", -signal.SIGKILL, "", "signal: killed"),
    ],
)
def test_reading_stdout(stdout: bytes, code: int, output: object, error: str | None) -> None:
    outcome = interpret(stdout, code)
    assert (outcome.output, outcome.error) == (output, error)


def test_errors_of_operations(stash: FakeStash) -> None:
    plugin(stash, 'print(\'{"error": "It broke."}\')')
    client = stash.client()
    with pytest.raises(ValueError, match="It broke"):
        client.query('mutation { runPluginOperation(plugin_id: "example") }')
    with pytest.raises(ValueError, match="Internal system error"):
        client.query('mutation { runPluginOperation(plugin_id: "Example") }')


def test_failed_operations_are_in_the_log(stash: FakeStash) -> None:
    plugin(stash, 'print(\'{"error": "It broke."}\')')
    client = stash.client()
    client.post('mutation { runPluginOperation(plugin_id: "example") }')
    client.post('mutation { runPluginOperation(plugin_id: "none") }')
    client.post('query { a: findScenes(ids: ["x"]) { count } }')
    panic = "runtime error: invalid memory address or nil pointer dereference"
    start = "runPluginOperation: input: runPluginOperation"
    assert [line.message for line in stash.log if line.level == "error"] == [
        f"{start} It broke.",
        panic,
        f"{start} Internal system error. Error <{panic}>",
        'a: input: a converting ids: strconv.Atoi: parsing "x": invalid syntax',
    ]


def test_half_a_character_is_replaced(stash: FakeStash) -> None:
    plugin(stash, r"""print('{"output": "a\udc80b"}')""")
    output = stash.client().query('mutation { runPluginOperation(plugin_id: "example") }')
    assert output == {"runPluginOperation": "a\ufffdb"}


def test_plugins_with_little_in_their_config(stash: FakeStash) -> None:
    plugin(stash, yml="name: X\n")
    shown = stash.client().query(
        "{ plugins { description url version tasks { name } hooks { name } settings { name } } }"
    )
    nothing = dict.fromkeys(("description", "url", "version", "tasks", "hooks"))
    assert shown == {"plugins": [{**nothing, "settings": []}]}


def test_log_levels_and_the_line_limit(stash: FakeStash) -> None:
    plugin(
        stash,
        r"""
        import sys
        put = sys.stderr.buffer.write
        put(b"\x01i\x02 hello \n\n\x01d\x02deep\nplain\n\x01x\x02odd\n\x01w\x02caf\xc3\xa9\n")
        put(b"\x01p\x020.5\n\x01p\x02half\n\x01e\x02without an end")
        print('{"output": "ok"}')
        """,
    )
    stash.client().query('mutation { runPluginOperation(plugin_id: "example") }')
    assert stash.plugin_log == [
        ("info", "hello"),
        ("debug", "deep"),
        ("warning", "plain"),
        ("warning", "\x01x\x02odd"),
        ("warning", "café"),
        ("error", "without an end"),
    ]
    complaint = (
        "Error parsing progress value 'half': strconv.ParseFloat: parsing \"half\": invalid syntax"
    )
    assert complaint in [line.message for line in stash.log], "without the plugin's name"
    shown = stash.client().query("{ logs { level message } }")["logs"]
    assert {"level": "Info", "message": "[Plugin / Example] hello"} in shown
    assert not any(line["level"] == "Debug" for line in shown)


def test_a_line_over_64_kib_ends_the_log(stash: FakeStash) -> None:
    plugin(
        stash,
        """
        import sys
        print("before", file=sys.stderr, flush=True)
        problem = ""
        try:
            for _ in range(20):
                print("x" * 70000, file=sys.stderr, flush=True)
        except BrokenPipeError:
            problem = "broken pipe"
        print('{"output": "%s"}' % problem)
        sys.stdout.flush()
        import os
        os._exit(0)
        """,
    )
    output = stash.client().query('mutation { runPluginOperation(plugin_id: "example") }')
    assert output == {"runPluginOperation": "broken pipe"}
    assert stash.plugin_log == [("warning", "before")]


def test_megabytes_go_in_and_out(stash: FakeStash) -> None:
    plugin(stash)
    text = "ü" * 2_000_000
    output = stash.client().query(
        'mutation ($a: Map) { runPluginOperation(plugin_id: "example", args: $a) }',
        {"a": {"text": text}},
    )
    assert output["runPluginOperation"]["args"]["text"] == text


def test_a_plugin_that_cannot_start(stash: FakeStash) -> None:
    plugin(stash, yml="name: X\nexec: [no-such-program]\nhooks:\n"
           "  - {name: h, triggeredBy: [Scene.Update.Post]}\ntasks: [{name: t}]\n",
           folder="a", name="bad")  # fmt: skip
    plugin(stash)
    stash.add_scene()
    stash.client().query("mutation { sceneUpdate(input: {id: 1}) { id } }")
    assert stash.hook_runs == [], "later plugins' hooks are skipped for this event"
    job = stash.run_task("bad", "t").wait()
    assert job.status == "FAILED"
    assert "no-such-program" in (job.error or "")


# -- hooks --------------------------------------------------------------------------------


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


SLOW = """\
    import json, os, sys, time
    request = json.load(sys.stdin)
    with open(os.path.join(request["server_connection"]["Dir"], "pid"), "a") as file:
        file.write(f"{os.getpid()}\\n")
    print("started", file=sys.stderr, flush=True)
    time.sleep(30)
"""


def pids(stash: FakeStash) -> list[int]:
    try:
        with open(os.path.join(stash.config_dir, "pid"), encoding="ascii") as file:
            return [int(line) for line in file.read().split("\n")[:-1]]
    except FileNotFoundError:
        return []


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


def find(stash: FakeStash, number: str) -> Job:
    job = stash.jobs.find(int(number))
    assert job
    return job


# -- tasks --------------------------------------------------------------------------------


def test_a_task_with_its_arguments_progress_and_log(stash: FakeStash) -> None:
    folder = plugin(
        stash,
        r"""
        import json, sys, time
        request = json.load(sys.stdin)
        for value in ("-1", "0.25", "7"):
            sys.stderr.write(f"\x01p\x02{value}\n")
        sys.stderr.write("\x01i\x02working\n")
        print(json.dumps({"output": [request["args"], sys.argv[1:]]}))
        """,
    )
    client = stash.client()
    number = client.query(
        'mutation { runPluginTask(plugin_id: "example", task_name: "Do it",'
        ' args: [{key: "other", value: {i: 2}}]) }'
    )["runPluginTask"]
    job = find(stash, number).wait()
    assert job.output == [{"mode": "task", "other": 2}, ["first", f"{folder}/more"]]
    assert job.progress_values == [0.0, 0.25, 1.0]
    assert job.progress_updates[-1] == 1.0
    assert job.log == ["info: working"]
    shown = client.query(
        "query ($i: FindJobInput!) { findJob(input: $i) { id status description progress error"
        " startTime endTime addTime subTasks } jobQueue { id } }",
        {"i": {"id": number}},
    )
    assert shown["jobQueue"] is None
    assert shown["findJob"]["status"] == "FINISHED"
    assert shown["findJob"]["description"] == "Running plugin task: Do it"
    assert shown["findJob"]["progress"] == 1.0


def test_a_task_without_a_name_runs_with_the_given_arguments_only(stash: FakeStash) -> None:
    plugin(stash)
    number = stash.client().query(
        'mutation ($m: Map) { runPluginTask(plugin_id: "example", description: "mine",'
        " args_map: $m) }",
        {"m": {"n": 1, "deep": {"b": True}}},
    )["runPluginTask"]
    job = find(stash, number).wait()
    assert job.description == "Running plugin task: mine"
    found = "query ($i: FindJobInput!) { findJob(input: $i) { progress } }"
    shown = stash.client().query(found, {"i": {"id": number}})
    assert shown == {"findJob": {"progress": 0}}, "0 and not null where there was no value"
    assert job.output["args"] == {"n": 1, "deep": {"b": True}}
    assert job.output["argv"][1:] == ["first"]


def test_a_plugins_error_leaves_the_job_finished(stash: FakeStash) -> None:
    plugin(stash, 'import sys; print(\'{"error": "It broke."}\'); sys.exit(4)')
    job = stash.run_task("example", "Do it").wait()
    assert (job.status, job.error) == ("FINISHED", None)
    assert any("It broke." in line.message for line in stash.log if line.level == "error")
    assert stash.run_task("example", "Nothing").wait().status == "FAILED"


def test_the_words_of_failing_tasks(stash: FakeStash) -> None:
    folder = plugin(stash, yml="name: X\nexec: [no-such-program]\ntasks: [{name: t}]\n")
    start = "Error creating plugin task: "
    errors = [stash.run_task(*of).wait().error for of in (("none", "t"), ("example", "u"))]
    assert errors == [
        f"{start}no plugin with ID none",
        f"{start}no task with name u in plugin X",
    ]
    assert stash.run_task("example", "t").wait().error == (
        "Error running plugin task: error running plugin: "
        f"fork/exec {folder}/no-such-program: no such file or directory"
    )
    stash.plugins.disabled.add("example")
    assert stash.run_task("example", "t").wait().error == f"{start}plugin example is disabled"
    logged = [line.message for line in stash.log if line.level == "error"]
    assert logged[0] == f"task failed due to error: {start}no plugin with ID none"
    assert len(logged) == 4


def test_a_hooks_error_is_told_with_its_trigger(stash: FakeStash) -> None:
    plugin(stash, 'print(\'{"error": "It broke."}\')')
    stash.add_scene()
    stash.client().query("mutation { sceneUpdate(input: {id: 1}) { id } }")
    told = [line.message for line in stash.log if line.level == "error"]
    assert told == ["Scene.Update.Post [Example]: returned error: It broke."]


def test_one_job_at_a_time_and_stopping(stash: FakeStash) -> None:
    plugin(stash, SLOW)
    client = stash.client()
    running, waiting = stash.run_task("example", "Do it"), stash.run_task("example", "Do it")
    until(lambda: pids(stash))
    queue = client.query("{ jobQueue { id status progress } }")["jobQueue"]
    assert [job["status"] for job in queue] == ["RUNNING", "READY"]
    client.query("mutation ($i: ID!) { stopJob(job_id: $i) }", {"i": waiting.id})
    assert waiting.status == "CANCELLED"
    client.query("mutation ($i: ID!) { stopJob(job_id: $i) }", {"i": running.id})
    assert running.wait().status == "CANCELLED"
    until(lambda: not alive(pids(stash)[0]))
    assert len(pids(stash)) == 1


def test_stopping_does_not_wait_for_a_child_that_holds_stdout(stash: FakeStash) -> None:
    plugin(
        stash,
        """
        import os, subprocess, sys, json
        request = json.load(sys.stdin)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
        with open(os.path.join(request["server_connection"]["Dir"], "pid"), "w") as file:
            file.write(f"{child.pid}\\n")
        os._exit(0)
        """,
    )
    job = stash.run_task("example", "Do it")
    until(lambda: pids(stash))
    child = pids(stash)[0]
    try:
        time.sleep(0.1)
        assert job.status == "RUNNING", "stdout is still open in the child"
        stash.jobs.stop(job.id)
        assert job.wait().status == "CANCELLED"
        assert alive(child), "only the direct child is killed"
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_job_that_fails_is_failed_although_it_was_stopped(stash: FakeStash) -> None:
    runs = threading.Event()

    def fail(job: Job) -> None:
        runs.set()
        job.cancelled.wait(10)
        raise JobError("no such plugin")

    job = stash.queue_job("bad", fail)
    assert runs.wait(10)
    stash.jobs.stop(job.id)
    assert job.wait().status == "FAILED"


def test_a_restart_forgets_jobs_and_numbers_them_from_one(stash: FakeStash) -> None:
    first = stash.queue_job("one", lambda job: None).wait()
    stash.stop()
    stash.start()
    assert stash.jobs.find(first.id) is None
    again = stash.queue_job("two", lambda job: None).wait()
    assert again.id == first.id == 1


def test_only_ten_finished_jobs_are_remembered(stash: FakeStash) -> None:
    jobs = [stash.queue_job(f"job {number}", lambda job: None) for number in range(12)]
    jobs[-1].wait()
    assert [stash.jobs.find(job.id) is None for job in jobs] == [True] * 2 + [False] * 10

    def fail(_: Job) -> None:
        raise RuntimeError

    failing = stash.queue_job("bad", fail).wait()
    assert failing.status == "FAILED"


def test_progress_updates_are_spaced_and_the_last_one_is_kept() -> None:
    progress = Progress()
    for number in range(50):
        progress.put(number / 100)
    progress.put(float("nan"))
    progress.put(0.9)
    progress.finish()
    assert progress.updates[0] == 0.0
    assert progress.updates[-1] == 0.9
    assert len(progress.updates) <= 3
    assert len(progress.values) == 52


def test_settings_are_replaced_whole(stash: FakeStash) -> None:
    plugin(stash)
    ask = stash.client().query
    read = '{ configuration { plugins(include: ["example"]) } }'
    assert ask(read) == {"configuration": {"plugins": {}}}
    write = 'mutation ($m: Map!) { configurePlugin(plugin_id: "example", input: $m) }'
    ask(write, {"m": {"a": 1, "b": "x"}})
    ask(write, {"m": {"c": 2.5, "d": False}})
    assert ask(read) == {"configuration": {"plugins": {"example": {"c": 2.5, "d": False}}}}


def test_stopping_the_server_leaves_nothing(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with FakeStash(root=str(tmp_path)) as stash:
        plugin(stash, SLOW)
        stash.add_scene()
        stash.run_task("example", "Do it")
        stash.run_task("example", "Do it")
        client = stash.client()

        def save() -> None:
            with pytest.raises(OSError, match=r".*"):
                client.query("mutation { sceneUpdate(input: {id: 1}) { id } }")

        saver = threading.Thread(target=save)
        saver.start()
        until(lambda: len(pids(stash)) == 2)
    saver.join()
    assert not any(alive(pid) for pid in pids(stash))
    assert set(threading.enumerate()) <= before


# -- packages -----------------------------------------------------------------------------


def archive(path: Path, files: dict[str, str]) -> str:
    with zipfile.ZipFile(path, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return str(path)


def test_install_and_update(stash: FakeStash, tmp_path: Path) -> None:
    one = archive(tmp_path / "1.zip", {"example.yml": YML, "run.py": "", "lib/old.py": ""})
    two = archive(tmp_path / "2.zip", {"example.yml": YML, "run.py": "", "lib/new.py": ""})
    assert stash.install(one) == "example"
    folder = os.path.join(stash.plugins_dir, "example")
    assert [manifest.folder for manifest in stash.plugins.manifests] == [folder]
    with open(os.path.join(folder, "data.db"), "w", encoding="ascii") as file:
        file.write("mine")
    stash.install(two)
    found = {
        os.path.relpath(os.path.join(base, name), folder)
        for base, _, names in os.walk(folder)
        for name in names
    }
    assert found == {"example.yml", "run.py", "lib/new.py", "manifest", "data.db"}
    assert stash.install(one, "community") == "example"
    assert os.path.isfile(os.path.join(stash.plugins_dir, "community", "example", "run.py"))


def test_a_package_of_several_configs_is_named_after_its_archive(
    stash: FakeStash, tmp_path: Path
) -> None:
    hooks = "name: Hooks\n"
    both = archive(tmp_path / "example.zip", {"example.yml": YML, "hooks.yml": hooks, "run.py": ""})
    assert stash.install(both) == "example"
    assert [manifest.id for manifest in stash.plugins.manifests] == ["example", "hooks"]
    unclear = archive(tmp_path / "1.zip", {"example.yml": YML, "hooks.yml": hooks})
    with pytest.raises(ValueError, match="2 yml files"):
        stash.install(unclear)


def test_uninstalling_leaves_what_the_package_did_not_bring(
    stash: FakeStash, tmp_path: Path
) -> None:
    package = archive(tmp_path / "1.zip", {"example.yml": YML, "run.py": "", "lib/a.py": ""})
    folder = os.path.join(stash.plugins_dir, "example")
    stash.install(package)
    stash.configure_plugin("example", {"b_url": "http://harbour.example"})
    stash.uninstall("example")
    assert os.listdir(folder) == ["lib"], "an empty folder of a package stays"
    assert stash.plugins.manifests == []
    assert stash.plugins.settings["example"] == {"b_url": "http://harbour.example"}


def test_ui_files(stash: FakeStash) -> None:
    folder = plugin(stash)
    os.mkdir(os.path.join(folder, "shown"))
    for name, text in (("ui.js", "let x;"), ("shown/a.json", "{}"), ("secret", "s")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    client = stash.client()
    script = client.get("/plugin/example/javascript")
    assert (script.body, script.headers["content-type"]) == (b"let x;", "text/javascript")
    assert client.get("/plugin/example/assets/files/a.json").body == b"{}"
    assert client.get("/plugin/example/assets/files/../../secret").status == 404
    assert client.get("/plugin/none/javascript").status == 404
