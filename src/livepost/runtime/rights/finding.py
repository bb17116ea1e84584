"""Personal data where none was declared: a pass over the newest records of the log.

In: a log, the project, the vault. Out: fields with what their values look like, how many, of how many. Promised: at
most RECORDS records are looked at, far from where they come in; no value leaves; a field that the policy calls personal
is not told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from livepost.control.retention import FoundPersonal
from livepost.errors import SealError
from livepost.govern.policy.personal import Seen, said_by
from livepost.intake.seal import UNDECLARED, open_value
from livepost.log.base import LogReader
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Record
from livepost.vault.base import Vault

RECORDS = 20_000
"""Newest records that are looked at."""

AT_ONCE = 1_000
FIELDS_MAX = 2_000
"""Fields that are told apart: a source may make up names without end."""


def find_personal(log: LogReader, vault: Vault, workspace: str, compiled: Compiled) -> list[FoundPersonal]:
    """Return what looks personal in fields that are open or that nobody declared, in alphabetical order."""
    classes = {event.name: event.cls for event in compiled.events}
    seen: dict[tuple[str, bool], Seen] = {}
    for record in _newest(log):
        event = classes.get(record.name, record.name)
        for declared, told in ((True, record.properties), (False, _undeclared(record, vault, workspace))):
            for path, value in _leaves(told, event):
                if (path, declared) in seen or len(seen) < FIELDS_MAX:
                    seen.setdefault((path, declared), Seen()).add(value)
    return [one for (path, declared), field in sorted(seen.items()) for one in _found(path, declared, field)]


def _found(path: str, declared: bool, field: Seen) -> Iterator[FoundPersonal]:
    told = {(kind, "value"): count for kind, count in field.found.items()}
    said = said_by(path.rpartition(".")[2])
    if said and field.values and (said, "value") not in told:
        told[said, "name"] = field.values
    for (kind, by), count in told.items():
        yield FoundPersonal(field=path, declared=declared, kind=kind, by=by, count=count, of=field.values)


def _newest(log: LogReader) -> Iterator[Record]:
    """Go through the newest records that are events."""
    after = max(log.last().seq - RECORDS, log.first() - 1)
    while blocks := log.read(after, AT_ONCE):
        for block in blocks:
            yield from (record for record in block.records() if record.kind is Kind.EVENT)
        after = blocks[-1].first + blocks[-1].count - 1


def _undeclared(record: Record, vault: Vault, workspace: str) -> Mapping[str, Any]:
    sealed = record.sealed_value(UNDECLARED)
    if sealed is not None:
        with contextlib.suppress(SealError):
            told = open_value(vault.keys(sealed.subject), workspace, sealed)
            return told if isinstance(told, dict) else {}
    return {}


def _leaves(told: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Yield values with their paths; items of lists have the list's."""
    for name, value in told.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.{name}")
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for one in value:
                yield from _leaves(one if isinstance(one, dict) else {}, f"{path}.{name}")
        else:
            yield f"{path}.{name}", value
