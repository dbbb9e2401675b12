"""The ways to break a place. Most are mutmut's; those that it lacks are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst
from mutmut.mutation import mutators as mutmut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Operator = tuple[str, "type | tuple[type, ...]", "Callable[[Any], Iterable[cst.CSTNode]]"]
"""Its name, the kinds of node that it accepts, and what it makes of one."""


KEYWORDS = (cst.Is, cst.IsNot, cst.In, cst.NotIn, cst.Break, cst.Continue)
OPERATIONS = (
    cst.BinaryOperation,
    cst.UnaryOperation,
    cst.BooleanOperation,
    cst.ComparisonTarget,
    cst.AugAssign,
)


def call_left_out(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Leave out a call whose result is not used."""
    called = node.value.expression if isinstance(node.value, cst.Await) else node.value
    if isinstance(called, cst.Call):
        yield cst.Pass()


def raise_left_out(node: cst.Raise) -> Iterator[cst.CSTNode]:
    """Go on where an error is raised."""
    del node
    yield cst.Pass()


def jump_left_out(node: cst.Break | cst.Continue) -> Iterator[cst.CSTNode]:
    """Leave out a `break` or `continue`."""
    del node
    yield cst.Pass()


def value_not_returned(node: cst.Return) -> Iterator[cst.CSTNode]:
    """Return None instead of a value; without a value, do not return."""
    if node.value is None:
        yield cst.Pass()
    elif not (isinstance(node.value, cst.Name) and node.value.value in {"None", "True", "False"}):
        yield node.with_changes(value=cst.Name("None"))


def condition_turned(node: cst.If | cst.While) -> Iterator[cst.CSTNode]:
    """Invert a condition."""
    if isinstance(node.test, cst.Name) and node.test.value in {"True", "TYPE_CHECKING"}:
        # A loop without end, and code that only a type checker reads.
        return
    test = node.test.with_changes(
        lpar=[*node.test.lpar, cst.LeftParen()], rpar=[*node.test.rpar, cst.RightParen()]
    )
    turned = cst.UnaryOperation(cst.Not(whitespace_after=cst.SimpleWhitespace(" ")), test)
    yield node.with_changes(test=turned)


def text_changed(node: cst.SimpleString) -> Iterator[cst.CSTNode]:
    """Change a text in mutmut's first way; its two others change case, which SQL ignores."""
    yield from list(mutmut.operator_string(node))[:1]


def argument_left_out(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Leave out one of several arguments.

    mutmut puts None for each argument too. That is a crash in nearly every line that runs at all,
    and would make a poor suite look good.
    """
    for call in mutmut.operator_arg_removal(node):
        assert isinstance(call, cst.Call)
        if len(call.args) < len(node.args):
            yield call


OPERATORS: list[Operator] = [
    ("number changed", cst.BaseNumber, mutmut.operator_number),
    ("text changed", cst.SimpleString, text_changed),
    ("True and False swapped", cst.Name, mutmut.operator_name),
    ("counting lost", cst.AugAssign, mutmut.operator_augmented_assignment),
    ("not left out", cst.UnaryOperation, mutmut.operator_remove_unary_ops),
    ("argument left out", cst.Call, argument_left_out),
    ("method swapped", cst.Call, mutmut.operator_symmetric_string_methods_swap),
    ("method swapped", cst.Call, mutmut.operator_unsymmetrical_string_methods_swap),
    ("lambda emptied", cst.Lambda, mutmut.operator_lambda),
    ("keyword swapped", KEYWORDS, mutmut.operator_keywords),
    ("operator swapped", OPERATIONS, mutmut.operator_swap_op),
    ("case left out", cst.Match, mutmut.operator_match),
    ("branch forced", cst.IfExp, mutmut.operator_if_exp),
    ("call left out", cst.Expr, call_left_out),
    ("raise left out", cst.Raise, raise_left_out),
    ("jump left out", cst.Break, jump_left_out),
    ("jump left out", cst.Continue, jump_left_out),
    ("value not returned", cst.Return, value_not_returned),
    ("condition turned", cst.If, condition_turned),
    ("condition turned", cst.While, condition_turned),
]
"""Left out on purpose: mutmut's `a = None`, for the reason of `argument_left_out`."""
