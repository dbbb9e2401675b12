"""Finds the Plex library of a file that the index does not have: one that fails, or is not chosen.

Nothing here writes or sends a request.
"""

from __future__ import annotations

from stash2plex.config import Settings
from stash2plex.errors import LibraryUnread
from stash2plex.model import Record, Scene
from stash2plex.rules.matching import folded_name, map_path
from stash2plex.rules.scanning import holds
from stash2plex.sync.library_blame import unread
from stash2plex.sync.session import Store


def library_unread(store: Store, settings: Settings, scene: Scene) -> LibraryUnread | None:
    """Return the reason to wait for a library that Plex does not list; None if there is none.

    A missed scene may be in such a library, unless its files belong to other libraries.
    """
    troubles = store.library_troubles.all()
    if not troubles:
        return None
    # Rules that were worked out know nothing of a library that was never listed.
    paths = [map_path(file.path, settings.path_map) for file in scene.files]
    fitting = [
        trouble
        for trouble in troubles.values()
        if any(holds(trouble.locations, path) for path in paths)
    ]
    listed = store.plex_files.locations()
    others = [folder for id_ in listed.keys() - troubles.keys() for folder in listed[id_]]
    if not fitting and all(holds(others, path) for path in paths):
        return None
    return unread((fitting or list(troubles.values()))[0], scene.label)


def library_not_chosen(
    store: Store, settings: Settings, scene: Scene, record: Record | None
) -> str:
    """Return why a missed scene needs no item: its files are in a library that is not chosen.

    Empty if one of them may be in a chosen library. Where a file is follows from the path rules, or
    from the place in Plex where it was found before.
    """
    others = store.other_libraries.folders()
    if not others:
        return ""
    chosen = [
        *(location for folders in store.plex_files.locations().values() for location in folders),
        *(
            location
            for trouble in store.library_troubles.all().values()
            for location in trouble.locations
        ),
    ]
    rules = store.rules(settings)
    title = ""
    for file in scene.files:
        places = [map_path(file.path, rules)]
        if record and folded_name(record.plex_path) == folded_name(file.path):
            places.append(record.plex_path)
        if any(holds(chosen, place) for place in places):
            return ""
        here = [folder for folder in others if any(holds([folder.path], place) for place in places)]
        if not here:
            return ""
        title = title or here[0].title
    return f"its file is in “{title}”, a Plex library that is not chosen" if title else ""
