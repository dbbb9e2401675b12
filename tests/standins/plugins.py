"""Plugins for the stand-in of Stash: a config, scripts, and what becomes of their processes."""

import os
import textwrap

from stash2plex_testing.stash import FakeStash, Job

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


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


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


def find(stash: FakeStash, number: str) -> Job:
    job = stash.jobs.find(int(number))
    assert job
    return job
