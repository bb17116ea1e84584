"""How the senders stand, over HTTP."""

from __future__ import annotations

import msgspec

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.govern.access.permission import Permission
from livepost.ledger.base import SenderStanding


class ProvidersAsked(msgspec.Struct, frozen=True):
    """Nothing."""


class ProvidersAnswer(msgspec.Struct, frozen=True):
    """Every sender, the preferred one first."""

    providers: list[SenderStanding]


def _providers(house: House, asked: ProvidersAsked) -> ProvidersAnswer:
    return ProvidersAnswer(house.senders())


PROVIDERS = Operation(
    path="/api/providers",
    needs=Permission("read", "house"),
    name="providers",
    summary="How each sender stands: breaker, errors, pace, warm-up",
    asked=ProvidersAsked,
    answers=ProvidersAnswer,
    run=_providers,
    shows=None,
)
