"""How an event class is made: a frozen msgspec Struct on whose class a field's name gives a `Field`.

Reading a value from an instance never passes here, so it costs what it costs in msgspec. Type checkers see a
dataclass with keyword arguments instead: for them `ProductViewed.product_id` has the field's own type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, dataclass_transform

import msgspec

from livepost.errors import ProjectError
from livepost.project.field import Field
from livepost.project.place import authors_line

ENVELOPE = ("person", "anonymous", "at", "message_id")
"""Who, when and under which id: the fields every event has that are not properties."""

if TYPE_CHECKING:

    @dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
    class EventMeta(type):
        """What makes an event class, as checkers see it."""

    EventBase = object
else:
    EventBase = msgspec.Struct

    class EventMeta(msgspec.StructMeta):
        """Makes an event class of its annotations, names it, and answers for its fields."""

        def __new__(mcls, cls_name, bases, namespace, *, name=None):
            """Make the class; `name` is the event's name in records, by default the class name in words."""
            _refuse_envelope(cls_name, bases, namespace)
            cls = super().__new__(mcls, cls_name, bases, namespace, kw_only=True, frozen=True)
            cls._event_name = name or _inherited_name(cls) or in_words(cls_name)
            cls._event_line = authors_line()
            cls._event_fields = {name: Field(cls, name) for name in cls.__struct_fields__ if name not in ENVELOPE}
            return cls

        def __getattribute__(cls, name):  # noqa: N805 - self is a class here
            """Answer a field's name with the field, all else as usual."""
            if name[0] != "_" and name in cls._event_fields:
                return cls._event_fields[name]
            return super().__getattribute__(name)


def in_words(class_name: str) -> str:
    """Return a class name in words.

    >>> in_words("ProductViewed")
    'Product Viewed'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", class_name)


def _inherited_name(cls: Any) -> str | None:
    """Return the name that a subclass of a built-in keeps: an identify with more traits is still one."""
    base = str(getattr(cls.__base__, "_event_name", ""))
    return base if base.startswith("$") else None


def _refuse_envelope(cls_name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
    taken = [name for name in namespace.get("__annotations__", ()) if name in ENVELOPE]
    if taken and any(isinstance(base, EventMeta) for base in bases):
        raise ProjectError(
            f"expected a property of {cls_name} with a name of its own, got {taken[0]}, "
            f"which every event has already ({', '.join(ENVELOPE)}); rename it",
            authors_line(),
        )
