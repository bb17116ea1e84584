"""The audit: who saw and who changed what, of one person's data if asked; whether it is whole."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from livepost.audit.deed import Deed
from livepost.audit.verify import Verdict
from livepost.console.house import House
from livepost.console.page import Form, Page
from livepost.govern.access.permission import Permission
from livepost.ops.audit_trail import EntryLine

SHOWN = 100
EVERY_S = 5.0


class AuditAsked(msgspec.Struct, frozen=True):
    """`person`, a subject's id in hex: what is about one person alone."""

    person: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""


class AuditTold(msgspec.Struct, frozen=True):
    """What the form says: look through the whole chain."""

    act: Literal["verify"]


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `verdict` only when it was asked for."""

    entries: list[EntryLine]
    verdict: Verdict | None = None


def _audit(house: House, asked: AuditAsked) -> AuditView:
    return AuditView(entries=house.audit(bytes.fromhex(asked.person) or None, SHOWN))


def _verify(house: House, asked: AuditAsked, told: AuditTold) -> AuditView:
    return msgspec.structs.replace(_audit(house, asked), verdict=house.audit_verdict())


def _seen(asked: AuditAsked, view: AuditView) -> Deed:
    return Deed("audit.read", (bytes.fromhex(asked.person),) if asked.person else ())


AUDIT = Page(
    path="/audit",
    needs=Permission("read", "audit"),
    name="audit",
    title="Audit",
    asked=AuditAsked,
    show=_audit,
    sees=_seen,
    rail="system",
    every_s=EVERY_S,
    form=Form(
        told=AuditTold,
        needs={"verify": Permission("read", "audit")},
        does=lambda asked, told: Deed("audit.verify"),
        take=_verify,
    ),
)
