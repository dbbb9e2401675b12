"""Mutations of plugins, jobs and keys (stash.md §1.6, §4.2, §5.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.fields import Resolver
from stash2plex_testing.stash.gotext import MAX_NUMBER

Values = Mapping[str, Any]


def configure_plugin(
    _: None,
    context: Context,
    plugin_id: str,
    input: Values,  # noqa: A002 - Stash's name
) -> dict[str, Any]:
    """Replace the whole map of a plugin's settings (stash.md §1.6)."""
    if not isinstance(input, dict):
        raise StashError("[]interface {} is not a map")
    stored = {key: _stored_number(value) for key, value in input.items()}
    context.core.plugins.store(plugin_id, stored)
    return dict(stored)


def _stored_number(value: Any) -> Any:
    """Keep a number's type: what has no dot becomes an integer (stash.md §1.6)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, -MAX_NUMBER - 1), MAX_NUMBER)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plugin_value(value: Values | None) -> Any:
    """Read a value of the deprecated `args` form."""
    if value is None:
        return None
    for name in ("str", "i", "b", "f"):
        if value.get(name) is not None:
            return value[name]
    if value.get("o") is not None:
        return _plugin_args(value["o"])
    return [_plugin_value(item) for item in value.get("a") or []]


def _plugin_args(args: list[Values] | None) -> dict[str, Any]:
    return {arg["key"]: _plugin_value(arg.get("value")) for arg in args or []}


def run_plugin_task(
    _: None,
    context: Context,
    plugin_id: str,
    task_name: str | None = None,
    description: str | None = None,
    args: list[Values] | None = None,
    args_map: Values | None = None,
) -> str:
    """Queue a task; anything is accepted here and looked at when it starts (stash.md §4.2)."""
    given = dict(args_map) if args_map is not None else _plugin_args(args)
    job = context.core.plugins.run_task(
        plugin_id, task_name, given, description=description, session=context.caller.session
    )
    return str(job.id)


def run_plugin_operation(
    _: None, context: Context, plugin_id: str, args: Values | None = None
) -> Any:
    """Run an operation at once and return its output (stash.md §4.2).

    The arguments of one that fails are in the debug log, as those of every failed field.
    """
    given = dict(args or {})
    try:
        return context.core.plugins.run_operation(plugin_id, given, context.caller)
    except StashError:
        shown = json.dumps({"args": given, "plugin_id": plugin_id}, separators=(",", ":"))
        context.core.journal.log("debug", f"runPluginOperation: {shown}")
        raise


def reload_plugins(_: None, context: Context) -> bool:
    """Read the plugin configs again."""
    context.core.plugins.reload()
    return True


def set_plugins_enabled(
    _: None,
    context: Context,
    enabledMap: Mapping[str, bool],  # noqa: N803 - Stash's name
) -> bool:
    """Switch plugins on and off."""
    for plugin_id, enabled in enabledMap.items():
        if not isinstance(enabled, bool):
            raise StashError(f"key {plugin_id} ({type(enabled).__name__}) is not a bool")
    disabled = context.core.plugins.disabled
    for plugin_id, enabled in enabledMap.items():
        (disabled.discard if enabled else disabled.add)(plugin_id)
    context.core.plugins.write_config()
    return True


def generate_api_key(
    _: None,
    context: Context,
    input: Values,  # noqa: A002 - Stash's name
) -> str:
    """Make or clear the API key; the answer is empty without a username (stash.md §5.7)."""
    key = context.core.sessions.new_api_key(clear=bool(input.get("clear")))
    context.core.plugins.write_config()
    return key


def stop_job(_: None, context: Context, job_id: str) -> bool:
    """Stop a job (stash.md §4.3)."""
    try:
        number = number_of(job_id)
    except StashError as error:
        raise StashError(f"converting id: {error}") from None
    context.core.jobs.stop(number)
    return True


def stop_all_jobs(_: None, context: Context) -> bool:
    """Stop every job."""
    context.core.jobs.stop_all()
    return True


SYSTEM_MUTATIONS: Mapping[str, Resolver] = {
    "configurePlugin": configure_plugin,
    "runPluginTask": run_plugin_task,
    "runPluginOperation": run_plugin_operation,
    "reloadPlugins": reload_plugins,
    "setPluginsEnabled": set_plugins_enabled,
    "generateAPIKey": generate_api_key,
    "stopJob": stop_job,
    "stopAllJobs": stop_all_jobs,
}
