"""The list of Stash's tasks and operations. A new one gets a row here."""

from __future__ import annotations

from stash2plex.errors import UsageError
from stash2plex.tasks import (
    dead_letters,
    health,
    history,
    legacy,
    outages,
    plex_index,
    reconcile,
    report,
    scenes,
    status,
    surveys,
    sync,
    undo,
    worker,
)
from stash2plex.tasks.page_operations import PAGE_OPERATIONS
from stash2plex.tasks.task import Task


def find_task(mode: object) -> Task:
    """Return the task with this mode. Raises a UsageError that lists the known ones."""
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
        "Check Stash, Plex, token, library, matches and queue, and show what needs your attention",
        health.health_check_of,
        when="Press it first when something is off, and after you changed a setting.",
        reports=True,
    ),
    Task(
        "queue_status",
        "View Queue Status",
        status.queue_status,
        "Show in the log what is queued, what Plex has, and what the worker does",
        when="Press it to see how far the work has got and which scenes wait.",
        reports=True,
    ),
    Task(
        "preview",
        "Preview Changes",
        scenes.preview,
        "Show in the log what a sync would write, field by field, and write nothing",
        when="Press it before the first sync, and after you changed a setting.",
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
        "Queue again the scenes that were given up",
        when="Press it after you fixed the cause that Health Check names.",
        arguments="`reason`: only dead letters with this reason",
    ),
    Task(
        "reconcile_all",
        "Reconcile Library (All)",
        reconcile.reconcile_all,
        "Compare every scene with Plex, queue what differs and process the queue",
        when="Press it if Plex and Stash show different things: it finds edits made in Plex too.",
        reports=True,
    ),
    Task(
        "reconcile_recent",
        "Reconcile Library (Recent)",
        reconcile.reconcile_recent,
        "Compare the scenes changed in Stash in the last 24 hours, then process the queue",
        when="Press it instead of (All) if the difference is from today.",
        reports=True,
    ),
    Task(
        "reconcile_7days",
        "Reconcile Library (Last 7 Days)",
        reconcile.reconcile_7days,
        "Compare the scenes changed in Stash in the last seven days, then process the queue",
        when="Press it instead of (All) if the difference is from this week.",
        reports=True,
    ),
    Task(
        "reconcile_missing_metadata",
        "Reconcile Missing Metadata Only",
        reconcile.reconcile_missing_metadata,
        "Compare the Plex items that show nothing but a title, then process the queue",
        when="Press it if items in Plex are still empty, for example after Plex was rebuilt.",
        reports=True,
    ),
    Task(
        "recover_outage_jobs",
        "Recover Outage Jobs",
        dead_letters.recover_outage_jobs,
        "Queue again the scenes that were given up because of an outage",
        when="Press it once Plex works again.",
    ),
    Task(
        "outage_summary",
        "Outage Summary Report",
        outages.outage_summary,
        "Show in the log when, how long and how often the servers were out of reach",
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
        "Remove everything that waits in the queue; what is in progress will still be sent",
        when="Press it to cancel a sync that you did not want.",
    ),
    Task(
        "purge_dlq",
        "Purge Old DLQ Entries",
        dead_letters.purge_dlq,
        "Remove the dead letters that are older than 30 days",
        when="Press it to drop what you do not want to fix.",
        arguments="`days`: the age in days, 30 by default",
    ),
    Task(
        "clear_dlq",
        "Clear Dead Letter Queue",
        dead_letters.clear_dlq,
        "Remove all dead letters",
        when="Press it if you want to fix none of them; saving a scene queues it again.",
    ),
    Task(
        "put_back",
        "Put Plex Back",
        undo.put_back,
        "Put back what Plex showed before Stash2Plex wrote to it; the first press only counts",
        when="Press it twice within ten minutes if you want Plex as it was before.",
        reports=True,
    ),
    Task(
        "scene",
        "",
        scenes.scene,
        "Explain a scene: its match, place in the queue, last sync, and the values of each field",
        arguments="`scene_id`",
    ),
    Task(
        "status",
        "",
        status.status,
        "Return the status object; with `stored`, without asking either server",
        arguments="`stored`",
    ),
    Task(
        "wake",
        "",
        worker.wake,
        "Start the background worker when work, or a look at Stash, is due",
    ),
    Task("health", "", health.health, "Return the checks of Health Check", health.health_of),
    Task(
        "import_legacy",
        "",
        legacy.import_legacy,
        "Queue the scenes that Stash2Plex 1.x left unfinished, where Health Check names its data",
    ),
    Task(
        "report",
        "",
        report.report,
        "Return a report to post, with every name hidden: versions, health, status, last log lines",
        report.report_of,
    ),
    Task("outages", "", outages.outages, "Return the newest outages", arguments="`limit`"),
    Task(
        "dead_letters",
        "",
        dead_letters.dead_letters,
        "Return a page of dead letters with their history, and how many there are for each reason",
        arguments="`limit`, `offset`, `reason`, `search`: a text in title or path",
    ),
    Task("retry", "", dead_letters.retry, "Queue chosen dead letters", arguments="`scene_ids`"),
    Task(
        "discard", "", dead_letters.discard, "Remove chosen dead letters", arguments="`scene_ids`"
    ),
    Task(
        "history",
        "",
        history.history,
        "Return a page of what was written to Plex, newest first; with `runs`, of the runs",
        arguments="`scene_id` or `run_id`, `limit`, `offset`, `runs`",
    ),
    Task(
        "undo",
        "",
        undo.undo,
        "Put chosen scenes back, or only count what that would do; no sync writes them again until"
        " `sync` names them",
        arguments="`scene_ids`, `rating_keys`, `run_id`, `all` or `left_out`; `fields`, `dry_run`",
    ),
    Task("sync", "", sync.sync, "Queue chosen scenes", arguments="`scene_ids`"),
    Task(
        "survey",
        "",
        surveys.survey,
        "The job that Stash runs for `count_changes` and `compare`; for them only",
        arguments="`kind`, `word`",
    ),
    *PAGE_OPERATIONS,
)
"""Every task in the order of the buttons in Stash, those needed most first; then the operations.

Tests compare the plugin's yml and the reference with this list.
"""
