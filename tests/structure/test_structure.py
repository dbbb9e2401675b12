"""The shape of the package: storeys that look down only, nothing hidden, modules of one duty."""

from __future__ import annotations

import ast
import inspect
import os
import re
from functools import cache

import pytest

import stash2plex
from stash2plex import errors
from tests.support import present

FOLDER = os.path.dirname(stash2plex.__file__)
MAX_LINES = 470
MAX_CLASS_LINES = 400
MAX_FLOW_LINES = {"Drain": 340, "Pipeline": 340}
"""Where everything meets, less is allowed."""

STOREYS = (
    {"plugin", "__main__", "worker_start", "generated_code"},
    {"cli"},
    {"tasks"},
    {"ui"},
    {"operations"},
    {"app"},
    {"sync"},
    {"store"},
    {"rules"},
    {"logs", "servers"},
    {"config", "settingvalues"},
    {"hook", "handover", "hookcost", "starter", "workqueue", "db", "lock", "datadir", "bytecode"}
    | {"copies", "migrations", "codestamp", "first_aid", "python_parts", "start_trouble"},
    {"model", "text", "namelist", "path_map_setting", "errors", "version", "__init__"},
)
"""A folder, or a flat module, imports from its own row and from rows below. The doors are on top,
what a save needs is flat, the ground is at the bottom."""

FLAT_WITH_SQL = {"db", "workqueue", "hook", "hookcost"}
"""What a save cannot do without: four at most. A fifth asks one of these, as `handover` does."""
READS_A_FOREIGN_DATABASE = {"operations.import_legacy"}
MAY_DO_HTTP = ("servers.",)
MAY_PRINT = ("ui.", "cli.")
LAST_RESORT = {"logs.handlers", "operations.background"}
"""Print to stderr what no log can take: it cannot be written, or is not open yet."""

NOT_FOR_RULES = {"servers", "store", "logs", "db", "hook", "starter", "lock"}

HOOK_PATH = {
    "hook": {"datadir", "db", "errors", "lock", "starter", "workqueue"},
    "starter": {"datadir", "lock"},
    "workqueue": {"db"},
    "db": {"datadir", "errors"},
    "lock": {"datadir", "errors"},
    "datadir": {"errors"},
    "errors": set(),
}
MAY_IMPORT_LATE = {
    "plugin",  # a hook must not pay for what a task needs
    "worker_start",  # the stamp of the files is taken before they are imported
    "hook",  # measures its own cost once a minute, takes a session over at a worker's start
    "db",  # copies the database before a migration, which no save of an updated one pays for
    "cli.demo",  # the stand-ins are not in the archive
}

OLD_NAMES = re.compile(
    r"(LONGEST|MOST|LEAST|LARGEST|SMALLEST)(_|$)|[A-Z_]+_(MOST|LEAST)$"
    r"|_*(Curtain|Alias|Sieve|Contests|Missed|Routine|Upkeep|Telling|News)$"
    r"|(curtain|telling|sieve|contests|missed|routine|upkeep|news|modes|steering|looking|syncing)$"
)
"""A limit is MAX_ or MIN_; the others have standard terms: redactor, pseudonym, notifications,
changes, change filter, item claims, awaited files, scheduled reconcile, sweep schedule, tasks."""

SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|PRAGMA|BEGIN|WITH)\s+\S")

WRITES = re.compile(
    r"\b(?:INSERT (?:OR \w+ )?INTO|REPLACE INTO|DELETE FROM|UPDATE(?! SET)) (?:main\.)?([a-z_]+)"
)
SHARED = {
    # `Queue` is the queue for everything but a save.
    **{table: {"workqueue", "store.queue"} for table in ("queue", "dead_letter", "failure")},
    # The queue counts, in the commit that ends a key; the rest of a row belongs to `runs`.
    "run": {"workqueue", "store.queue", "store.runs"},
    # The queue adds what is not in Plex; it is dropped when the user was notified.
    "missing_news": {"workqueue", "store.queue", "store.notices"},
    # They go with the record of their scene, in one commit.
    "follower": {"store.followers", "store.records"},
    # What is to be looked at of an item goes with the item.
    "picture_check": {"store.picture_checks", "store.plex_files"},
}
"""Tables with more than one writer, and why; a copy that is taken back fills them all."""

PIECE_OF_SQL = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|WHERE|ORDER BY)\b")


def find_modules():
    for folder, folders, names in os.walk(FOLDER):
        folders[:] = [one for one in folders if one != "__pycache__"]
        for name in names:
            if name.endswith(".py"):
                path = os.path.relpath(os.path.join(folder, name), FOLDER)[:-3]
                yield path.replace(os.sep, ".").removesuffix(".__init__")


MODULES = sorted(find_modules())
ROOMS = sorted({module.split(".")[0] for module in MODULES})


def path_of(module):
    path = os.path.join(FOLDER, *module.split("."))
    return os.path.join(path, "__init__.py") if os.path.isdir(path) else path + ".py"


@cache
def tree_of(module):
    with open(path_of(module), encoding="utf-8") as file:
        return ast.parse(file.read())


def ours(node):
    """List the modules of the package that an import statement names."""
    module = (isinstance(node, ast.ImportFrom) and node.module) or ""
    if isinstance(node, ast.ImportFrom) and module.split(".")[0] == "stash2plex":
        head = module.partition(".")[2]
        names = {f"{head}.{alias.name}".lstrip(".") for alias in node.names}
        return {name if name in MODULES else head for name in names} - {""}
    if isinstance(node, ast.Import):
        parts = [alias.name.split(".", 1) for alias in node.names]
        return {part[1] for part in parts if part[0] == "stash2plex" and len(part) > 1}
    return set()


def imports(module, *, top_only=False):
    tree = tree_of(module)
    nodes = tree.body if top_only else ast.walk(tree)
    return set().union(*(ours(node) for node in nodes)) - {module}


def row_of(module):
    room = module.split(".")[0]
    return next(number for number, row in enumerate(STOREYS) if room in row)


def test_every_room_has_its_storey():
    assert sorted(set().union(*STOREYS)) == ROOMS


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    """Late ones too; only the doors open what is below them when they need it."""
    assert [other for other in imports(module) if row_of(other) < row_of(module)] == []


def test_no_modules_and_no_folders_import_each_other_in_a_circle():
    modules = {module: imports(module) for module in MODULES}
    assert circle_in(modules) == []
    folders: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, others in modules.items():
        folders[module.split(".")[0]] |= {other.split(".")[0] for other in others}
    assert circle_in({room: others - {room} for room, others in folders.items()}) == []


def circle_in(graph):
    """Take away what nothing imports, again and again; what stays is in a circle or below one."""
    left = dict(graph)
    while True:
        imported = set().union(*left.values()) if left else set()
        loose = [one for one in left if one not in imported]
        if not loose:
            leaves = [one for one, others in left.items() if not others & left.keys()]
            if not leaves:
                return sorted(left)
            loose = leaves
        for one in loose:
            del left[one]


def groups_of(folder):
    """Read the groups from the folder's docstring: top first, each with its modules."""
    text = inspect.cleandoc(present(ast.get_docstring(tree_of(folder))))
    lines = re.sub(r"\n {8}", " ", text).splitlines()
    return [line.partition(": ")[2].split(", ") for line in lines if line.startswith("    ")]


@pytest.mark.parametrize("folder", ["operations", "store", "sync"])
def test_a_large_folder_has_groups_that_import_only_downwards(folder):
    groups = groups_of(folder)
    row = {name: number for number, group in enumerate(groups) for name in group}
    inside = [module for module in MODULES if module.startswith(f"{folder}.")]
    assert sorted(name for group in groups for name in group) == sorted(
        {module.split(".")[1] for module in inside}
    )
    for module in inside:
        others = {other for other in imports(module) if other.startswith(f"{folder}.")}
        name = module.split(".")[1]
        assert [other for other in others if row[other.split(".")[1]] < row[name]] == [], module


@pytest.mark.parametrize("module", [one for one in MODULES if one.startswith("rules")])
def test_rules_do_no_input_or_output(module):
    assert not {other.split(".")[0] for other in imports(module)} & NOT_FOR_RULES


def statements_in(tree):
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and SQL.match(text)]


def test_four_flat_modules_hold_sql_and_no_more():
    flat = [module for module in MODULES if module.split(".")[0] == module]
    assert {module for module in flat if statements_in(tree_of(module))} == FLAT_WITH_SQL
    assert len(FLAT_WITH_SQL) <= 4


@pytest.mark.parametrize("module", sorted(set(MODULES) - READS_A_FOREIGN_DATABASE))
def test_statements_are_named_and_not_put_together_where_they_are_run(module):
    """A constant may be built of others, at import; only a PRAGMA cannot bind its number."""
    tree = tree_of(module)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("execute"):
            statement = call.args[0]
            is_pragma = ast.unparse(statement).startswith(("f'PRAGMA ", 'f"PRAGMA '))
            whole = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript)
            assert is_pragma or isinstance(statement, whole), ast.unparse(call)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for text in (node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)):
            assert not PIECE_OF_SQL.search(ast.unparse(text)), ast.unparse(text)
    with open(path_of(module), encoding="utf-8") as file:
        assert "S608" not in file.read()


def test_each_table_has_one_writer():
    written: dict[str, set[str]] = {}
    for module in sorted(set(MODULES) - READS_A_FOREIGN_DATABASE - {"store.restore"}):
        for text in statements_in(tree_of(module)):
            for match in WRITES.finditer(text):
                written.setdefault(match[1], set()).add(module)
    assert {table: modules for table, modules in written.items() if len(modules) > 1} == SHARED


@pytest.mark.parametrize("module", MODULES)
def test_sql_http_and_printing_have_their_places(module):
    tree = tree_of(module)
    may_hold_sql = module.startswith("store.") or module in READS_A_FOREIGN_DATABASE
    assert may_hold_sql or statements_in(tree) == [] or module in FLAT_WITH_SQL
    foreign = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
    }
    assert module.startswith(MAY_DO_HTTP) or "urllib3" not in foreign
    assert module.startswith(MAY_PRINT) or "rich" not in foreign
    assert module.startswith(MAY_PRINT) or module in LAST_RESORT or "print" not in calls_in(module)


@pytest.mark.parametrize("module", sorted(HOOK_PATH))
def test_the_hook_path_is_short(module):
    assert imports(module, top_only=True) == HOOK_PATH[module]


def calls_in(module):
    nodes = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
    return {node.func.id for node in nodes if isinstance(node.func, ast.Name)}


def test_only_the_root_builds_what_it_builds():
    """A server's own module may copy its client; what a deed makes for itself is not meant."""
    ours = {
        node.name: module
        for module in MODULES
        if module.startswith(("servers.", "store.", "sync."))
        for node in tree_of(module).body
        if isinstance(node, ast.ClassDef)
    }
    built = (calls_in("app") & ours.keys()) - {"StashAddress"}
    assert {"Transport", "Plex", "Records", "Drain", "Gate", "Pipeline", "Finder"} <= built
    for module in MODULES:
        others = {name for name in calls_in(module) & built if ours[name] != module}
        assert module == "app" or others == set(), module


@pytest.mark.parametrize("module", sorted(set(MODULES) - MAY_IMPORT_LATE))
def test_nothing_is_imported_late(module):
    assert imports(module) == imports(module, top_only=True)


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_public_names_say_what_they_are(module):
    tree = tree_of(module)
    assert ast.get_docstring(tree)
    nested = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef)
        for inner in ast.walk(outer)
        if inner is not outer
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert node in nested or ast.get_docstring(node), node.name


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_classes_are_short_and_quiet_at_import(module):
    with open(path_of(module), encoding="utf-8") as file:
        assert len(file.readlines()) <= MAX_LINES
    tree = tree_of(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            most = MAX_FLOW_LINES.get(node.name, MAX_CLASS_LINES)
            assert present(node.end_lineno) - node.lineno < most, node.name
    for node in tree.body:
        quiet = (
            ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
            ast.Expr, ast.If,
        )  # fmt: skip
        assert isinstance(node, quiet), ast.unparse(node)
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("module", MODULES)
def test_names_are_standard_terms(module):
    tree = tree_of(module)
    defined = {
        node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }
    bound = {
        target.id
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in ast.walk(node)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    }
    names = {*module.split("."), *defined, *bound}
    assert [name for name in sorted(names) if OLD_NAMES.match(name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_each_exception_from_a_rule_has_its_reason(module):
    with open(path_of(module), encoding="utf-8") as file:
        # A server's own names need no reason each.
        exceptions = [line for line in file if "# noqa" in line and "N815" not in line]
    assert [line for line in exceptions if not re.search(r"# noqa: [A-Z0-9, ]+ - \w", line)] == []


def test_no_module_keeps_state():
    for module in MODULES:
        assert not [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Global)]


def test_the_drawn_error_tree_is_the_real_one():
    drawn = {}
    path: list[str] = []
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
