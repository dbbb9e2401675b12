"""FakeStash's plugins: real processes, hooks inside the save, tasks in a queue, operations."""

import os
import signal
from pathlib import Path

import pytest

from stash2plex_testing.stash import FakeStash
from stash2plex_testing.stash.manifest import ManifestError, read_manifest
from stash2plex_testing.stash.process import interpret
from tests.standins.plugins import plugin

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows, where the tests are skipped but read, has no SIGKILL."""

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
        (b"", -KILL, "", "signal: killed"),
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
