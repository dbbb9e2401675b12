"""Writes the page of the database's tables: what they hold, from the code that writes them."""

from __future__ import annotations

import ast
import os
import re
import tempfile
from contextlib import closing

from stash2plex.db import SCHEMA_NUMBER, connect
from tools.build_plugin import ROOT

WRITES = r"\b(?:INTO|UPDATE|DELETE FROM) {}\b"


def database_page() -> str:
    """Return every table as SQLite creates it, with the modules that write it."""
    lines = [
        "# Database",
        "",
        (
            f"`stash2plex.db` is one SQLite file, now with schema {SCHEMA_NUMBER}. It can change "
            "with every version, and migrations bring an older file up to date. For scripts use "
            "[operations](tasks.md#operations) and `--json` instead. Times are seconds since 1970, "
            "in UTC. No table holds a token, a password or a session."
        ),
        "",
    ]
    writers = _writers()
    for name, sql, others in _tables():
        found = [(module, what) for module, what, text in writers if _writes(text, name)]
        lines += [f"## `{name}`", ""]
        lines += [f"- `{module}`: {what}" for module, what in found]
        lines += ["", "```sql", _plain(sql), *map(_plain, others), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _tables() -> list[tuple[str, str, list[str]]]:
    """List (table, its statement, the statements of its indexes and triggers), by name."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(connect(os.path.join(folder, "new.db"))) as database,
    ):
        rows = database.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            " AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
        ).fetchall()
    return [
        (name, sql, [more for kind, _, of, more in rows if of == name and kind != "table"])
        for kind, name, _, sql in rows
        if kind == "table"
    ]


def _plain(sql: str) -> str:
    """Return a statement without comments, which are for readers of the migrations."""
    lines = [re.sub(r"\s*--.*$", "", line).rstrip() for line in sql.splitlines()]
    return "\n".join(line for line in lines if line) + ";"


def _writes(text: str, table: str) -> bool:
    return re.search(WRITES.format(re.escape(table)), text) is not None


def _writers() -> list[tuple[str, str, str]]:
    """List each module that may hold SQL: its path, the line that describes it, its text."""
    package = os.path.join(ROOT, "stash2plex")
    names = [f"store/{name}" for name in sorted(os.listdir(os.path.join(package, "store")))]
    found = []
    for name in ["workqueue.py", "hookcost.py", *names]:
        if name.endswith(".py"):
            with open(os.path.join(package, name), encoding="utf-8") as file:
                text = file.read()
            what = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
            found.append((name, what, text))
    return found
