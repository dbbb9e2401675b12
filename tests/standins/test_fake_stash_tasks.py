"""Tasks of the stand-in as jobs: their words, progress, stops and restarts."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from stash2plex_testing.stash import FakeStash, Job
from stash2plex_testing.stash.jobs import JobError
from stash2plex_testing.stash.process import Progress
from tests.standins.plugins import SLOW, alive, find, pids, plugin
from tests.support import until


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
