"""Errors of documents in the words of gqlparser, which Stash uses (stash.md §5).

graphql-core finds the same errors by the same rules, but words them differently.
"""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    Node,
    SelectionSetNode,
    StringValueNode,
    VariableDefinitionNode,
    Visitor,
    visit,
)

Told = dict[str, Any]
"""An error as it stands in an answer."""

PARSING, VALIDATING = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"

EMPTY = "expected at least one definition, found "
CLOSED_BY = {"(": ")", "{": "}"}

UNKNOWN = (
    r"Expected value of type '(\w+)' not to include unknown field '(\w+)'"
    r"(?:\.( Did you mean .*\?) Found|, found): .*"
)
REWORDED = (
    (r"Argument '\w+\.(\w+)\((\w+):\)' of type", r"Field '\1' argument '\2' of type"),
    (r"Argument '(@\w+)\((\w+):\)' of type", r"Directive '\1' argument '\2' of type"),
    (UNKNOWN, r"Field '\2' is not defined by type '\1'.\3"),
    (r"Expected value of type '(\w+)' to be an object, found: (.*)",
     r"Expected value of type '\1', found \2"),
    (r"Expected value of non-null type '(.*)' not to be None\.",
     r"Expected value of type '\1', found null."),
    (r"(must not have a selection since type '\w+)!' has", r"\1' has"),
)  # fmt: skip

REQUIRED = re.compile(
    r"Expected value of type '(\w+)' to include required field '(\w+)', found: .*"
)


def told(
    message: str, code: str, place: tuple[int, int] | None = None, path: tuple[Any, ...] = ()
) -> Told:
    """Make an error: message, place (line, column) or path, and code."""
    error: Told = {"message": message}
    if path:
        error["path"] = list(path)
    if place:
        error["locations"] = [{"line": place[0], "column": place[1]}]
    return {**error, "extensions": {"code": code}}


# -- syntax -------------------------------------------------------------------------------


def syntax_error(error: GraphQLError, text: str) -> Told:
    """Word what graphql-core's parser found."""
    message = error.message.removeprefix("Syntax Error: ")
    if message == "Unexpected <EOF>.":
        # No token at all: the document has no operation.
        return told("no operation provided", VALIDATING)
    positions = list(error.positions or ())
    position = positions[0] if positions else len(text)
    before = text[:position].rstrip(" \t\r\n,")[-1:]
    token = text[position : position + 1]
    if token and CLOSED_BY.get(before, "") == token and message.startswith("Expected"):
        message = EMPTY + token
    elif match := re.fullmatch(r"Expected (.+), found (.+)\.", message, re.DOTALL):
        # What was found stands there without its value.
        found = match[2].strip("'") if match[2][0] == "'" else match[2].split(" ")[0]
        wanted = match[1].strip("'").replace('"', "")
        message = f"Expected {wanted}, found {found}"
    elif match := re.fullmatch(r"Unexpected ('(.+)'|<EOF>|(\w+) ['\"](.*)['\"])\.", message):
        message = f"Unexpected {match[2] or match[1]}"
        if match[3]:
            message = f'Unexpected {match[3]} "{match[4]}"'
    else:
        # The lexer's own complaint is lost on the way.
        literal = message.startswith(("Unterminated string", "Invalid number"))
        in_value = literal or before in (":", "[", "=") or not text[:position].count("{")
        message = "Unexpected <Invalid>" if in_value else "Expected Name, found <Invalid>"
    places = error.locations or []
    place = (places[0].line, places[0].column) if places else None
    return told(message, PARSING, place)


class _EmptySelections(Visitor):
    """Finds a selection set with nothing in it."""

    def __init__(self) -> None:
        super().__init__()
        self.place: tuple[int, int] | None = None

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> None:
        if not node.selections and self.place is None and node.loc:
            token = node.loc.end_token
            self.place = (token.line, token.column)


def empty_selection(document: DocumentNode) -> Told | None:
    """Return where a document has an empty selection, which graphql-core lets pass."""
    visitor = _EmptySelections()
    visit(document, visitor)
    return told(EMPTY + "}", PARSING, visitor.place) if visitor.place else None


# -- rules --------------------------------------------------------------------------------


class _Owners(Visitor):
    """Records what each argument, selection set and type belongs to: gqlparser points at that."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[int, Node] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        for argument in node.arguments or ():
            self.of[id(argument)] = node
        if node.selection_set:
            self.of[id(node.selection_set)] = node

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            self.of[id(argument)] = node

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.of[id(node.type_condition)] = node

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        inner: Any = node.type
        while not isinstance(inner, NamedTypeNode):
            inner = inner.type
        self.of[id(inner)] = self.of[id(node.type)] = node


def rule_errors(
    schema: GraphQLSchema, document: DocumentNode, errors: list[GraphQLError]
) -> tuple[Told, ...]:
    """Word what graphql-core's rules found."""
    owners = _Owners()
    visit(document, owners)
    # What an operation does not use is seen at its end.
    ordered = sorted(errors, key=lambda error: "is never used" in error.message)
    return tuple(_rule_error(schema, owners, error) for error in ordered)


def _rule_error(schema: GraphQLSchema, owners: _Owners, error: GraphQLError) -> Told:
    message = error.message
    if match := REQUIRED.fullmatch(message):
        owner = schema.type_map[match[1]]
        assert isinstance(owner, GraphQLInputObjectType)
        wanted = owner.fields[match[2]].type
        message = f"Field '{match[1]}.{match[2]}' of required type '{wanted}' was not provided."
    for pattern, replacement in REWORDED:
        message = re.sub(pattern, replacement, message)
    message = re.sub(r"'([^']*)'", r'"\1"', message)
    nodes = list(error.nodes or ())
    last = " used in position expecting " in message or " conflict because " in message
    node = nodes[-1 if last else 0] if nodes else None
    place = _place(owners, node) if node else None
    return told(message, VALIDATING, place)


def _place(owners: _Owners, node: Node) -> tuple[int, int] | None:
    if isinstance(node, ArgumentNode | SelectionSetNode | NamedTypeNode):
        node = owners.of.get(id(node), node)
    if isinstance(node, FragmentSpreadNode):
        node = node.name
    if node.loc is None:
        return None
    token = node.loc.start_token
    if isinstance(node, InlineFragmentNode) and token.next:
        token = token.next
    # Its place is after the sign that starts it.
    shift = 1 if isinstance(node, StringValueNode | DirectiveNode) else 0
    return token.line, token.column + shift
