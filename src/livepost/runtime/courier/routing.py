"""What the ledger is told of the senders that a workspace's settings name.

In: settings. Out: their tables, the routing. Promised: no secret is read.
"""

from __future__ import annotations

from livepost.ledger.routing import Pace, Routing, SenderRule, WarmUp
from livepost.settings.sender import SenderTable, read_pace, read_warm_up
from livepost.settings.settings import Settings

ONLY = "mail"
"""The name of the sender that the setting `mail` names."""


def tables_of(settings: Settings) -> list[SenderTable]:
    """Return the senders; `mail` alone is one of the name ONLY."""
    return settings.senders or [SenderTable(name=ONLY, mail=settings.mail, mail_password=settings.mail_password)]


def routing_of(settings: Settings) -> Routing:
    """Return what the ledger is told of the senders."""
    return Routing(
        senders=tuple(_rule(table) for table in tables_of(settings)),
        domains={domain: Pace(*read_pace(told, "domain_pace")) for domain, told in settings.domain_pace.items()},
    )


def _rule(table: SenderTable) -> SenderRule:
    return SenderRule(
        name=table.name,
        pace=Pace(*read_pace(table.pace, "senders")) if table.pace else None,
        warm_up=_warm_up(table.warm_up) if table.warm_up else None,
    )


def _warm_up(told: str) -> WarmUp:
    begins, first, factor, until = read_warm_up(told, "senders")
    return WarmUp(begins=begins, first=first, factor=factor, until=until)
