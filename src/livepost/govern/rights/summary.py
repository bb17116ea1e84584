"""What is held on a person, in a page: per kind of data what, why, since when, until when, from where.

In: things held, what `policy.toml` promises. Out: a line a kind. Promised: each thing is counted in one line; what is
computed is held for what all it is made of may be used for; where nobody said why something is held, the line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from livepost.govern.rights.store import Held
from livepost.model.compiled import Compiled
from livepost.project.purposes import Purposes
from livepost.settings.policy import Policy

NOT_SAID = "not said"


class HeldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of data: how many things, of which store, for what, from when to when (ms; 0: no time), from whom, how
    long it is kept.
    """

    what: str
    store: str
    count: int
    purposes: tuple[str, ...]
    since: int
    newest: int
    sources: tuple[str, ...]
    kept: str


def summarise(
    held: Iterable[Held], compiled: Compiled, policy: Policy | None, kept: Mapping[str, str]
) -> list[HeldLine]:
    """Return a line a kind, in the order they come; `kept` says by store how long it keeps what it has."""
    classes = {event.name: event.cls for event in compiled.events}
    travelling = None if policy is None else Purposes(compiled, policy)
    lines: dict[tuple[str, str], HeldLine] = {}
    for one in held:
        what = _what(one)
        line = lines.get((one.store, what)) or HeldLine(
            what=what,
            store=one.store,
            count=0,
            purposes=(),
            since=one.at,
            newest=one.at,
            sources=(),
            kept=kept.get(one.store, ""),
        )
        lines[one.store, what] = msgspec.structs.replace(
            line,
            count=line.count + 1,
            purposes=_with(line.purposes, _purposes(one, classes, policy, travelling)),
            since=min(line.since, one.at) if one.at else line.since,
            newest=max(line.newest, one.at),
            sources=_with(line.sources, [source] if (source := _source(one)) else []),
        )
    return [line if line.purposes else msgspec.structs.replace(line, purposes=(NOT_SAID,)) for line in lines.values()]


def _what(one: Held) -> str:
    name = one.values.get("name") or one.values.get("feature") or one.values.get("segment")
    return f"{one.what}: {name}" if name else one.what


def _purposes(one: Held, classes: Mapping[str, str], policy: Policy | None, travelling: Purposes | None) -> list[str]:
    decision = one.values.get("decision")
    told = one.values.get("purpose") or (decision.get("purpose") if isinstance(decision, dict) else "")
    if told:
        return [str(told)]
    if policy is None or travelling is None:
        return []
    computed = one.values.get("feature") or one.values.get("segment")
    if computed and one.what in ("feature", "segment"):
        return sorted(travelling.of(travelling.feature(computed)))
    if one.store != "log":
        return []
    cls = classes.get(one.values.get("name", ""), "")
    event = policy.events.get(cls)
    found = list(event.purposes) if event else []
    for field in one.values.get("personal", {}):
        found += policy.of_field(f"{cls}.{field}").purposes
    return found


def _source(one: Held) -> str:
    source: Any = one.values.get("source") or one.values.get("by") or one.values.get("provider") or ""
    return str(source)


def _with(before: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *more]))
