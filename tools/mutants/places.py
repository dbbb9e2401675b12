"""Finds the places of a file that can be broken, and what each becomes."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from tools.mutants.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_COUNTED = re.compile(r"#\s*pragma:\s*no cover")


@dataclass(frozen=True)
class Change:
    """One way to break a place."""

    operator: str
    node: cst.CSTNode
    becomes: cst.CSTNode


@dataclass
class Place:
    """A node that can be broken. Lines count from 1."""

    line: int
    """Where the node begins."""

    statement: int
    """The first line of its statement."""

    end: int
    """The last line of that statement, of a compound one before its body."""

    function: tuple[int, int] | None
    """First and last line of the body of the innermost function; None if there is none."""

    inside: bool
    """Whether it runs when the function does, not when the module is imported."""

    names: tuple[str, ...]
    """The names that a statement outside of functions assigns to."""

    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class Diff:
    """The lines that a change removes, and those that it adds; one text each."""

    was: str
    becomes: str


class Module:
    """A parsed file with its places, in the order of the text."""

    def __init__(self, code: str) -> None:
        self.code = code
        wrapper = MetadataWrapper(cst.parse_module(code))
        self._tree = wrapper.module
        finder = _Finder(code.splitlines())
        wrapper.visit(finder)
        self.places = finder.places

    def apply(self, change: Change) -> str:
        """Return the code with one change."""
        broken = self._tree.deep_replace(change.node, change.becomes)
        assert isinstance(broken, cst.Module)
        return broken.code

    def diff(self, broken: str) -> Diff:
        """Return what differs, each side on one line."""
        sides: dict[str, list[str]] = {"-": [], "+": []}
        lines = difflib.unified_diff(self.code.splitlines(), broken.splitlines(), n=0, lineterm="")
        for line in list(lines)[2:]:
            if line[0] in sides:
                sides[line[0]].append(line[1:].strip())
        return Diff(" ".join(sides["-"]), " ".join(sides["+"]))


class _Finder(cst.CSTVisitor):
    """Collects places on a walk through the tree."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.places: list[Place] = []
        self._lines = lines
        self._statements: list[cst.CSTNode] = []
        self._functions: list[cst.FunctionDef] = []
        self._bodies: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._is_left_out(node):
            return False
        if isinstance(node, cst.BaseCompoundStatement | cst.SimpleStatementLine):
            self._statements.append(node)
        if isinstance(node, cst.FunctionDef):
            self._functions.append(node)
        if self._functions and node is self._functions[-1].body:
            self._bodies.append(node)
        changes = list(self._changes(node))
        if changes:
            self.places.append(self._place(node, changes))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        for stack in (self._statements, self._functions, self._bodies):
            if stack and stack[-1] is original_node:
                stack.pop()

    def _is_left_out(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom):
            return True
        if isinstance(node, cst.SimpleStatementLine):
            first = node.body[0] if node.body else None
            if isinstance(first, cst.Expr) and isinstance(
                first.value, cst.SimpleString | cst.ConcatenatedString
            ):
                # A docstring, or the text below a constant.
                return True
        test = node.test if isinstance(node, cst.If) else None
        if isinstance(test, cst.Name) and test.value == "TYPE_CHECKING":
            return True
        if isinstance(node, cst.BaseCompoundStatement | cst.SimpleStatementLine):
            return bool(NOT_COUNTED.search(self._lines[self._line(node) - 1]))
        return False

    def _changes(self, node: cst.CSTNode) -> Iterator[Change]:
        for name, kind, operator in OPERATORS:
            if isinstance(node, kind):
                for becomes in operator(node):
                    yield Change(name, node, becomes)

    def _place(self, node: cst.CSTNode, changes: list[Change]) -> Place:
        function = self._functions[-1] if self._functions else None
        inside = function is not None and bool(self._bodies) and self._bodies[-1] is function.body
        span = None
        if function is not None:
            position = self.get_metadata(PositionProvider, function.body)
            span = (position.start.line, position.end.line)
        return Place(
            line=self._line(node),
            statement=self._line(self._statements[-1]) if self._statements else self._line(node),
            end=self._end(self._statements[-1] if self._statements else node),
            function=span,
            inside=inside,
            names=() if function else self._assigned(),
            changes=changes,
        )

    def _assigned(self) -> tuple[str, ...]:
        statement = self._statements[-1] if self._statements else None
        if not isinstance(statement, cst.SimpleStatementLine):
            return ()
        targets: list[cst.BaseExpression] = []
        for part in statement.body:
            if isinstance(part, cst.Assign):
                targets += [target.target for target in part.targets]
            elif isinstance(part, cst.AnnAssign):
                targets.append(part.target)
        return tuple(target.value for target in targets if isinstance(target, cst.Name))

    def _end(self, node: cst.CSTNode) -> int:
        if isinstance(node, cst.Match):
            return self._line(node)
        if isinstance(node, cst.BaseCompoundStatement) and node.body.body:
            return max(self._line(node), self._line(node.body.body[0]) - 1)
        return int(self.get_metadata(PositionProvider, node).end.line)

    def _line(self, node: cst.CSTNode) -> int:
        position = self.get_metadata(PositionProvider, node, None)
        if position is None:
            # Operators have no position of their own.
            position = self.get_metadata(PositionProvider, self._statements[-1])
        return int(position.start.line)
