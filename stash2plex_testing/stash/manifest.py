"""Plugin configs: finding and reading the yml files (stash.md §1)."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

INTERFACES = ("raw", "rpc", "js")
SETTING_TYPES = ("STRING", "NUMBER", "BOOLEAN")
ERROR_LEVELS = ("trace", "debug", "info", "progress", "warning", "error", "none")


class ManifestError(ValueError):
    """A yml that Stash would not load. The message contains the place."""


@dataclass(frozen=True)
class Task:
    """An entry of `tasks`, or what a hook shares with one (stash.md §1.4)."""

    name: str = ""
    description: str = ""
    default_args: dict[str, str] = field(default_factory=dict)
    exec_args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hook(Task):
    """An entry of `hooks` (stash.md §1.5). Trigger names are not checked, as in Stash."""

    triggered_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """An entry of `settings` (stash.md §1.6)."""

    name: str
    type: str = "STRING"
    display_name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Interface:
    """The `ui` part (stash.md §1.7)."""

    javascript: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    assets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A plugin as its yml describes it. The id is the file's base name (stash.md §1.1)."""

    id: str
    path: str
    name: str = ""
    description: str = ""
    url: str = ""
    version: str = ""
    interface: str = "raw"
    exec: tuple[str, ...] = ()
    error_level: str = "error"
    tasks: tuple[Task, ...] = ()
    hooks: tuple[Hook, ...] = ()
    settings: tuple[Setting, ...] = ()
    ui: Interface = Interface()

    @property
    def folder(self) -> str:
        """The folder of the yml."""
        return os.path.dirname(self.path)

    def task(self, name: str) -> Task | None:
        """Find a task by its name."""
        return next((task for task in self.tasks if task.name == name), None)


class _Loader(yaml.CBaseLoader):
    """Keeps every scalar as its text, like Go's string fields; a repeated key is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {str(key) for key in keys if keys.count(key) > 1}
        if repeated:
            raise ManifestError(f"key {min(repeated)!r} is already set in the map")
        return super().construct_mapping(node, deep)


def walk(folder: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield every .yml below a folder in lexical order, following links (stash.md §1.1)."""
    real = os.path.realpath(folder)
    if real in seen or not os.path.isdir(folder):
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            yield from walk(path, seen | {real})
        elif os.path.splitext(name)[1] == ".yml":
            yield path


def read_manifest(path: str) -> Manifest:
    """Read a yml as strictly as Stash does. Raises ManifestError for any unknown key."""
    try:
        with open(path, encoding="utf-8") as file:
            # BaseLoader builds nothing but text, lists and maps.
            data = yaml.load(file, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ManifestError(str(error)) from error
    top = _Node(data, "the plugin").only(
        "name", "description", "url", "version", "interface", "exec", "errLog", "tasks", "hooks",
        "settings", "ui",
    )  # fmt: skip
    interface = top.text("interface") or "raw"
    if interface not in INTERFACES:
        raise ManifestError(f"invalid interface type {interface}")
    error_level = top.text("errLog") or "error"
    return Manifest(
        id=os.path.splitext(os.path.basename(path))[0],
        path=path,
        name=top.text("name"),
        description=top.text("description"),
        url=top.text("url"),
        version=top.text("version"),
        interface=interface,
        exec=top.texts("exec"),
        error_level=error_level if error_level in ERROR_LEVELS else "error",
        tasks=tuple(Task(**_task(node)) for node in top.nodes("tasks")),
        hooks=tuple(
            Hook(**_task(node, "triggeredBy"), triggered_by=node.texts("triggeredBy"))
            for node in top.nodes("hooks")
        ),
        settings=tuple(_setting(*item) for item in sorted(top.map("settings").items())),
        ui=_ui(top.node("ui")),
    )


class _Node:
    """A map of the file, with the place it stands at for messages."""

    def __init__(self, data: Any, where: str) -> None:
        if data is None or data == "":
            data = {}
        if not isinstance(data, dict):
            raise ManifestError(f"cannot unmarshal {data!r} into {where}")
        self._data = data
        self._where = where

    def only(self, *names: str) -> _Node:
        for name in self._data:
            if name not in names:
                raise ManifestError(f"field {name} not found in {self._where}")
        return self

    def text(self, name: str) -> str:
        value = self._data.get(name, "")
        if not isinstance(value, str):
            raise ManifestError(f"cannot unmarshal {name} of {self._where} into text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._data.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ManifestError(f"cannot unmarshal {name} of {self._where} into a list of texts")
        return tuple(value)

    def map(self, name: str) -> dict[str, Any]:
        return dict(self.node(name)._data)  # noqa: SLF001 - one of ours

    def text_map(self, name: str) -> dict[str, str]:
        value = self.map(name)
        if not all(isinstance(item, str) for item in value.values()):
            raise ManifestError(f"cannot unmarshal {name} of {self._where} into texts")
        return value

    def node(self, name: str) -> _Node:
        return _Node(self._data.get(name), f"{name} of {self._where}")

    def nodes(self, name: str) -> list[_Node]:
        value = self._data.get(name) or []
        if not isinstance(value, list):
            raise ManifestError(f"cannot unmarshal {name} of {self._where} into a list")
        return [_Node(item, f"{name}[{index}]") for index, item in enumerate(value)]


def _task(node: _Node, *more: str) -> dict[str, Any]:
    node.only("name", "description", "defaultArgs", "execArgs", *more)
    return {
        "name": node.text("name"),
        "description": node.text("description"),
        "default_args": node.text_map("defaultArgs"),
        "exec_args": node.texts("execArgs"),
    }


def _setting(name: str, data: Any) -> Setting:
    node = _Node(data, f"settings.{name}").only("type", "displayName", "description")
    kind = node.text("type") or "STRING"
    if kind not in SETTING_TYPES:
        raise ManifestError(f"invalid type {kind} of settings.{name}")
    return Setting(name, kind, node.text("displayName"), node.text("description"))


def _ui(node: _Node) -> Interface:
    node.only("javascript", "css", "requires", "assets", "csp")
    csp = node.node("csp").only("script-src", "style-src", "connect-src")
    for name in ("script-src", "style-src", "connect-src"):
        csp.texts(name)
    return Interface(
        node.texts("javascript"), node.texts("css"), node.texts("requires"), node.text_map("assets")
    )
