"""Signals of browsers about consent: Global Privacy Control and TC strings, as keys beside what was said.

In: a call's context, and whether its request said `Sec-GPC: 1`. Out: words under keys of `livepost.model.consent`,
which the engine folds so that only the first of each counts. Promised: a signal that cannot be read allows nothing and
fails
no call; what it said stays sealed with the rest of the context.

Sources: W3C, "Global Privacy Control" (Sec-GPC, navigator.globalPrivacyControl); 11 CCR 7025 (California).
"""

from __future__ import annotations

from typing import Any

from livepost.ids import digest
from livepost.intake.tcf import read_tc_string
from livepost.model.consent import GPC, TCF, SignalRules

UNREAD = "tcf_unread"
"""Where the open context says why a TC string was not read."""

_NAMES = ("tcf", "tcString")


def signals_in(told: dict[str, Any], rules: SignalRules, *, gpc: bool) -> tuple[dict[str, bool], str]:
    """Return what the signals of a call's context say, by key, and why its TC string was not read ("": it was)."""
    said = dict.fromkeys((GPC + purpose for purpose in rules.sale), False) if gpc or _has_gpc(told) else {}
    text = _tc_string(told) if rules.tcf else None
    if text is None:
        return said, ""
    try:
        read = read_tc_string(text) if isinstance(text, str) else None
        if read is None:
            return said, "expected a string, got another value"
    except ValueError as error:
        return said, str(error)
    name = f"{TCF}{digest('tcf', text, size=8).hex()}:"
    words = {name + rule.purpose: read.allows(rule.numbers, by_interest=rule.by_interest) for rule in rules.tcf}
    return {**said, **words}, ""


def _has_gpc(told: dict[str, Any]) -> bool:
    return told.get("globalPrivacyControl") is True


def _tc_string(told: dict[str, Any]) -> Any:
    """Return a context's TC string, None if it has none: `consent.tcf`, `consent.tcString` or `tcString`."""
    consent = told.get("consent")
    for where in (consent if isinstance(consent, dict) else {}, told):
        for name in _NAMES:
            found = where.get(name)
            if isinstance(found, dict):
                found = found.get("tcString")
            if found is not None and found != "":
                return found
    return None
