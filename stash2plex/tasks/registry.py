"""The list of Stash's tasks and operations. A new one gets a row here."""

from __future__ import annotations

from stash2plex.errors import UsageError
from stash2plex.tasks import (
    dead_letters,
    health,
    outages,
    plex_index,
    reconcile,
    scenes,
    status,
    sync,
    worker,
)
from stash2plex.tasks.task import Task


def find_task(mode: object) -> Task:
    """Find a task by its mode. Raises UsageError that lists the known ones."""
    for task in TASKS:
        if task.mode == mode:
            return task
    known = ", ".join(task.mode for task in TASKS)
    raise UsageError(f"There is no mode {str(mode)[:60]!r}. Known modes: {known}.")


TASKS = (
    Task(
        "all",
        "Sync All Scenes",
        sync.sync_all,
        "Queue every scene that differs from what was last sent, then process the queue",
        when="Press it once after the set-up, and after changes that Plex does not show.",
        reports=True,
    ),
    Task(
        "process_queue",
        "Process Queue",
        sync.process_queue,
        "Send everything that is due to Plex now, with a progress bar",
        when="Press it if you do not want to wait, or if Background worker is off.",
        reports=True,
        arguments="`max_wait`: seconds to wait for a server that is down",
    ),
    Task(
        "health_check",
        "Health Check",
        health.health_check,
        "Check Stash, Plex, token, library, matches and queue, and show what needs you",
        health.health_of,
        when="Press it first when something is off, and after a change of settings.",
        reports=True,
    ),
    Task(
        "queue_status",
        "View Queue Status",
        status.queue_status,
        "Show in the log what is queued, what Plex has, and what the worker does",
        when="Press it to see how far the work is and which scenes wait.",
        reports=True,
    ),
    Task(
        "preview",
        "Preview Changes",
        scenes.preview,
        "Show in the log what a sync would write, field by field, and write nothing",
        when="Press it before the first sync, and before a change of settings counts.",
        reports=True,
        arguments="`scene_id`: this scene only; without it the first 50 are shown",
    ),
    Task(
        "recent",
        "Sync Recent Scenes",
        sync.sync_recent,
        "Queue the scenes changed in the last 24 hours, then process the queue",
        when="Press it if something that you changed today is missing in Plex.",
        reports=True,
    ),
    Task(
        "retry_dlq",
        "Retry Dead Letters",
        dead_letters.retry_dlq,
        "Queue the scenes that were given up once more",
        when="Press it after you mended the cause that Health Check names.",
        arguments="`reason`: those of one reason only",
    ),
    Task(
        "reconcile_all",
        "Reconcile Library (All)",
        reconcile.reconcile_all,
        "Compare every scene with Plex, queue what differs and process the queue",
        when="Press it if Plex shows something else than Stash: it finds edits made in Plex too.",
        reports=True,
    ),
    Task(
        "reconcile_recent",
        "Reconcile Library (Recent)",
        reconcile.reconcile_recent,
        "Compare the scenes changed in Stash in the last 24 hours, then process the queue",
        when="Press it instead of (All) if the difference is of today.",
        reports=True,
    ),
    Task(
        "reconcile_7days",
        "Reconcile Library (Last 7 Days)",
        reconcile.reconcile_7days,
        "Compare the scenes changed in Stash in the last seven days, then process the queue",
        when="Press it instead of (All) if the difference is of this week.",
        reports=True,
    ),
    Task(
        "reconcile_missing_metadata",
        "Reconcile Missing Metadata Only",
        reconcile.reconcile_missing_metadata,
        "Compare the Plex items that show nothing but a title, then process the queue",
        when="Press it if items in Plex are still empty, such as after Plex was rebuilt.",
        reports=True,
    ),
    Task(
        "recover_outage_jobs",
        "Recover Outage Jobs",
        dead_letters.recover_outage_jobs,
        "Queue the scenes once more that were given up because of an outage",
        when="Press it once Plex is well again.",
    ),
    Task(
        "outage_summary",
        "Outage Summary Report",
        outages.outage_summary,
        "Show in the log when the servers were away, how long and how often",
        when="Press it if syncs seem slow: Plex may be down each night.",
    ),
    Task(
        "clear_match_cache",
        "Rebuild Plex Index",
        plex_index.clear_match_cache,
        "Forget which Plex item holds which file, and list the library again",
        when="Press it after you moved to another Plex server.",
        reports=True,
    ),
    Task(
        "clear_queue",
        "Clear Pending Queue",
        sync.clear_queue,
        "Remove what waits in the queue; what is in progress goes on",
        when="Press it to cancel a sync that you did not mean.",
    ),
    Task(
        "purge_dlq",
        "Purge Old DLQ Entries",
        dead_letters.purge_dlq,
        "Forget the scenes that were given up more than 30 days ago",
        when="Press it to drop what you do not mean to mend.",
        arguments="`days`: another age than 30 days",
    ),
    Task(
        "clear_dlq",
        "Clear Dead Letter Queue",
        dead_letters.clear_dlq,
        "Forget all scenes that were given up",
        when="Press it if you mean to mend none of them; a save of a scene queues it again.",
    ),
    Task(
        "scene",
        "",
        scenes.scene,
        "Explain a scene: match, queue, last sync, each field's values",
        arguments="`scene_id`",
    ),
    Task(
        "status",
        "",
        status.status,
        "Return the status object; with `stored` neither server is asked",
        arguments="`stored`",
    ),
    Task(
        "wake",
        "",
        worker.wake,
        "Start the background worker when work, or a look at Stash, is due",
    ),
    Task("health", "", health.health, "Return the checks of Health Check", health.health_of),
    Task("outages", "", outages.outages, "Return the newest outages", arguments="`limit`"),
    Task(
        "dead_letters",
        "",
        dead_letters.dead_letters,
        "Return a page of the dead letters with their history, and how many each reason has",
        arguments="`limit`, `offset`, `reason`",
    ),
    Task("retry", "", dead_letters.retry, "Queue chosen dead letters", arguments="`scene_ids`"),
    Task(
        "discard", "", dead_letters.discard, "Forget chosen dead letters", arguments="`scene_ids`"
    ),
    Task("sync", "", sync.sync, "Queue chosen scenes", arguments="`scene_ids`"),
)
"""Every task in the order of the buttons in Stash, what users need most first; then the operations.

Tests compare the plugin's yml and the reference with it.
"""
