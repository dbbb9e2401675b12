"""Operations that hold all sending back, and let it go on."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.operations.holds import begin_set_up, go_on, held_json, start_all, stop_runs
from stash2plex.store import holds as kept
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker


def pause(call: Call) -> dict[str, Any]:
    """Hold all sending back; what is being written ends first."""
    app = call.app
    known = kept.hold(app.store.connection, kept.PAUSE, app.clock())
    call.logger.info("%s", known.what)
    return {"held": held_json(app)}


def resume(call: Call) -> dict[str, Any]:
    """End a pause, and let the scenes of a stopped task go on."""
    released = go_on(call.app)
    started = leave_to_worker(call)
    call.logger.info("What is due is sent again.")
    return {"held": held_json(call.app), "started": started, "released": released}


def stop(call: Call) -> dict[str, Any]:
    """Stop the tasks that run, as Stash's button does; their scenes are on hold."""
    stopped = stop_runs(call.app)
    return {
        "stopped": [run.name for run in stopped],
        "scenes": sum(run.number for run in stopped),
        "held": held_json(call.app),
    }


def hold(call: Call) -> dict[str, Any]:
    """Begin the first run, and remember the step that the user has reached."""
    step = call.arguments.get("step") or kept.STEPS[0]
    if step not in kept.STEPS:
        raise UsageError(f"“step” is {str(step)[:40]!r}; allowed: {', '.join(kept.STEPS)}.")
    begin_set_up(call.app, step)
    return {"held": held_json(call.app)}


def start(call: Call) -> dict[str, Any]:
    """End the first run, and have Stash start the task that sends every scene."""
    job = start_all(call.app)
    return {"held": held_json(call.app), "job": job}
