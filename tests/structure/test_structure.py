"""The shape of the package: arrows in one direction, nothing hidden, modules of one duty."""

from __future__ import annotations

import ast
import inspect
import os
import re

import pytest

import stash2plex
from stash2plex import errors

FOLDER = os.path.dirname(stash2plex.__file__)
PACKAGES = (
    "", "servers", "index", "match", "write", "sweeps", "compare", "health", "show", "modes",
    "commands",
)  # fmt: skip
MODULES = sorted(
    ".".join(filter(None, (package, name[:-3])))
    for package in PACKAGES
    for name in os.listdir(os.path.join(FOLDER, package))
    if name.endswith(".py") and (not package or name != "__init__.py")
)
MOST_LINES = 560

LAYERS = [
    {"errors", "version", "__init__", "bytecode"},
    {"datadir", "lock", "db", "model"},
    {
        "starter",
        "workqueue",
        "repair",
        "hookcost",
        "config",
        "servers.transport",
        "servers.wire",
        "compare.keyset",
    },
    {"servers.glance", "servers.jobs", "servers.plexedit"},
    {"servers.plexwire", "servers.stashwire"},
    {
        "hook",
        "write.desired",
        "match.matching",
        "policy",
        "breaker",
        "records",
        "show.progress",
        "servers.stash",
        "servers.plex",
        "sweeps.upkeep",
    },
    {"keystate", "runs", "show.naming"},
    {
        "match.pathmap",
        "index.missed",
        "match.contests",
        "index.scans",
        "health.checks",
        "show.deadletters",
        "show.outages",
        "show.metrics",
    },
    {
        "write.merge",
        "write.pictures",
        "show.observe",
        "pace",
        "index.plexindex",
        "index.plexchanges",
        "match.pathrules",
    },
    {"write.apply", "show.obfuscate", "stops"},
    {"show.logs"},
    {"show.telling", "session", "sweeps.sweep"},
    {"index.news"},
    {"match.finding", "index.plexwatch", "compare.drift"},
    {"pipeline", "sweeps.sweeper"},
    {"compare.reports"},
    {"compare.reconcile"},
    {"compare.routine"},
    {"settingswatch"},
    {"gate"},
    {"worker"},
    {"app"},
    {"asking", "runview"},
    {"show.status", "sweeps.enqueue", "foreground", "background", "cliconfig", "show.terminal"},
    {"show.preview", "show.explain"},
    {
        "show.letterlines",
        "show.outagereport",
        "health.matchchecks",
        "health.localchecks",
        "health.serverchecks",
        "health.report",
    },
    {"show.prometheus"},
    {"show.screens", "legacy"},
    {"modes.context", "commands.shell", "commands.demo", "commands.completion"},
    {"modes.draining", "modes.looking", "modes.steering", "commands.syncing", "commands.looking"},
    {"modes.scenes", "commands.scenes", "commands.legacy", "commands.service"},
    {"modes.keys", "modes.reconciling", "commands.deadletters", "commands.reconciling"},
    {"tasks"},
    {"commands.operation"},
    {"cli"},
    {"plugin", "__main__"},
]
"""A module imports only from layers below its own."""

HOOK_PATH = {
    "hook": {"datadir", "db", "errors", "starter", "workqueue"},
    "starter": {"datadir", "lock"},
    "workqueue": {"db"},
    "db": {"errors"},
    "lock": {"errors"},
    "datadir": {"errors"},
    "errors": set(),
    "bytecode": set(),
}
PURE = {
    "write.desired", "match.matching", "match.pathmap", "policy", "write.merge", "write.pictures",
    "write.apply", "compare.drift", "model", "config", "pace", "health.checks", "show.obfuscate",
}  # fmt: skip
NOT_FOR_THE_PURE = {
    "servers.transport",
    "servers.stash",
    "servers.plex",
    "db",
    "app",
    "worker",
    "pipeline",
    "records",
}
MAY_IMPORT_LATE = {"plugin", "commands.demo", "hook"}


def path_of(module):
    return os.path.join(FOLDER, *module.split(".")) + ".py"


def tree_of(module):
    with open(path_of(module), encoding="utf-8") as file:
        return ast.parse(file.read())


def ours(node):
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stash2plex"):
        head = ".".join(node.module.split(".")[1:])
        if head in PACKAGES:
            return {".".join(filter(None, (head, alias.name))) for alias in node.names}
        return {head}
    if isinstance(node, ast.Import):
        return {
            alias.name.split(".", 1)[1]
            for alias in node.names
            if alias.name.startswith("stash2plex.")
        }
    return set()


def imports(module, *, top_only=False):
    tree = tree_of(module)
    nodes = tree.body if top_only else list(ast.walk(tree))
    return set().union(*(ours(node) for node in nodes)) if nodes else set()


def test_every_module_has_its_layer():
    assert sorted(set().union(*LAYERS)) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    level = next(number for number, layer in enumerate(LAYERS) if module in layer)
    below = set().union(*LAYERS[:level])
    assert imports(module, top_only=True) <= below | (LAYERS[level] - {module})
    for other in imports(module, top_only=True) & LAYERS[level]:
        assert module not in imports(other), f"{module} and {other} import each other"


@pytest.mark.parametrize("module", sorted(HOOK_PATH))
def test_the_hook_path_is_short(module):
    assert imports(module, top_only=True) == HOOK_PATH[module]


@pytest.mark.parametrize("module", sorted(PURE))
def test_what_decides_does_no_input_or_output(module):
    assert not imports(module) & NOT_FOR_THE_PURE


def test_only_the_root_builds_clients():
    for module in MODULES:
        text = ast.unparse(tree_of(module))
        if re.search(r"\b(Stash|Plex|Transport)\(", text):
            assert module in ("app", "servers.stash", "servers.plex", "servers.transport"), module


@pytest.mark.parametrize("module", sorted(set(MODULES) - MAY_IMPORT_LATE))
def test_nothing_is_imported_late(module):
    assert imports(module) == imports(module, top_only=True)


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_public_names_say_what_they_are(module):
    tree = tree_of(module)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            nested = any(
                isinstance(outer, ast.FunctionDef) and node in ast.walk(outer) and node is not outer
                for outer in ast.walk(tree)
            )
            assert nested or ast.get_docstring(node), node.name


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short_and_quiet_at_import(module):
    with open(path_of(module), encoding="utf-8") as file:
        assert len(file.readlines()) <= MOST_LINES
    for node in tree_of(module).body:
        quiet = (
            ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
            ast.Expr, ast.If,
        )  # fmt: skip
        assert isinstance(node, quiet), ast.unparse(node)
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant)


def test_no_module_keeps_state():
    for module in MODULES:
        assert not [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Global)]


def test_the_drawn_error_tree_is_the_real_one():
    drawn = {}
    path = []
    for line in inspect.cleandoc(errors.__doc__).splitlines():
        match = re.match(r"([ │├└─]*)([A-Z]\w+)  ", line + "  ")
        if not match or not hasattr(errors, match[2]):
            continue
        depth = len(match[1]) // 4 - 1
        path[depth:] = [match[2]]
        drawn[match[2]] = path[depth - 1] if depth else "Exception"
    real = {
        name: value.__mro__[1].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.Stash2PlexError)
    }
    assert drawn == real
