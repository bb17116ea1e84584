"""What people ask for by right, from the day it came in to its answer: access, erasure, rectification and the others.

In: requests, steps. Out: the same, and callbacks that are due. Promised: a request that came under an outside id is
there once; it goes from state to state as MOVES allow; each step stays, with who took it; no address is kept, people
are named by the ids of their subjects, and what came in whole is sealed by who brings it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from livepost.control.sqlite import ControlStore
from livepost.errors import StoreError

RequestKind: TypeAlias = Literal[
    "access", "portability", "erasure", "rectification", "restriction", "objection", "opt_out_of_sale"
]
Regulation: TypeAlias = Literal["gdpr", "ccpa"]
Way: TypeAlias = Literal["cli", "api", "opendsr", "console", "mail"]
RequestState: TypeAlias = Literal["pending", "in_progress", "completed", "cancelled"]

MOVES: dict[RequestState, tuple[RequestState, ...]] = {
    "pending": ("in_progress", "completed", "cancelled"),
    "in_progress": ("completed", "pending"),
    "completed": (),
    "cancelled": (),
}
"""From which state to which: what is under way is not cancelled, it may fail and wait again."""

LISTED_MAX = 1_000
CALLBACKS_AT_ONCE = 20


class RightsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request; times are the host's ms, 0 where that has not happened.

    way        how it came in; `outside` is its id there, "" without one
    subjects   whose it is: all ids of the person's subjects when it came, none where nobody was known
    verified   how it was made sure that the person asked
    extended   why its time was extended, "" if it was not
    answer     what was answered, in a sentence without personal values; `results` how much was found
    entered_by   who entered it, as the audit names them
    body       what came in, sealed, b"" where nothing is kept
    """

    id: str
    kind: RequestKind
    regulation: Regulation
    way: Way
    outside: str = ""
    subjects: tuple[bytes, ...]
    submitted_at: int
    received_at: int
    due_at: int
    extended: str = ""
    verified: str
    state: RequestState = "pending"
    answered_at: int = 0
    answer: str = ""
    results: int = 0
    entered_by: str
    body: bytes = b""

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state in ("pending", "in_progress")


class RequestStep(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done about a request: when, by whom, the state it led to, in a sentence what."""

    at: int
    who: str
    state: RequestState
    told: str


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A state that a URL has to be told; `tries` so far."""

    number: int
    request: str
    url: str
    state: RequestState
    tries: int
    next_at: int
    done_at: int = 0
    error: str = ""


class RequestStory(msgspec.Struct, frozen=True, kw_only=True):
    """A request, what was done about it, whom it was told, and the ids of erasures that took people out of it."""

    request: RightsRequest
    steps: Sequence[RequestStep]
    callbacks: Sequence[Callback]
    receipts: Sequence[str] = ()


class Requests:
    """The requests of a workspace."""

    def __init__(self, store: ControlStore) -> None:
        """Take the control tables."""
        self._store = store

    def enter(self, request: RightsRequest, told: str = "", urls: Sequence[str] = ()) -> RightsRequest:
        """Enter a request; return it, or the one that came under its outside id before."""
        with self._store.transaction():
            known = self._by_outside(request.outside) if request.outside else None
            if known is not None:
                return known
            row = [_column(value) for value in msgspec.structs.astuple(request)]
            self._store.write(f"INSERT INTO requests ({_COLUMNS}) VALUES ({_marks(row)})", row)
            for url in urls:
                self._store.write("INSERT INTO request_urls VALUES (?,?) ON CONFLICT DO NOTHING", (request.id, url))
            self._step(request.id, request.received_at, request.entered_by, request.state, told or "it came in")
        return request

    def move(self, id_: str, state: RequestState, *, now_ms: int, by: str, told: str, results: int = 0) -> bool:
        """Bring a request to another state; say whether it was brought there, as MOVES allow, and not before.

        An answer (`completed`, `cancelled`) is `told`; URLs that follow the request are called back.
        """
        with self._store.transaction():
            one = self._one(id_)
            if one is None or state not in MOVES[one.state]:
                return False
            final = not MOVES[state]
            self._store.write(
                "UPDATE requests SET state = ?, answered_at = ?, answer = ?, results = ? WHERE id = ?",
                (state, now_ms if final else 0, told if final else "", results, id_),
            )
            self._step(id_, now_ms, by, state, told)
            self._store.write(
                "INSERT INTO request_callbacks (request, url, state, tries, next_at, done_at, error)"
                " SELECT request, url, ?, 0, ?, 0, '' FROM request_urls WHERE request = ?",
                (state, now_ms, id_),
            )
        return True

    def extend(self, id_: str, due_at: int, *, why: str, now_ms: int, by: str) -> bool:
        """Extend the time of an open request, once, with the reason; say whether it was extended."""
        with self._store.transaction():
            one = self._one(id_)
            if one is None or not one.is_open or one.extended:
                return False
            self._store.write("UPDATE requests SET due_at = ?, extended = ? WHERE id = ?", (due_at, why, id_))
            self._step(id_, now_ms, by, one.state, f"its time was extended: {why}")
        return True

    def get(self, id_: str) -> RightsRequest | None:
        """Return a request, None if there is none."""
        return self._one(id_)

    def story(self, id_: str) -> RequestStory | None:
        """Return a request with what was done about it, None if there is none."""
        one = self._one(id_)
        if one is None:
            return None
        return RequestStory(
            request=one, steps=self.steps(id_), callbacks=self.callbacks_of(id_), receipts=self.receipts_of(id_)
        )

    def by_outside(self, outside: str) -> RightsRequest | None:
        """Return the request that came under an outside id, None if none did."""
        return self._by_outside(outside)

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[RightsRequest]:
        """Return requests: the open ones as they fall due, then the others, newest first."""
        where = f"WHERE {_OPEN}" if open_only else ""
        found = self._store.read(
            f"SELECT {_COLUMNS} FROM requests {where} ORDER BY {_OPEN} DESC,"
            f" CASE WHEN {_OPEN} THEN due_at ELSE -received_at END LIMIT ?",
            (min(limit, LISTED_MAX),),
        )
        return [_request(row) for row in found]

    def of_person(self, subjects: Sequence[bytes]) -> list[RightsRequest]:
        """Return all requests of a person, by any of their subjects, oldest first."""
        wanted = sorted({subject.hex() for subject in subjects})
        found = self._store.read(
            f"SELECT {_COLUMNS} FROM requests WHERE EXISTS (SELECT 1 FROM json_each(requests.subjects) AS one"
            f" WHERE one.value IN ({_marks(wanted)})) ORDER BY received_at, id",
            wanted,
        )
        return [_request(row) for row in found]

    def receipts_of(self, id_: str) -> list[str]:
        """Return the ids of the erasures that took somebody out of a request."""
        found = self._store.read("SELECT receipt FROM request_receipts WHERE request = ? ORDER BY receipt", [id_])
        return [receipt for (receipt,) in found]

    def steps(self, id_: str) -> list[RequestStep]:
        """Return what was done about a request, oldest first."""
        found = self._store.read(
            "SELECT at, who, state, told FROM request_steps WHERE request = ? ORDER BY number", [id_]
        )
        return [RequestStep(at=at, who=who, state=state, told=told) for at, who, state, told in found]

    def standing(self, now_ms: int, soon_ms: int) -> dict[str, int]:
        """Return how many requests are open, of these due within `soon_ms`, and overdue."""
        [(open_, soon, overdue)] = self._store.read(
            f"SELECT count(*), count(*) FILTER (WHERE due_at > ? AND due_at <= ?), count(*) FILTER (WHERE due_at <= ?)"
            f" FROM requests WHERE {_OPEN}",
            (now_ms, now_ms + soon_ms, now_ms),
        )
        return {"open": open_, "due_soon": soon, "overdue": overdue}

    def waiting(self, kinds: Sequence[RequestKind], way: Way, before_ms: int, limit: int = 10) -> list[RightsRequest]:
        """Return open requests of kinds and a way that came in before a time, the oldest first."""
        found = self._store.read(
            f"SELECT {_COLUMNS} FROM requests WHERE {_OPEN} AND way = ? AND received_at <= ?"
            f" AND kind IN ({_marks(kinds)}) ORDER BY received_at LIMIT ?",
            (way, before_ms, *kinds, limit),
        )
        return [_request(row) for row in found]

    def callbacks(self, now_ms: int) -> list[Callback]:
        """Return callbacks that are due, the oldest first: of a URL and request only the first that waits."""
        found = self._store.read(
            "SELECT number, request, url, state, tries, next_at FROM request_callbacks WHERE done_at = 0"
            " AND next_at <= ? AND NOT EXISTS (SELECT 1 FROM request_callbacks AS first WHERE first.done_at = 0"
            " AND first.request = request_callbacks.request AND first.url = request_callbacks.url"
            " AND first.number < request_callbacks.number) ORDER BY number LIMIT ?",
            (now_ms, CALLBACKS_AT_ONCE),
        )
        return [
            Callback(number=number, request=request, url=url, state=state, tries=tries, next_at=next_at)
            for number, request, url, state, tries, next_at in found
        ]

    def called(self, callback: Callback, *, now_ms: int, error: str, again_at: int) -> None:
        """Note a try to call back: it was taken (`error` ""), it is tried again, or given up (`again_at` 0)."""
        over = not error or not again_at
        with self._store.transaction():
            self._store.write(
                "UPDATE request_callbacks SET tries = tries + 1, error = ?, next_at = ?, done_at = ? WHERE number = ?",
                (error, again_at, now_ms if over else 0, callback.number),
            )

    def callbacks_of(self, id_: str) -> list[Callback]:
        """Return all callbacks of a request, oldest first."""
        found = self._store.read(
            "SELECT number, request, url, state, tries, next_at, done_at, error FROM request_callbacks"
            " WHERE request = ? ORDER BY number",
            (id_,),
        )
        names = Callback.__struct_fields__
        return [Callback(**dict(zip(names, row, strict=True))) for row in found]

    def _step(self, id_: str, at: int, by: str, state: RequestState, told: str) -> None:
        columns = "request, at, who, state, told"
        self._store.write(f"INSERT INTO request_steps ({columns}) VALUES (?,?,?,?,?)", (id_, at, by, state, told))

    def _one(self, id_: str) -> RightsRequest | None:
        found = self._store.read(f"SELECT {_COLUMNS} FROM requests WHERE id = ?", (id_,))
        return _request(found[0]) if found else None

    def _by_outside(self, outside: str) -> RightsRequest | None:
        found = self._store.read(f"SELECT {_COLUMNS} FROM requests WHERE outside = ?", (outside,))
        return _request(found[0]) if found else None


def forget(store: ControlStore, subjects: Sequence[bytes], receipt: str) -> int:
    """Take a person out of all requests inside a transaction; return of how many.

    That there was a request, when, by which law and what was answered stays as proof, with the receipt's id in the
    place of whose it was.
    """
    marks = _marks(subjects)
    gone = [subject.hex() for subject in subjects]
    theirs = f"SELECT 1 FROM json_each(requests.subjects) AS one WHERE one.value IN ({marks})"
    store.write(
        f"INSERT INTO request_receipts SELECT id, ? FROM requests WHERE EXISTS ({theirs}) ON CONFLICT DO NOTHING",
        (receipt, *gone),
    )
    return store.write(
        "UPDATE requests SET body = x'', subjects = (SELECT json_group_array(one.value)"
        f" FROM json_each(requests.subjects) AS one WHERE one.value NOT IN ({marks})) WHERE EXISTS ({theirs})",
        (*gone, *gone),
    )


_COLUMNS = ", ".join(RightsRequest.__struct_fields__)
_OPEN = "(state IN ('pending', 'in_progress'))"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _column(value: Any) -> Any:
    return json.dumps([one.hex() for one in value]) if isinstance(value, tuple) else value


def _request(row: Sequence[Any]) -> RightsRequest:
    told = dict(zip(RightsRequest.__struct_fields__, row, strict=True))
    try:
        told["subjects"] = tuple(bytes.fromhex(one) for one in json.loads(told["subjects"]))
        return RightsRequest(**told)
    except (ValueError, TypeError) as error:
        raise StoreError(f"a rights request cannot be read ({error}); restore control.db from its backup") from None
