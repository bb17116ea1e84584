"""What a page, an operation or a command shows or changes, as it says itself, and who writes it down.

In: what was asked and what is answered. Out: an entry before the answer leaves. Promised: what cannot be written down
is not answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from livepost.audit.entry import Word
from livepost.model.principal import USER

_NAME = re.compile(r"\*|[A-Za-z_$][A-Za-z0-9_.$-]{0,99}|[0-9a-f]{32}")


EVERYBODY = "access to all"
"""The kind of an access by which anybody may have been seen, without each one being named."""

OF_ALL = frozenset(("sql.answered", "policy.looked"))
"""Such accesses, by what was done."""


class Deed(msgspec.Struct, frozen=True):
    """What was done, to the data of which people (ids of subjects), and to what (a name or an id)."""

    did: Word
    people: tuple[bytes, ...] = ()
    about: str = ""


class Notary(Protocol):
    """Writes deeds down."""

    async def note(self, by: str, deed: Deed) -> None:
        """Return once the audit has it, durably; raise StoreError if it has not."""
        ...


def named(text: str) -> str:
    """Return a name of something declared, or an id, as an entry may have it; "" for anything else, which could be a
    person's own words typed into the wrong place.

    >>> named("browse_reminder"), named("ada@example.com")
    ('browse_reminder', '')
    """
    return text if _NAME.fullmatch(text) else ""


def people_of(names: Iterable[str]) -> tuple[bytes, ...]:
    """Return ids of subjects, each once, from hex."""
    return tuple(dict.fromkeys(bytes.fromhex(name) for name in names))


def by_key(source: str) -> str:
    """Return how the audit names whoever has a key of a source."""
    return f"key:{source}"


def source_of(by: str) -> str:
    """Return the source of a key as the audit names whoever has it.

    >>> source_of("key:server")
    'server'
    """
    return by.removeprefix("key:")


def by_command(user: str) -> str:
    """Return how the audit names whoever runs a command as a user of the machine."""
    return f"command:{user}"


def by_session(id: str) -> str:
    """Return how the audit names whoever has a session of the console."""
    return f"session:{id}"


def by_user(id: str) -> str:
    """Return how the audit names whoever has logged in."""
    return f"{USER}{id}"
