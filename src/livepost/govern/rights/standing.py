"""How retention stands: what is kept how long, what went lately, what nobody reads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.control.retention import Run
from livepost.govern.policy.unread import Unread
from livepost.govern.rights.retention import Term


class RetentionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands; times are UTC ms.

    terms     how long each sealed field is kept; none without a policy
    log_days, mail_days   how long the log keeps events, and the ledger where mails went
    next_at   when the next run is due
    runs      the last runs, the newest first
    unread    personal fields that nothing read for `unread_days`
    """

    terms: Sequence[Term]
    log_days: int
    mail_days: int
    next_at: int
    runs: Sequence[Run]
    unread: Sequence[Unread]
    unread_days: int
