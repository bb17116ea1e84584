"""What of the policy concerns consent: what signals speak of, how long a consent is good, what is a sale.

In: the policy, None for a shop without one. Out: values for intake, ledger and pages.
"""

from __future__ import annotations

from livepost.model.consent import SignalRules, TcfRule
from livepost.settings.policy import Policy


def signals_of(policy: Policy | None) -> SignalRules:
    """Return what Global Privacy Control and TC strings speak of: nothing without a policy."""
    purposes = policy.purposes if policy else {}
    tcf = [
        TcfRule(name, purpose.tcf, by_interest=purpose.basis == "legitimate_interests")
        for name, purpose in purposes.items()
        if purpose.tcf
    ]
    return SignalRules(sale=sales_of(policy), tcf=tuple(tcf))


def sales_of(policy: Policy | None) -> tuple[str, ...]:
    """Return the purposes that are a sale or sharing, in their order."""
    return tuple(name for name, purpose in policy.purposes.items() if purpose.sale) if policy else ()


def terms_of(policy: Policy | None) -> dict[str, int]:
    """Return how long consents are good (ms), by purpose; of one without an end nothing."""
    purposes = policy.purposes if policy else {}
    return {name: purpose.valid_ms for name, purpose in purposes.items() if purpose.valid_ms is not None}
