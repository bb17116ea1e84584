"""An author's condition as a tree of `livepost.expr`: features and segments by name, constants in ms and minor units.

What can mean nothing (money against text, a sealed value compared) is refused here with the author's line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livepost.errors import ProjectError
from livepost.expr import tree
from livepost.project import arithmetic, term
from livepost.project.choice import Choice
from livepost.project.condition import Combination, Condition, Negation
from livepost.project.event import Event
from livepost.project.feature import Existence, Feature
from livepost.project.field import Field
from livepost.project.operand import Comparison, Constant, Formula, Operand
from livepost.project.segment import Segment
from livepost.project.term import EXAMPLES, Term


@dataclass(frozen=True)
class Reader:
    """What a condition may name: how an operand reads, and how a segment does. Plain amounts are in `currency`."""

    operand: Callable[[Operand], Term]
    segment: Callable[[Segment], tree.Expr]
    currency: str


def where_reader(event: type[Event], currency: str) -> Reader:
    """Return the reader of `where=` conditions: fields of `event` and nothing else."""

    def foreign(text: str) -> ProjectError:
        return ProjectError(
            f"expected a field of {event.__name__} in where=, got {text}; "
            "an event knows its own fields only, so put the rest into a segment"
        )

    def read(operand: Operand) -> Term:
        if not isinstance(operand, Field) or not issubclass(event, operand.event):
            raise foreign(operand.text)
        return term.of_field(operand)

    def refuse(segment: Segment) -> tree.Expr:
        raise foreign(f"the segment {segment.text}")

    return Reader(read, refuse, currency)


def segment_reader(
    name_of: Callable[[Feature[object]], str], segment_name_of: Callable[[Segment], str], currency: str
) -> Reader:
    """Return the reader of segment conditions: features and segments, by the names that the two functions give."""

    def read(operand: Operand) -> Term:
        if not isinstance(operand, Feature):
            raise ProjectError(
                f"expected features in a segment, got the field {operand.text}; "
                f"write latest({operand.text}) or count(..., where=...) for what is known of a person"
            )
        return term.of_feature(operand.definition, name_of(operand))

    return Reader(read, lambda segment: tree.Segment(segment_name_of(segment)), currency)


def translate(condition: Condition, reader: Reader) -> tree.Expr:
    """Return a condition as a tree. `ProjectError` says what cannot be, with its line."""
    condition = condition.inner
    if isinstance(condition, Combination):
        parts = tuple(translate(part, reader) for part in condition.parts)
        return tree.And(parts) if condition.word == "and" else tree.Or(parts)
    if isinstance(condition, Negation):
        return tree.Not(translate(condition.of, reader))
    try:
        return _leaf(condition, reader)
    except ProjectError as error:
        raise error if error.where else ProjectError(str(error), condition.line) from None


def _leaf(condition: Condition, reader: Reader) -> tree.Expr:
    match condition:
        case Segment():
            return reader.segment(condition)
        case Existence() | Field():
            return _comparison("==", condition, True, reader)
        case Choice():
            return tree.Or(tuple(_comparison("==", condition.of, value, reader) for value in condition.values))
        case Comparison():
            return _comparison(condition.op, condition.left, condition.right, reader)
    raise TypeError(f"a condition of an unknown form: {condition!r}")


def _comparison(op: tree.Op, left: Operand, right: Operand | Constant, reader: Reader) -> tree.Expr:
    known = _term(left, reader)
    _refuse_incomparable(left, known, op)
    if not isinstance(right, Operand):
        constant = term.constant(known.kind, right, left.text, reader.currency, whole=known.whole)
        return tree.Compare(op, known.node, constant)
    other = _term(right, reader)
    _refuse_incomparable(right, other, op)
    if known.kind != other.kind:
        raise ProjectError(
            f"expected {left.text} to be compared with {EXAMPLES[known.kind]}, got {right.text}, "
            f"which is {EXAMPLES[other.kind]}; compare what is of one kind"
        )
    return tree.Compare(op, known.node, other.node)


def _term(operand: Operand, reader: Reader) -> Term:
    if isinstance(operand, Formula):
        return arithmetic.of_formula(operand, lambda side: _term(side, reader), reader.currency)
    return reader.operand(operand)


def _refuse_incomparable(operand: Operand, given: Term, op: tree.Op) -> None:
    if given.personal:
        raise ProjectError(
            f"expected an open value to compare, got {operand.text}, which is personal and stays sealed; "
            "use a field that is not Personal"
        )
    if given.kind == "list":
        raise ProjectError(
            f"expected a single value to compare, got {operand.text}, which is a list; "
            "count the events instead, with where="
        )
    if given.kind == "bool" and op not in ("==", "!="):
        raise ProjectError(f"expected == or != with {operand.text}, which is true or false, got {op}")
