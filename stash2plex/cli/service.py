"""The drain as a service, for systemd or a container."""

from __future__ import annotations

import os
import signal
import sys

import click

from stash2plex.app import App
from stash2plex.cli.shell import Shell, StopSignals
from stash2plex.lock import drain_lock, show_presence
from stash2plex.sync.goals import Service
from stash2plex.sync.observer import Silent
from stash2plex.sync.worker import Summary

LOCK_SECONDS = 1.0
"""Seconds between two checks for another process that drains."""


@click.command()
@click.pass_obj
def serve(shell: Shell) -> None:
    """Send changes for as long as it runs, for systemd or a container.

    It waits for Stash and Plex however long they are out of reach. It replaces the background
    worker: set Background worker to off, so that saves do not start one. SIGTERM and Ctrl-C end it;
    unfinished scenes stay in the queue. The log goes to stderr and worker.log.
    """
    shell.logs.show_every_line()
    stop = StopSignals()
    with shell.app() as app:
        summary = _serve(app, stop)
    if summary is not None and summary.error is not None and not stop.wanted():
        raise summary.error
    # To a service manager that sends SIGTERM, 0 is a clean end.
    sys.exit(130 if stop.number == signal.SIGINT else 0)


def _serve(app: App, stop: StopSignals) -> Summary | None:
    logger = app.logs.logger
    lock = drain_lock(app.folder)
    said = False
    while not lock.acquire():
        if stop.wanted():
            return None
        if not said:
            said = True
            logger.info("Another process works on this data folder; waiting until it ends.")
        app.sleep(LOCK_SECONDS)
    presence = show_presence(app.folder, app.sleep)
    try:
        logger.info("The service has started (process %d).", os.getpid())
        summary = app.drain(Service(), Silent(), stop.wanted)
        logger.info("The service ends: %s", summary.gave_up)
        return summary
    finally:
        presence.release()
        lock.release()
