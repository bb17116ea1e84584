"""A field of a declared event: how it reads in conditions, and its type as the tracking plan knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

import msgspec

from livepost.errors import ProjectError
from livepost.model.compiled import FieldSpec, FieldType
from livepost.project.condition import Condition
from livepost.project.money import Money
from livepost.project.operand import Operand

if TYPE_CHECKING:
    from livepost.project.event import Event

T = TypeVar("T")


class _Sealed:
    """The mark that `Personal` leaves on a type."""


Personal: TypeAlias = Annotated[T, _Sealed]
"""The type of a personal value: the value's own type to checkers; it is sealed under the person's keys."""


class _Naming:
    """The mark that `Key` leaves on a type."""


Key: TypeAlias = Annotated[T, _Naming]
"""The type of a declared key: an id of one person, such as a loyalty card's number, as str or int; it is sealed."""

NOT_KEYS = ("user", "anonymous", "email")
"""What other ids are called where people are kept: no declared key may be."""

CURRENCY_KEY = "currency"
"""The JSON field beside a money field that carries its currency (Segment's name)."""

SCALARS: dict[object, FieldType] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    Money: "money",
    datetime: "datetime",
}


class Field(Operand, Condition):
    """A field of an event, as it reads on the class; a bool field is a condition by itself."""

    __slots__ = ("event", "name")

    def __init__(self, event: type[Event], name: str) -> None:
        """Refer to `event`'s field `name`."""
        super().__init__()
        self.event = event
        self.name = name

    @property
    def text(self) -> str:
        """`OrderCompleted.total`."""
        return f"{self.event.__name__}.{self.name}"

    def __repr__(self) -> str:
        """Return how an author writes it."""
        return self.text


def field_spec(name: str, hint: Any, *, has_default: bool) -> FieldSpec:
    """Return the tracking plan's entry of an annotated field; `ProjectError` for a type it cannot have."""
    value, nullable, marks = _unwrapped(hint, name)
    kind = _kind(value, name)
    if _Naming in marks:
        _check_key(kind, name)
    return FieldSpec(
        name=name,
        keys=tuple(dict.fromkeys((name, camel(name)))),
        type=kind,
        item=_item(value, name) if kind == "list" else None,
        required=not (has_default or nullable),
        personal=bool(marks),
        key=_Naming in marks,
        currency_key=CURRENCY_KEY if kind == "money" else None,
    )


def camel(name: str) -> str:
    """Return a snake_case name in camelCase.

    >>> camel("first_name")
    'firstName'
    """
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _check_key(kind: FieldType, name: str) -> None:
    if kind not in ("str", "int"):
        raise ProjectError(
            f"expected str or int for the key {name}, got {kind}; a key is a value that names one person"
        )
    if name in NOT_KEYS:
        raise ProjectError(f"expected another name for the key {name}: {', '.join(NOT_KEYS)} are ids of their own")


def _unwrapped(hint: Any, name: str) -> tuple[Any, bool, frozenset[object]]:
    """Return the bare type, whether None is allowed, and our marks on it (`_Sealed`, `_Naming`)."""
    if get_origin(hint) is Annotated:
        value, nullable, marks = _unwrapped(hint.__origin__, name)
        return value, nullable, marks | {mark for mark in hint.__metadata__ if mark in (_Sealed, _Naming)}
    if get_origin(hint) not in (Union, UnionType):
        return hint, False, frozenset()
    inner = [member for member in get_args(hint) if member is not NoneType]
    if len(inner) != 1:
        raise ProjectError(
            f"expected one type, or one with `| None`, for field {name}, got {hint}; choose the one that the shop sends"
        )
    value, _, marks = _unwrapped(inner[0], name)
    return value, True, marks


def _kind(value: Any, name: str) -> FieldType:
    if value in SCALARS:
        return SCALARS[value]
    origin: Any = get_origin(value) or value
    if origin is list:
        return "list"
    if origin is Literal and all(isinstance(choice, str) for choice in get_args(value)):
        return "str"
    if value is Any or is_typeddict(value) or origin in (dict, Mapping) or isinstance(value, msgspec.StructMeta):
        return "json"
    raise ProjectError(
        f"expected str, int, float, bool, Money, datetime, a list of these, or a dict for field {name}, "
        f"got {getattr(value, '__name__', value)}; use one of them (Money for prices)"
    )


def _item(value: Any, name: str) -> FieldType:
    inner = (*get_args(value), Any)[0]
    bare, _, marks = _unwrapped(inner, name)
    if _Naming in marks:
        raise ProjectError(f"expected one value for the key {name}, got a list; a key names one person")
    if marks:
        raise ProjectError(
            f"expected Personal around the whole list of field {name}, got it inside; write Personal[list[...]]"
        )
    return _kind(bare, name)
