"""The nodes of a condition, as msgspec structs that read and write JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

Op: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]
Sign: TypeAlias = Literal["+", "-", "*", "/"]


class Feature(msgspec.Struct, frozen=True, tag="feature"):
    """The value of a feature of the person, by its name in the compiled project."""

    name: str


class Field(msgspec.Struct, frozen=True, tag="field"):
    """The value of a field of the event at hand; only inside `where=`."""

    name: str


class Segment(msgspec.Struct, frozen=True, tag="segment"):
    """Whether the person is in another segment."""

    name: str


class Const(msgspec.Struct, frozen=True, tag="const"):
    """A constant: durations in ms, money in minor units."""

    value: bool | int | float | str


class Arithmetic(msgspec.Struct, frozen=True, tag="arithmetic"):
    """`left sign right`, in IEEE 754 double precision; never if a side is, on a division by zero, and beyond all
    finite numbers. Sides are numbers and money (in minor units), and no `since`, which changes all the time.
    """

    sign: Sign
    left: Expr
    right: Expr


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """`left op right`; false if either side is never (see the package's docstring for since against since)."""

    op: Op
    left: Expr
    right: Expr


class And(msgspec.Struct, frozen=True, tag="and"):
    """True if all parts are."""

    of: tuple[Expr, ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """True if any part is."""

    of: tuple[Expr, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """Plain negation."""

    of: Expr


Expr: TypeAlias = Feature | Field | Segment | Const | Arithmetic | Compare | And | Or | Not


def walk(node: Expr) -> Iterator[Expr]:
    """Yield the node and everything below it, parents first."""
    yield node
    match node:
        case Compare(_, left, right) | Arithmetic(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case And(of) | Or(of):
            for part in of:
                yield from walk(part)
        case Not(of):
            yield from walk(of)
