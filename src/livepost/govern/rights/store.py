"""A store's registration: what it holds of a person, and who answers for that.

In: what the store's own room knows. Out: one declaration that erasure, export, retention and the byte-scan go by.
Promised: none of its parts can be left out; a store that has nothing to give or to erase says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

R = TypeVar("R")
"""What stores are reached with: the runtime's to say."""


KEPT_OTHERWISE = ("itself", "person", "good")
"""Who else may see to how long something is kept: the store drops what is too old as it goes on; it has to be known as
long as the person is, and goes with them; it is proof, and stays.
"""

SIDES = ("", "-wal", "-shm", "-journal", ".lock")
"""What lies beside a store's file."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a store holds of a person, opened: `what` it is (an event, a delivery), `at` ms, 0 for none.

    `values` are plain JSON values: ids in hex, personal values opened.
    """

    store: str
    what: str
    at: int
    values: dict[str, Any]


Gives: TypeAlias = Callable[[R, Sequence[bytes]], Iterator[Held]]
"""Goes through what a store holds of a person, by all of their subjects."""

Decodes: TypeAlias = Callable[[R], Iterator[bytes]]
"""Goes through all that a store holds, as its own reader gives it to one who has the vault: seals opened."""


@dataclass(frozen=True, kw_only=True)
class DataStore(Generic[R]):
    """A store of the data folder.

    name      a file in the folder (with what SQLite keeps beside it) or a folder in it
    purpose   what it is for, for its owner's eyes
    beside    patterns of further files that are this store's
    holds     what it holds of a person
    erased_by the step of an erasure that takes a person out of it ("" where it holds nothing of anybody)
    erased    how: what is deleted, what is left, and why that belongs to nobody
    kept      how long what is in it stays, and by what that is said
    kept_by   who sees to that: a step of retention, or one of KEPT_OTHERWISE ("" where it holds nothing of anybody)
    gives     what an export has of it; None where nothing, and `instead` says why
    decodes   what the byte-scan looks through, besides the files' bytes
    """

    name: str
    purpose: str
    holds: str
    erased_by: str
    erased: str
    kept: str
    kept_by: str
    decodes: Decodes[R]
    gives: Gives[R] | None = None
    instead: str = ""
    beside: tuple[str, ...] = ()

    def claims(self, name: str) -> bool:
        """Say whether a file or folder in the data folder is this store's."""
        if name in [self.name + side for side in SIDES]:
            return True
        return any(PurePath(name).match(pattern) for pattern in self.beside)
