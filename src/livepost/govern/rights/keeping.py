"""Until when a thing that is held is kept: a date where a promise or a setting gives one, else what ends it.

In: things held, terms of `policy.toml`, settings. Out: a time (ms), 0 where none ends it. Promised: never later than
what takes it out, but for the run of the day behind it; what is kept for as long as somebody is known has no date.
"""

from __future__ import annotations

import msgspec

from livepost.clock import DAY_MS
from livepost.govern.rights.retention import Term, Terms
from livepost.govern.rights.store import Held

TRANSITIONS_DAYS = 90
"""How long the engine keeps transitions (`engine.worker.TRANSITIONS_KEPT_MS`; a test holds them equal)."""

AGED = frozenset(("heard", "soft_bounces"))
"""Tables of the ledger whose rows go after `mail_days`."""


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept: `log_days` by whole segments, `mail_days` for where mails went, `terms` of fields."""

    log_days: int
    mail_days: int
    terms: Terms | None = None

    def until(self, one: Held) -> int:
        """Return when a thing goes (ms), 0 where no time ends it."""
        if not one.at:
            return 0
        if one.store == "log":
            return one.at + self.log_days * DAY_MS
        if one.what == "transition":
            return one.at + TRANSITIONS_DAYS * DAY_MS
        if one.store == "mailbox" or one.what in AGED or one.what == "dead message":
            return one.at + self.mail_days * DAY_MS
        return int(one.values.get("expires_at", 0)) if one.what == "confirmations" else 0

    def of_seal(self, event: str, seal: str, at: int) -> tuple[Term | None, int]:
        """Return the term that a sealed value is under, and when it goes (ms)."""
        term = self.terms.of(event, seal) if self.terms else None
        return term, at + min(self.log_days, term.days if term else self.log_days) * DAY_MS
