"""What is held on a person, in a page: per kind of data what, why, since when, until when, from where.

In: things held, what `policy.toml` promises. Out: a line a kind, and a line a personal field. Promised: each thing is
counted in one line of its kind, and each of its personal values in one of its field; what is computed is held for what
all it is made of may be used for; what the house itself needs says for what; where nobody said why, the line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from livepost.audit.deed import EVERYBODY
from livepost.govern.rights.keeping import Keeping
from livepost.govern.rights.store import Held
from livepost.intake.seal import CALL, CONTEXT, UNDECLARED
from livepost.model.compiled import Compiled
from livepost.project.purposes import BUILT_IN, Purposes
from livepost.settings.policy import Policy

NOT_SAID = "not said"
"""Nobody said for what something may be used."""

NONE_REACHES = "nothing: its parts have no purpose in common"
"""What is computed of things that are held for different purposes."""

OWN: Mapping[str, str] = {
    "persons": "to know who is one person",
    "orders": "to measure what mails earn",
    "proofs": "proof of what was allowed",
    "consents": "to do what was allowed",
    "withdrawals": "to do what was allowed",
    "consent_events": "proof of what was allowed",
    "confirmations": "to ask for a yes",
    "limits": "to hold what was asked for by right",
    "suppressions": "to mail nobody who must not be",
    "lifts": "to mail nobody who must not be",
    "soft_bounces": "to mail nobody who must not be",
    "heard": "to count what is told twice once",
    "request": "proof that requests were answered",
    "approval": "proof of who approved what",
    "access": "to answer for who saw it",
    EVERYBODY: "to answer for who saw it",
    "listened": "to answer for who saw it",
    "told": "to answer for where it went",
    "identity": "to know who is one person",
    "consent": "to do what was allowed",
    "dead letter": "to mend what came in broken",
    "divergence": "to find what was decided twice",
}
"""For what the house needs what no purpose of a shop is about, by the kind of thing."""

IDS = {"user": "user_id", "anonymous": "anonymous_id", "email": "Identified.email"}
"""The policy's names of ids, by the vault's kinds."""


class HeldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of data: how many things, of which store, for what, from when to when (ms; 0: no time), from whom, how
    long it is kept.

    goes    when the oldest of it goes, and the newest (ms; 0: no time ends it); `kept` says what does
    """

    what: str
    store: str
    count: int
    purposes: tuple[str, ...]
    since: int
    newest: int
    sources: tuple[str, ...]
    kept: str
    goes: tuple[int, int] = (0, 0)


class Summary:
    """Collects lines, of all that is held of a person."""

    def __init__(self, compiled: Compiled, policy: Policy | None, kept: Mapping[str, str], keeping: Keeping) -> None:
        """Take what is promised; `kept` says by store how long it keeps what it has."""
        self._classes = {event.name: event.cls for event in compiled.events}
        self._policy = policy
        self._travelling = None if policy is None else Purposes(compiled, policy)
        self._kept = kept
        self._keeping = keeping
        self._lines: dict[tuple[str, str], HeldLine] = {}
        self._mails: dict[str, str] = {}

    def add(self, one: Held) -> None:
        """Count one thing."""
        source = _source(one)
        self._count(one.store, _what(one), one.at, self._purposes(one), source, self._keeping.until(one))
        if one.store == "log":
            for seal, field in self._fields(one):
                _, goes = self._keeping.of_seal(one.values.get("name", ""), seal, one.at)
                self._count("log", f"field: {field}", one.at, self._of_field(field), source, goes)

    def lines(self) -> list[HeldLine]:
        """Return a line a kind, in the order they came."""
        told = self._lines.values()
        return [line if line.purposes else msgspec.structs.replace(line, purposes=(NOT_SAID,)) for line in told]

    def held(self) -> Iterator[Held]:
        """Go through the lines as an export has them."""
        for one in self.lines():
            yield Held(store="kept", what="kind", at=one.newest, values=msgspec.to_builtins(one))

    def _count(self, store: str, what: str, at: int, purposes: Iterable[str], source: str, goes: int) -> None:
        line = self._lines.get((store, what)) or HeldLine(
            what=what,
            store=store,
            count=0,
            purposes=(),
            since=at,
            newest=at,
            sources=(),
            kept=self._kept.get(store, ""),
            goes=(goes, goes),
        )
        self._lines[store, what] = msgspec.structs.replace(
            line,
            count=line.count + 1,
            purposes=_with(line.purposes, purposes),
            since=min(line.since, at) if at and line.since else at or line.since,
            newest=max(line.newest, at),
            sources=_with(line.sources, [source] if source else []),
            goes=(min(line.goes[0], goes), max(line.goes[1], goes)),
        )

    def _purposes(self, one: Held) -> Iterable[str]:
        said = self._said(one) or OWN.get(one.what, "")
        if said:
            return [said]
        return self._promised(one, self._travelling) if self._travelling is not None else []

    def _promised(self, one: Held, travelling: Purposes) -> Iterable[str]:
        """Return for what a thing may be used by the policy."""
        computed = one.values.get("feature") or one.values.get("segment")
        if computed:
            return self._of_computed(travelling.feature(computed), travelling)
        if one.store == "vault.db":
            return self._of_field(IDS.get(one.values.get("kind", ""), "user_id"))
        if one.store != "log":
            return []
        if one.what != "event":
            return ["to know who is one person"]
        return [*self._of_event(one), *(name for _, field in self._fields(one) for name in self._of_field(field))]

    def _of_computed(self, name: str, travelling: Purposes) -> Sequence[str]:
        found = sorted(travelling.of(name))
        unsaid = any(not travelling.of(leaf) for leaf in travelling.leaves(name))
        return found or ([] if unsaid else [NONE_REACHES])

    def _of_event(self, one: Held) -> Iterable[str]:
        return self._policy.of_event(self._class(one.values.get("name", ""))) if self._policy else ()

    def _said(self, one: Held) -> str:
        """Return what a thing itself says that it is for, a mail's where it is about a mail."""
        decision = one.values.get("decision")
        if isinstance(decision, dict):
            self._mails[one.values.get("id", "")] = str(decision.get("purpose", ""))
            return str(decision.get("purpose", ""))
        if isinstance(decision, str) and decision in self._mails:
            return self._mails[decision]
        return "" if one.what in OWN else str(one.values.get("purpose", ""))

    def _fields(self, one: Held) -> Iterator[tuple[str, str]]:
        """Yield the seals of a record with the policy's names of their fields."""
        event = one.values.get("name", "")
        for seal in (*one.values.get("personal", ()), *one.values.get("unopened", ())):
            if seal in (UNDECLARED, CALL):
                yield seal, "undeclared"
            elif seal == CONTEXT:
                yield from ((seal, name) for name in ("ip", "user_agent", "undeclared"))
            elif self._travelling is not None and (event, seal) in self._travelling.seals:
                yield seal, self._travelling.seals[event, seal]
            else:
                yield seal, f"{self._class(event)}.{seal}"

    def _class(self, event: str) -> str:
        return self._classes.get(event) or BUILT_IN.get(event, event)

    def _of_field(self, field: str) -> Iterable[str]:
        return self._policy.of_field(field).purposes if self._policy else ()


def summarise(
    held: Iterable[Held], compiled: Compiled, policy: Policy | None, kept: Mapping[str, str], keeping: Keeping
) -> list[HeldLine]:
    """Return a line a kind, in the order they come; `kept` says by store how long it keeps what it has."""
    summary = Summary(compiled, policy, kept, keeping)
    for one in held:
        summary.add(one)
    return summary.lines()


def _what(one: Held) -> str:
    name = one.values.get("name") or one.values.get("feature") or one.values.get("segment")
    return f"{one.what}: {name}" if name else one.what


def _source(one: Held) -> str:
    source: Any = one.values.get("source") or one.values.get("by") or one.values.get("provider") or ""
    return str(source)


def _with(before: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *more]))
