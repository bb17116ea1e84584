"""Who saw and changed what, over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.audit.deed import Deed
from livepost.govern.access.permission import Permission
from livepost.ops.audit_trail import EntryLine

LIMIT_MAX = 1_000


class AuditAsked(msgspec.Struct, frozen=True):
    """How many entries, the newest first; `person`, a subject's id in hex, for those about one person alone."""

    person: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = 100


class AuditAnswer(msgspec.Struct, frozen=True):
    """Entries, the newest first."""

    entries: list[EntryLine]


def _audit(house: House, asked: AuditAsked) -> AuditAnswer:
    return AuditAnswer(house.audit(bytes.fromhex(asked.person) or None, asked.limit))


def _shown(asked: AuditAsked, answer: AuditAnswer) -> Deed:
    return Deed("audit.read", (bytes.fromhex(asked.person),) if asked.person else ())


AUDIT = Operation(
    path="/api/audit",
    needs=Permission("read", "audit"),
    name="audit",
    summary="Who saw and who changed what, the newest first",
    asked=AuditAsked,
    answers=AuditAnswer,
    run=_audit,
    shows=_shown,
)
