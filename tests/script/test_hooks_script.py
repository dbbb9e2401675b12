"""The script that Stash runs as our hook, case by case: in QuickJS, and in goja where Go is there.

Stash runs goja. Its Go structs, slices and absent fields are not quite JavaScript's own, so the
same cases run in both; `goja/main.go` gives each its struct.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from stash2plex_testing.stash.criteria import StashError
from stash2plex_testing.stash.script import run_script

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "plugin", "Stash2PlexHooks.js")

UPDATE, CREATE, DESTROY = (f"Scene.{what}.Post" for what in ("Update", "Create", "Destroy"))
RECORDED = {"output": {"recorded": 1, "error": None, "session": None}}


@dataclass(frozen=True)
class Case:
    """A hook: what Stash gives the script, and the ids that are to be handed over.

    `shape` is the Go type of `given`. `answers` are what the operations return, or raise. `folders`
    are those in the data folder, None if Stash cannot list them.
    """

    name: str
    trigger: str
    id: int
    shape: str
    given: Any
    ids: list[int] | None
    fields: list[str] | None = None
    answers: list[dict[str, Any]] = field(default_factory=lambda: [RECORDED])
    cookie: str = "harbour-light"
    error: str = ""
    folders: list[str] | None = field(default_factory=list)


def bulk(*ids: str) -> dict[str, Any]:
    return {"ids": list(ids), "title": "Pier"}


SHAPES = [
    Case("one scene", UPDATE, 7, "scene", {"id": "7", "title": "Pier"}, [7], ["id", "title"]),
    Case("one scene, its id with zeros", UPDATE, 7, "scene", {"id": "007"}, [7], ["id", "title"]),
    Case("one with tags", UPDATE, 7, "scene", {"id": "7", "tag_ids": ["1"]}, [7], ["tag_ids"]),
    Case("play counts", UPDATE, 7, "scene", {"id": "7"}, [7], ["id", "play_count"]),
    Case("nothing was sent", UPDATE, 7, "scene", {"id": "7"}, [7], []),
    Case("a list of one", UPDATE, 7, "scenes", [{"id": "7"}], [7], ["id", "title"]),
    Case("the first of a list", UPDATE, 7, "scenes", [{"id": "7"}, {"id": "8"}], [7, 8], ["title"]),
    Case("the second of a list", UPDATE, 8, "scenes", [{"id": "7"}, {"id": "8"}], None, ["title"]),
    Case("the first of a bulk edit", UPDATE, 3, "bulk", bulk("3", "1"), [3, 1], ["ids", "title"]),
    Case("another of a bulk edit", UPDATE, 1, "bulk", bulk("3", "1"), None, ["ids", "title"]),
    Case("zeros in a bulk edit", UPDATE, 7, "bulk", bulk("007", "0008"), [7, 8], ["ids", "title"]),
    Case("a doubled id", UPDATE, 7, "bulk", bulk("7", "7"), [7, 7], ["ids", "title"]),
    Case("a doubled id further on", UPDATE, 8, "bulk", bulk("7", "8", "8"), None, ["ids"]),
    Case("an empty list", UPDATE, 7, "bulk", {"ids": []}, [7], ["ids", "title"]),
    Case("a list of null", UPDATE, 7, "bulk", {"ids": None}, [7], ["ids", "title"]),
    Case("identify", UPDATE, 7, "scene", {"id": "7", "title": None}, [7], ["id", "title"]),
    Case("ids as numbers", UPDATE, 7, "numbers", [7, 8], [7, 8]),
    Case("ids as numbers, the second", UPDATE, 8, "numbers", [7, 8], None),
    Case("a scan's new file", CREATE, 9, "null", None, [9]),
    Case("a rescan", UPDATE, 9, "null", None, [9]),
    Case("a scene destroyed", DESTROY, 7, "destroyed", {"id": "7", "path": "/data/a.mp4"}, [7]),
    Case("clean", DESTROY, 7, "destroyed", {"id": "", "path": "/data/a.mp4"}, [7]),
    Case("the first destroyed", DESTROY, 7, "all destroyed", {"ids": ["7", "8"]}, [7, 8]),
    Case("the second destroyed", DESTROY, 8, "all destroyed", {"ids": ["7", "8"]}, None),
    Case("the first performer destroyed", "Performer.Destroy.Post", 7, "ids", ["7", "8"], [7, 8]),
    Case("the second performer destroyed", "Performer.Destroy.Post", 8, "ids", ["7", "8"], None),
    *(
        Case(f"a {which} {kind} of a bulk edit", f"{kind}.Update.Post", id_, "bulk", bulk("7", "8"),
             ids, ["ids"])
        for kind in ("Performer", "Studio", "Tag", "Group")
        for which, id_, ids in (("first", 7, [7, 8]), ("second", 8, None))
    ),
    Case(
        "a merge of tags", "Tag.Merge.Post", 9, "merge",
        {"source": ["3", "4"], "destination": "9"}, [9, 3, 4],
    ),
]  # fmt: skip

ERRORS = [
    Case(
        "an error of ours", UPDATE, 7, "null", None, [7],
        answers=[{"output": {"recorded": 0, "error": "The disk is full.", "session": None}}],
        error="The disk is full.",
    ),
    Case(
        "our plugin is disabled", UPDATE, 7, "null", None, [7],
        answers=[{"error": "graphql error: plugin Stash2Plex is disabled"}],
        error="plugin Stash2Plex is disabled",
    ),
    Case(
        "no answer", UPDATE, 7, "null", None, [7],
        answers=[{"output": None}], error="Stash2Plex gave no answer",
    ),
    Case(
        "an answer of something else", UPDATE, 7, "null", None, [7],
        answers=[{"output": "Traceback"}], error="Stash2Plex gave no answer",
    ),
]  # fmt: skip


def given_to(case: Case) -> dict[str, Any]:
    """Return the script's `input`, as the stand-in makes it."""
    context = {
        "id": case.id, "type": case.trigger, "input": case.given, "inputFields": case.fields
    }  # fmt: skip
    return {
        "Args": {"hookContext": context},
        "ServerConnection": {
            "SessionCookie": {"Name": "session", "Value": case.cookie},
            "Dir": "/config",
        },
    }


def in_quickjs(case: Case) -> dict[str, Any]:
    calls: list[Any] = []

    def ask(query: str, variables: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        if "directory(" in query:
            assert variables == {"path": "/config/stash2plex"}
            if case.folders is None:
                return 200, {"errors": [{"message": "open: permission denied"}], "data": None}
            return 200, {"data": {"directory": {"directories": case.folders}}}
        assert "runPluginOperation" in query
        answer = case.answers[len(calls)]
        calls.append(variables["args"])
        if "error" in answer:
            return 200, {"errors": [{"message": answer["error"]}], "data": None}
        return 200, {"data": {"runPluginOperation": answer["output"]}}

    result = run_script(SCRIPT, given_to(case), ask, lambda *_: None)
    return {"calls": calls, "error": result.error or "", "output": result.output}


@pytest.fixture(scope="session")
def goja(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the program that runs a script by goja; skip where that cannot be done here."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.access(go, os.X_OK):
        pytest.skip("there is no Go tool chain, so goja itself was not tried")
    program = str(tmp_path_factory.mktemp("goja") / "run")
    done = subprocess.run(
        [go, "build", "-o", program, "."], cwd=os.path.join(HERE, "goja"), check=False,
        capture_output=True, text=True,
        # What is not there already is not fetched.
        env={**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"},
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"goja itself was not tried: {done.stderr.splitlines()[-1:]}")
    return program


@pytest.fixture(params=["quickjs", "goja"])
def run(request: pytest.FixtureRequest) -> Callable[[Case], dict[str, Any]]:
    if request.param == "quickjs":
        return in_quickjs
    program = request.getfixturevalue("goja")

    def in_goja(case: Case) -> dict[str, Any]:
        line = {
            "id": case.id, "type": case.trigger, "shape": case.shape, "input": case.given,
            "inputFields": case.fields, "cookie": case.cookie, "answers": case.answers,
            "folders": case.folders,
        }  # fmt: skip
        done = subprocess.run(
            [program, SCRIPT], input=json.dumps(line), capture_output=True, text=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        assert found.pop("threw") == ""
        return found

    return in_goja


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.name)
def test_the_first_hook_of_an_edit_hands_over_all_its_ids_and_the_others_nothing(run, case):
    found = run(case)
    call = {"mode": "record", "hook": case.trigger, "ids": case.ids, "fields": case.fields}
    assert found == {"calls": [] if case.ids is None else [call], "error": "", "output": None}


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.name)
def test_what_goes_wrong_is_one_sentence_and_never_thrown(run, case):
    found = run(case)
    assert len(found["calls"]) == 1
    assert case.error in found["error"]
    assert "\n" not in found["error"]


def promise(seconds: float, after: int, before: str = "/config/stash2plex/") -> str:
    return f"{before}new-scenes-{round(1000 * (time.time() + seconds))}-{after}"


NEW_SCENES = {
    "no promise": (["/config/stash2plex/bytecode"], True),
    "a promise": ([promise(-300, 5), "/config/stash2plex/bytecode", "PROMISE"], False),
    "a promise on Windows": (["C:\\stash\\stash2plex\\PROMISE"], False),
    "a promise for later scenes": (["/config/stash2plex/LATER"], True),
    "a promise that is over": ([promise(-0.001, 5)], True),
    "a promise that is too long to be true": ([promise(3600, 5)], True),
    "no list of folders": (None, True),
    "a folder that is not a promise": (["/config/stash2plex/new-scenes-x-5"], True),
}


@pytest.mark.parametrize("name", NEW_SCENES)
def test_a_new_scene_that_a_worker_promises_to_find_starts_nothing(run, name):
    folders, starts = NEW_SCENES[name]
    # A promise that is made now, however long the tests before this one took.
    names = {"PROMISE": promise(4.5, 8, ""), "LATER": promise(4.5, 9, "")}
    for word, made in names.items():
        folders = folders and [folder.replace(word, made) for folder in folders]
    found = run(Case(name, CREATE, 9, "null", None, [9], folders=folders))
    assert (len(found["calls"]), found["error"]) == (int(starts), "")


@pytest.mark.parametrize("trigger", [UPDATE, DESTROY, "Performer.Update.Post"])
def test_only_new_scenes_are_left_to_a_worker(run, trigger):
    assert len(run(Case("", trigger, 9, "null", None, [9], folders=[promise(4, 5)]))["calls"]) == 1


def asked(key: list[int], second: dict[str, Any], cookie: str = "light") -> Case:
    first = {"output": {"recorded": 1, "error": None, "session": {"nonce": "n", "key": key}}}
    return Case("", UPDATE, 7, "null", None, [7], answers=[first, second], cookie=cookie)


def test_the_session_is_handed_over_masked_and_only_when_it_is_asked_for(run):
    found = run(asked([1, 2, 3, 4, 5, 6], {"output": {"error": None}}))
    first, second = found["calls"]
    assert "light" not in json.dumps(first)
    assert second == {
        "mode": "session",
        "nonce": "n",
        "masked": [ord(one) ^ key for one, key in zip("light", [1, 2, 3, 4, 5], strict=True)],
    }
    assert found["error"] == ""


def test_a_session_that_is_longer_than_the_key_is_not_handed_over(run):
    found = run(asked([1, 2, 3], {"output": {"error": None}}))
    assert len(found["calls"]) == 1
    assert "recorded, but the background worker was not started" in found["error"]


def test_a_failure_of_the_second_call_shows_nothing_of_it(run):
    found = run(asked(list(range(9)), {"error": "plugin is disabled: masked 1 2 3"}))
    assert "recorded, but the background worker was not started" in found["error"]
    assert "masked" not in found["error"]


def test_the_other_runs_touch_only_the_first_of_the_list():
    """A list of Go becomes JavaScript's element by element: 300 runs would pay for 90,000."""
    watched = """
      var touched = [];
      input.Args.hookContext.input.ids = new Proxy(["1", "2", "3"], {
        get: function (list, name) { touched.push(String(name)); return list[name]; }
      });
    """
    with open(SCRIPT, encoding="utf-8") as file:
        text = file.read()
    case = Case("", UPDATE, 2, "bulk", bulk("1", "2", "3"), None, ["ids"])
    import quickjs

    context = quickjs.Context()
    context.set("__input", json.dumps(given_to(case)))
    context.eval(f"var input = JSON.parse(__input); {watched}")
    context.eval(text)
    assert set(json.loads(context.eval("JSON.stringify(touched)"))) == {"0"}


def test_it_is_compiled_strict_and_has_no_loop_without_an_end(goja):
    with open(SCRIPT, encoding="utf-8") as file:
        text = file.read()
    code = re.sub(r"//.*", "", text)
    assert "while" not in code
    # Stash before v0.26 reads an older JavaScript; there too it must not silence other plugins.
    assert re.findall(r"=>|`|\b(?:let|const|class)\b", code) == []
    # Compiled before the first case: an empty list of cases is a check of the syntax.
    done = subprocess.run([goja, SCRIPT], input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("text", ["var = 1;", "undeclared = 1;", "with (input) { }"])
def test_both_find_what_strict_does_not_allow(tmp_path, goja, text):
    path = tmp_path / "bad.js"
    path.write_text(text)
    case = SHAPES[0]
    compiled = subprocess.run(
        [goja, str(path)], input="", capture_output=True, text=True, check=False
    )
    try:
        result = run_script(str(path), given_to(case), lambda *_: (200, {"data": {}}), print)
    except StashError as error:
        assert "SyntaxError" in str(error)
        assert compiled.returncode == 1
    else:
        assert compiled.returncode == 0
        assert result.error == "ReferenceError: 'undeclared' is not defined"
