"""What a person asks for by right, as somebody enters it."""

from __future__ import annotations

import msgspec

from livepost.control.requests import Regulation, RequestKind, Way
from livepost.ledger.base import EVERY_PURPOSE


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, how it came, and who enters it, as the audit names them.

    verified   how it was made sure that the person asks
    purpose    what an objection is about; EVERY_PURPOSE for all direct marketing
    outside    its id there, "" without one: what came under it before is not entered again
    """

    kind: RequestKind
    regulation: Regulation
    way: Way
    verified: str
    by: str
    purpose: str = EVERY_PURPOSE
    outside: str = ""
