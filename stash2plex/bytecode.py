"""Keeps the compiled files of our modules out of the plugins folder.

Stash deletes only the files that it unpacked, so a `__pycache__` beside our modules would stay
after the plugin is uninstalled. Compiled files go into the data folder instead. The entry scripts
import this module first, so it imports nothing that the interpreter has not loaded at its start.
"""

import os
import sys

# `importlib.machinery` has the same classes, but costs each save 2 ms.
from _frozen_importlib_external import FileFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

FOLDER = "bytecode"
"""The folder of compiled files in the data folder. The entry scripts know the name too."""


class _Loader(SourceFileLoader):
    """Loads a module with its compiled file in `folder`; if that is None, compiles in memory."""

    def __init__(self, name: str, path: str, folder: str | None) -> None:
        super().__init__(name, path)
        self._folder = folder

    def get_code(self, fullname: str) -> "CodeType | None":
        """Read the compiled file, or compile the module."""
        before = sys.pycache_prefix
        sys.pycache_prefix = self._folder
        try:
            return super().get_code(fullname)
        finally:
            # Python's own modules keep their place: they are imported later.
            sys.pycache_prefix = before

    def set_data(self, path: str, data: "Any", *, _mode: int = 0o600) -> None:
        """Write the compiled file, for its owner only, if there is a folder for it."""
        if self._folder is not None:
            super().set_data(path, data, _mode=0o600)


class _Hook:
    """A path hook of Python that finds the modules below the plugin's folder."""

    def __init__(self, plugin_dir: str, folder: str | None) -> None:
        self._plugin_dir = plugin_dir
        self.folder = folder

    def __call__(self, path: str) -> FileFinder:
        if not (path + os.sep).startswith(self._plugin_dir + os.sep):
            raise ImportError
        return FileFinder(path, (self._load, [".py"]))  # type: ignore[arg-type]  # any callable

    def _load(self, name: str, path: str) -> _Loader:
        return _Loader(name, path, self.folder)


def start(plugin_dir: str, folder: str) -> None:
    """Use the compiled files of earlier runs before the data folder is known.

    `folder` is where they are in most set-ups, in the data folder. If there is neither this folder
    nor a database beside it, modules are compiled in memory until `keep_in` gets the data folder. A
    folder of another user is not used, so that root on the command line leaves no files that Stash
    cannot read.
    """
    sys.pycache_prefix = None
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    owner = _owner(folder)
    if owner is None:
        # The command line may come first. A folder of this name without a database may be anything.
        owner = _owner(os.path.join(os.path.dirname(folder), "stash2plex.db"))
    ours = owner is not None and (not hasattr(os, "geteuid") or owner == os.geteuid())
    _install(plugin_dir, folder if ours else None)


def keep_in(data_dir: str, plugin_dir: str) -> None:
    """From now on, read and write compiled files in a data folder."""
    folder = os.path.join(data_dir, FOLDER)
    hook = sys.path_hooks[0]
    if isinstance(hook, _Hook) and hook.folder != folder:
        # Only if an entry script called `start`: a program that imports us keeps its own way.
        sys.path_hooks.pop(0)
        _install(plugin_dir, folder)


def folder_in_use() -> str | None:
    """Return the folder of compiled files; None if there is none, or no entry script asked."""
    hook = sys.path_hooks[0]
    return hook.folder if isinstance(hook, _Hook) else None


def _owner(path: str) -> int | None:
    """Return the user id of a file's or folder's owner; None where there is none."""
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def _install(plugin_dir: str, folder: str | None) -> None:
    sys.path_hooks.insert(0, _Hook(plugin_dir, folder))
    for path in list(sys.path_importer_cache):
        if path.startswith(plugin_dir):
            del sys.path_importer_cache[path]
