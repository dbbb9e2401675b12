"""Plugins at work: loading, hooks, tasks and operations (stash.md §2, §3, §4)."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stash2plex_testing.stash.auth import COOKIE_NAME, Session, Sessions
from stash2plex_testing.stash.criteria import Panic, StashError
from stash2plex_testing.stash.gotext import quoted
from stash2plex_testing.stash.jobs import Job, JobError, JobQueue
from stash2plex_testing.stash.log import HookRun, Journal
from stash2plex_testing.stash.manifest import (
    Hook,
    Manifest,
    ManifestError,
    Task,
    read_manifest,
    walk,
)
from stash2plex_testing.stash.process import LineSink, Outcome, PluginProcess, has_left
from stash2plex_testing.stash.script import Ask, run_script

MAX_LOOPS = 10
"""A (plugin, trigger) pair seen this often is not run again (stash.md §3.6)."""


NOBODY = Session("")


@dataclass(frozen=True)
class Caller:
    """On whose behalf something runs. A hook ends when its `connection` does."""

    session: Session = NOBODY
    connection: socket.socket | None = None
    base_url: str = ""


@dataclass(frozen=True)
class Connection:
    """What plugins learn about the server: the configured bind host, not a usable one (§2.1)."""

    scheme: str = "http"
    host: str = "0.0.0.0"


class Plugins:
    """The plugins of a folder, and the processes that run for them."""

    def __init__(
        self,
        folder: str,
        config_dir: str,
        *,
        port: Callable[[], int],
        python: str,
        sessions: Sessions,
        jobs: JobQueue,
        journal: Journal,
        rng: random.Random,
    ) -> None:
        self.folder = folder
        self._config_dir = config_dir
        self._port = port
        self.python = python
        self.python_path = ""
        """Stash's setting "Python executable path"; it wins if it names a file (§2.3)."""
        self.connection = Connection()
        self.environ: Mapping[str, str] | None = None
        """The environment of processes; the server's own if it is None."""
        self._sessions = sessions
        self._jobs = jobs
        self._journal = journal
        self._rng = rng
        self.asking: Callable[[Caller], Ask] | None = None
        """Returns what answers a script's queries; the server sets it."""
        self._lock = threading.Lock()
        self._alive: set[PluginProcess] = set()
        self._closed = False
        self.disabled: set[str] = set()
        self.settings: dict[str, dict[str, Any]] = {}
        """Stored settings by plugin id; a plugin without any is absent (stash.md §1.6)."""
        self.manifests: list[Manifest] = []

    def store(self, plugin_id: str, settings: dict[str, Any]) -> None:
        """Replace the whole map of a plugin's settings (stash.md §1.6)."""
        self.settings[plugin_id] = settings
        self.write_config()

    def write_config(self) -> None:
        """Write `config.yml`, as Stash does whenever a setting changes (stash.md §1.6)."""
        sessions = self._sessions
        held = {
            "username": sessions.username,
            "api_key": sessions.api_key,
            "plugins": {"settings": self.settings, "disabled": sorted(self.disabled)},
        }
        path = os.path.join(self._config_dir, "config.yml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(held, file, indent=2)

    # -- loading ----------------------------------------------------------------------------

    def reload(self) -> None:
        """Read every yml again; what cannot be read is logged and left out (stash.md §1.1)."""
        found: dict[str, Manifest] = {}
        for path in walk(self.folder):
            try:
                manifest = read_manifest(path)
            except (ManifestError, OSError) as error:
                self._journal.log("error", f"Error loading plugin {path}: {error}")
                continue
            if manifest.id.lower() in found:
                taken = f"plugin ID {manifest.id} already exists"
                self._journal.log("error", f"Error loading plugin {path}: {taken}")
                continue
            found[manifest.id.lower()] = manifest
        self.manifests = list(found.values())

    def find(self, plugin_id: str) -> Manifest | None:
        """Find a plugin; the case of the id counts (stash.md §1.1)."""
        return next((manifest for manifest in self.manifests if manifest.id == plugin_id), None)

    def enabled(self, manifest: Manifest) -> bool:
        """Whether its hooks and tasks run."""
        return manifest.id not in self.disabled

    # -- running ----------------------------------------------------------------------------

    def run_hooks(
        self,
        trigger: str,
        object_id: int,
        caller: Caller,
        *,
        given: Any = None,
        fields: Iterable[str] = (),
    ) -> bool:
        """Run every matching hook, one after the other, and wait (stash.md §3.2).

        `given` and `fields` are the hook context's `input` and `inputFields`. Returns False where
        the caller went away, so that a loop over more objects may end.
        """
        context: dict[str, Any] = {"id": object_id, "type": trigger, "input": given}
        if names := list(fields):
            self._rng.shuffle(names)
            context["inputFields"] = names
        for manifest in [plugin for plugin in self.manifests if self.enabled(plugin)]:
            for hook in manifest.hooks:
                for _ in range(hook.triggered_by.count(trigger)):
                    outcome = self._run_hook(manifest, hook, trigger, context, caller)
                    if outcome is None:
                        return True
                    if outcome.killed:
                        return False
        return True

    def _run_hook(
        self,
        manifest: Manifest,
        hook: Hook,
        trigger: str,
        context: Mapping[str, Any],
        caller: Caller,
    ) -> Outcome | None:
        """Run one hook; None if it could not be started, which ends the event's hooks."""
        visited = caller.session.visited
        if visited.count((manifest.id, trigger)) >= MAX_LOOPS:
            self._journal.log("debug", f"plugin {manifest.id} was skipped: cyclic {trigger}")
            return Outcome(None, None)
        session = Session(caller.session.user, (*visited, (manifest.id, trigger)))
        started = time.monotonic()
        run = self._run_script if manifest.interface == "js" else self._run
        try:
            outcome = run(
                manifest,
                hook.exec_args,
                {**hook.default_args, "hookContext": context},
                session,
                connection=caller.connection,
            )
        except StashError as error:
            self._journal.log("error", f"error executing post hooks: {error}")
            return None
        seconds = time.monotonic() - started
        self._journal.hook_runs.add(
            HookRun(
                trigger,
                seconds,
                outcome.output,
                outcome.error,
                manifest.id,
                context["id"],
                outcome.killed,
            )
        )
        if outcome.killed:
            self._journal.log("error", "error executing post hooks: operation cancelled")
        else:
            self._report(outcome, f"{trigger} [{manifest.name}]: returned")
        return outcome

    def run_operation(self, plugin_id: str, args: Mapping[str, Any], caller: Caller) -> Any:
        """Run at once, outside the queue (stash.md §4.2)."""
        if plugin_id in self.disabled:
            raise StashError(f"plugin {plugin_id} is disabled")
        manifest = self.find(plugin_id)
        if manifest is None:
            raise Panic("runtime error: invalid memory address or nil pointer dereference")
        run = self._run_script if manifest.interface == "js" else self._run
        outcome = run(manifest, (), args, caller.session, connection=caller.connection)
        if outcome.killed:
            raise StashError("operation cancelled")
        if outcome.error is not None:
            raise StashError(outcome.error)
        return outcome.output

    def _run_script(
        self,
        manifest: Manifest,
        exec_args: Sequence[str],
        args: Mapping[str, Any],
        session: Session,
        *,
        connection: socket.socket | None = None,
    ) -> Outcome:
        """Run a script in this process. Its queries are not tied to the user's request."""
        del exec_args
        if not manifest.exec:
            raise StashError("no script specified in exec")
        assert self.asking is not None
        if connection is not None and has_left(connection):
            return Outcome(None, None, killed=True)
        context = args.get("hookContext")
        if context is not None:
            # A Go struct: all four are there.
            args = {**args, "hookContext": {"inputFields": None, **context}}
        given = {
            "ServerConnection": self._server_connection(manifest, session),
            "Args": dict(args),
        }
        # No user: the query does not pass where Stash asks for a log-in.
        ask = self.asking(Caller(Session("", session.visited)))
        result = run_script(
            os.path.join(manifest.folder, manifest.exec[0]), given, ask, self._sink(manifest, None)
        )
        if connection is not None and has_left(connection):
            return Outcome(None, None, killed=True)
        return Outcome(result.output, result.error)

    def run_task(
        self,
        plugin_id: str,
        task_name: str | None,
        args: Mapping[str, Any],
        *,
        description: str | None,
        session: Session,
    ) -> Job:
        """Queue a task. Whether plugin and task exist is seen when it starts (stash.md §4.2)."""
        named = [text for text in (description, task_name, plugin_id) if text is not None]

        def work(job: Job) -> None:
            try:
                self._do_task(job, plugin_id, task_name, args, session)
            except JobError as error:
                self._journal.log("error", f"task failed due to error: {error}")
                raise

        return self._jobs.add(f"Running plugin task: {named[0]}", work)

    def _do_task(
        self,
        job: Job,
        plugin_id: str,
        task_name: str | None,
        args: Mapping[str, Any],
        session: Session,
    ) -> None:
        manifest, task = self._find_task(plugin_id, task_name)
        defaults = task.default_args if task else {}
        try:
            outcome = self._run(
                manifest, task.exec_args if task else (), {**defaults, **args}, session, job=job
            )
        except StashError as error:
            raise JobError(f"Error running plugin task: {error}") from error
        job.output = outcome.output
        if outcome.error is not None:
            # The job is FINISHED all the same; the screen shows no error (stash.md §2.4).
            job.log.append(f"error: {outcome.error}")
        self._report(outcome, "Plugin returned")

    def _find_task(self, plugin_id: str, task_name: str | None) -> tuple[Manifest, Task | None]:
        start = "Error creating plugin task:"
        if plugin_id in self.disabled:
            raise JobError(f"{start} plugin {plugin_id} is disabled")
        manifest = self.find(plugin_id)
        if manifest is None:
            raise JobError(f"{start} no plugin with ID {plugin_id}")
        if task_name is None:
            return manifest, None
        task = manifest.task(task_name)
        if task is None:
            raise JobError(f"{start} no task with name {task_name} in plugin {manifest.name}")
        return manifest, task

    def _report(self, outcome: Outcome, start: str) -> None:
        if outcome.error is not None:
            self._journal.log("error", f"{start} error: {outcome.error}")
        elif outcome.output is not None:
            self._journal.log("debug", f"{start}: {outcome.output}")

    def _run(
        self,
        manifest: Manifest,
        exec_args: Sequence[str],
        args: Mapping[str, Any],
        session: Session,
        *,
        connection: socket.socket | None = None,
        job: Job | None = None,
    ) -> Outcome:
        command, environ = self._command(manifest, exec_args)
        request = {"server_connection": self._server_connection(manifest, session), "args": args}
        stdin = json.dumps(request).encode()
        try:
            process = PluginProcess(command, stdin, environ, self._sink(manifest, job), connection)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise StashError(f"error running plugin: fork/exec {command[0]}: {why}") from error
        self._journal.processes.add((manifest.id, _doing(args)))
        with self._lock:
            self._alive.add(process)
            closed = self._closed
        if job is not None:
            job.process = process
        if closed or (job is not None and job.cancelled.is_set()):
            process.kill()
        try:
            return process.run()
        finally:
            if job is not None:
                job.process = None
            with self._lock:
                self._alive.discard(process)

    def _command(
        self, manifest: Manifest, exec_args: Sequence[str]
    ) -> tuple[list[str], dict[str, str]]:
        """Build the command line and the environment (stash.md §1.3, §2.2, §2.3)."""
        if not manifest.exec:
            raise StashError("empty exec value")
        if manifest.interface != "raw":
            raise StashError(f"this stand-in does not run {manifest.interface} plugins")
        environ = dict(os.environ if self.environ is None else self.environ)
        first, *rest = [*manifest.exec, *exec_args]
        if first in ("python", "python3"):
            program = self.python_path if os.path.isfile(self.python_path) else self.python
            parent = os.path.abspath(os.path.dirname(manifest.folder))
            before = environ.get("PYTHONPATH")
            environ["PYTHONPATH"] = f"{before}{os.pathsep}{parent}" if before else parent
        else:
            program = shutil.which(first) or os.path.join(manifest.folder, first)
        return [program, *(part.replace("{pluginDir}", manifest.folder) for part in rest)], environ

    def _server_connection(self, manifest: Manifest, session: Session) -> dict[str, Any]:
        return {
            "Scheme": self.connection.scheme,
            "Host": self.connection.host,
            "Port": self._port(),
            "SessionCookie": {
                "Name": COOKIE_NAME,
                "Value": self._sessions.seal(session),
                "Quoted": False,
                "Path": "",
                "Domain": "",
                "Expires": "0001-01-01T00:00:00Z",
                "RawExpires": "",
                "MaxAge": 0,
                "Secure": False,
                "HttpOnly": False,
                "SameSite": 0,
                "Partitioned": False,
                "Raw": "",
                "Unparsed": None,
            },
            "Dir": self._config_dir,
            "PluginDir": manifest.folder,
        }

    def _sink(self, manifest: Manifest, job: Job | None) -> LineSink:
        def take(level: str, text: str) -> None:
            if level == "progress":
                self._progress(job, text)
                return
            level = level or manifest.error_level
            if level == "none":
                return
            self._journal.plugin(manifest.name, level, text)
            if job is not None:
                job.log.append(f"{level}: {text}")

        return take

    def _progress(self, job: Job | None, text: str) -> None:
        try:
            value = float(text)
        except ValueError:
            why = f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax"
            self._journal.log("error", f"Error parsing progress value '{text}': {why}")
            return
        if job is not None:
            job.set_progress(value)

    # -- the end ----------------------------------------------------------------------------

    def open(self) -> None:
        """Allow processes again."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Kill what runs, so that no child is left behind the server."""
        with self._lock:
            self._closed = True
            alive = list(self._alive)
        for process in alive:
            process.kill()


def default_python() -> str:
    """Return the interpreter that stands for `python` and `python3`."""
    return sys.executable


def _doing(args: Mapping[str, Any]) -> str:
    """Name what a process was started for."""
    context = args.get("hookContext")
    return str(context["type"]) if isinstance(context, dict) else str(args.get("mode", ""))
