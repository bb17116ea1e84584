"""What every vendor does. Bodies: one file each; `VENDORS` in `every.py` has them all.

A talk with a vendor is a generator: it yields a request, is sent the answer, and returns what came of it. Nothing is
sent here, so a talk can be held with a recording. An answer that is neither 2xx nor among a request's `fine` ends the
talk; it is begun anew later, so all that is asked for may be asked for twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from livepost.fetch.fetcher import Answer, Method
from livepost.sync.card import Change, Ident

T = TypeVar("T")
Item = TypeVar("Item")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; `fine` are statuses beside 2xx that the talk goes on with."""

    method: Method
    path: str
    body: bytes = b""
    fine: frozenset[int] = frozenset()


Talk: TypeAlias = Generator[Request, Answer, T]


class Job(msgspec.Struct, frozen=True):
    """What the vendor does later, by its id for it, and which changes of the batch are in it."""

    id: str
    places: tuple[int, ...]


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch: which of its changes were refused, by place and with words without personal values."""

    refused: Mapping[int, str] = {}
    jobs: Sequence[Job] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a vendor, as the settings have it; `key` is open."""

    url: str
    key: str
    account: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor takes: people a batch, bytes a request, requests a second in the long run and at once."""

    people: int
    bytes: int
    per_s: float
    burst: int


class Vendor(Protocol):
    """The whole contract."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    @property
    def limits(self) -> Limits:
        """What it takes."""
        ...

    @property
    def contract_checked(self) -> bool:
        """Whether the requests are checked against the vendor's own contract."""
        ...

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        ...

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Tell it a batch, of at most `limits.people`."""
        ...

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Ask what became of a job with these people: who was refused, by place and why; None while it works."""
        ...

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask how many people are in one of its lists; None where it does not tell."""
        ...


def told(answer: Answer) -> dict[str, Any]:
    """Return an answer's JSON object; an empty one for anything else."""
    try:
        found = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def rows(found: Any) -> list[dict[str, Any]]:
    """Return the objects of what should be a list of them; none for anything else."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def words(*parts: Any) -> str:
    """Return codes of an answer as words; its free text may name people, so none of it is taken.

    >>> words("ERR_1", None, "ada@example.com was not found")
    'ERR_1'
    """
    codes = [str(part) for part in parts if part is not None]
    return " ".join(code for code in codes if len(code) <= 64 and not {*code} & {*" @"}) or "it was refused"


def numbered(changes: Sequence[Change], chosen: Callable[[Change], bool]) -> list[tuple[int, Change]]:
    """Return the changes that are chosen, with their places."""
    return [(place, change) for place, change in enumerate(changes) if chosen(change)]


def grouped(items: Iterable[Item], key: Callable[[Item], Any]) -> dict[Any, list[Item]]:
    """Return items by a key, in the order of their first."""
    groups: dict[Any, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def parts(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Return items in parts of at most so many."""
    return [items[start : start + most] for start in range(0, len(items), most)]


def post(path: str, body: Any, *, method: Method = "POST", fine: frozenset[int] = frozenset()) -> Request:
    """Return a request with a body in JSON."""
    return Request(method=method, path=path, body=msgspec.json.encode(body), fine=fine)


def removals(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Return by list who is to go from it."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        for name in () if change.delete else change.remove:
            found.setdefault(name, []).append(change)
    return found
