from __future__ import annotations

from livepost.clock import DAY_MS
from livepost.govern.rights.keeping import TRANSITIONS_DAYS, Keeping
from livepost.govern.rights.retention import Term, Terms
from livepost.govern.rights.store import Held
from livepost.runtime.engine.worker import TRANSITIONS_KEPT_MS

SHORT = Term(field="Identified.email", purposes=("shop",), days=30)
LONG = Term(field="Identified.name", purposes=("shop",), days=900)
TERMS = Terms({("$identify", "email"): SHORT, ("$identify", "name"): LONG}, None, None)
KEEPING = Keeping(log_days=400, mail_days=60, terms=TERMS)


def held(store: str, what: str, at: int = 7, **values: int) -> Held:
    return Held(store=store, what=what, at=at, values=values)


def test_what_goes_by_age_has_its_day() -> None:
    assert KEEPING.until(held("log", "event")) == 7 + 400 * DAY_MS
    assert KEEPING.until(held("mailbox", "mail")) == 7 + 60 * DAY_MS
    assert KEEPING.until(held("webhooks.db", "dead message")) == 7 + 60 * DAY_MS
    assert KEEPING.until(held("ledger.db", "heard")) == 7 + 60 * DAY_MS
    assert KEEPING.until(held("state.db", "transition")) == 7 + TRANSITIONS_DAYS * DAY_MS
    assert KEEPING.until(held("ledger.db", "confirmations", expires_at=99)) == 99


def test_what_no_time_ends_and_what_has_no_time_has_none() -> None:
    assert KEEPING.until(held("ledger.db", "proofs")) == 0
    assert KEEPING.until(held("state.db", "feature")) == 0
    assert KEEPING.until(held("log", "event", at=0)) == 0


def test_a_sealed_value_goes_by_its_promise_and_with_the_log_at_the_latest() -> None:
    assert KEEPING.of_seal("$identify", "email", 7) == (SHORT, 7 + 30 * DAY_MS)
    assert KEEPING.of_seal("$identify", "name", 7) == (LONG, 7 + 400 * DAY_MS)
    assert KEEPING.of_seal("$identify", "other", 7) == (None, 7 + 400 * DAY_MS)


def test_transitions_are_kept_as_long_as_the_engine_keeps_them() -> None:
    assert TRANSITIONS_DAYS * DAY_MS == TRANSITIONS_KEPT_MS
