"""The operations that only the page calls. A failure of theirs is an output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stash2plex.tasks import (
    choices,
    dead_letters,
    holds,
    library,
    lists,
    page,
    settings,
    sign_in,
    surveys,
)
from stash2plex.tasks.task import Call, Task


def _operation(mode: str, run: Callable[[Call], Any], meaning: str, arguments: str = "") -> Task:
    return Task(mode, "", run, meaning, arguments=arguments, for_page=True)


PAGE_OPERATIONS = (
    _operation(
        "page",
        page.page,
        "Return what the page polls: from the database alone, in at most 60 ms of processor",
    ),
    _operation("pause", holds.pause, "Send nothing until `resume`; saves are still recorded"),
    _operation("resume", holds.resume, "End a pause, and let the scenes of a stopped task go on"),
    _operation(
        "stop", holds.stop, "Stop the tasks that run; their scenes are on hold until `resume`"
    ),
    _operation(
        "hold",
        holds.hold,
        "Begin the first run: nothing is sent before `start`, and `held.by` is “set_up”. If Plex "
        "is set up already and nothing is held, it changes nothing",
        "`step`: the step that the user has reached: plex, library, files or start",
    ),
    _operation("start", holds.start, "End the first run, and have Stash start “Sync All Scenes”"),
    _operation(
        "settings",
        settings.settings,
        "Return every setting: its group, limits, default, and its value in Stash; the token only "
        "as set or not",
    ),
    _operation(
        "check_settings",
        settings.check_settings,
        "Check values before they are saved, and count what some would leave out",
        "`values`: settings by key",
    ),
    _operation(
        "save_settings",
        settings.save_settings,
        "Save the given settings beside what Stash has now; nothing if one is wrong. An empty "
        "value means the default",
        "`values`: settings by key",
    ),
    _operation(
        "tags",
        settings.tags,
        "List the tags of Stash whose name or alias holds a text",
        "`search`, `limit`",
    ),
    _operation(
        "libraries",
        settings.libraries,
        "List the libraries of Plex: type, items, and why one cannot be used",
    ),
    _operation(
        "sign_in",
        sign_in.sign_in,
        "Make a PIN at plex.tv; the user agrees at `address` in the browser",
        "`forward`: where plex.tv leads back to",
    ),
    _operation(
        "sign_in_poll",
        sign_in.sign_in_poll,
        "Return whether the user has agreed; then the servers, each address tried from where "
        "Stash runs. The token is in no answer",
        "`id`: that of the PIN",
    ),
    _operation(
        "choose_server",
        sign_in.choose_server,
        "Save address and token of a server, if it answers there. The token comes from "
        "plex.tv, by the PIN",
        "`id`, `machine_id`, `url`",
    ),
    _operation(
        "connect",
        sign_in.connect,
        "Try an address and a token that were typed; saves nothing",
        "`url`, `token`: without it the stored one, for its own address only",
    ),
    _operation(
        "trouble",
        lists.trouble,
        "Return what needs the user, worst first: servers, parts of them, then scenes by "
        "reason, each with its cure",
    ),
    _operation(
        "scenes",
        lists.scenes,
        "Return a page of the scenes in a state",
        "`state`, `reason`: of scenes that are left out, `search`, `limit`, `offset`",
    ),
    _operation(
        "not_in_plex",
        lists.not_in_plex,
        "Return a page of the scenes whose file Plex does not have",
        "`search`, `limit`, `offset`",
    ),
    _operation(
        "retry_reason",
        dead_letters.retry_reason,
        "Queue all dead letters with a reason",
        "`reason`",
    ),
    _operation(
        "discard_reason",
        dead_letters.discard_reason,
        "Remove all dead letters with a reason",
        "`reason`",
    ),
    _operation(
        "entity",
        lists.entity,
        "Return how many scenes of a performer, studio or tag are not in sync, as far as they "
        "were synced once",
        "`performer_id`, `studio_id` or `tag_id`",
    ),
    _operation(
        "runs",
        lists.runs,
        "Return a page of the tasks and commands that sent, newest first",
        "`limit`, `offset`",
    ),
    _operation(
        "candidates",
        choices.candidates,
        "Return the Plex items that fit a scene, side by side: file, library, size, length, "
        "year, small poster",
        "`scene_id`",
    ),
    _operation(
        "choose_item",
        choices.choose_item,
        "Keep which Plex item a scene has, by both files, whatever else would fit better; "
        "queues the scene",
        "`scene_id`, `rating_key`",
    ),
    _operation(
        "forget_choice",
        choices.forget_choice,
        "Take the choice for a scene back, and queue the scene",
        "`scene_id`",
    ),
    _operation(
        "paths",
        library.paths,
        "Look up to 300 scenes up in Plex, with the present path rules or with a trial: three "
        "examples, the rules, and by folder what is not in Plex",
        "`path_map`: a trial; nothing is saved",
    ),
    _operation(
        "preview_some",
        library.preview_some,
        "Return what a sync of a few scenes would write, before and after; by default of ten "
        "that change",
        "`scene_ids`, `limit`",
    ),
    _operation(
        "library",
        library.library,
        "Return the share in sync, the last looks, and what each Plex library holds with and "
        "without a scene",
    ),
    _operation(
        "unknown_files",
        library.unknown_files,
        "Return a page of the files in Plex that no scene has",
        "`section_id`, `search`, `limit`, `offset`",
    ),
    _operation(
        "count_changes",
        surveys.count_changes,
        "Count over all scenes what a sync would do, as a job of Stash; writes nothing to Plex",
        "`start`: begin unless one runs or ended within a minute",
    ),
    _operation(
        "compare",
        surveys.compare,
        "Compare every scene with Plex as a job of Stash, and return a page of the differences by "
        "field; writes nothing to Plex",
        "`start`: begin unless one runs; `field`, `limit`, `offset`",
    ),
)
"""They stand in the reference behind those that everybody may call."""
