from __future__ import annotations

from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import NOT_SAID, summarise
from livepost.model.compiled import Compiled, EventSpec
from livepost.settings.policy import Controller, EventPolicy, FieldPolicy, Policy

COMPILED = Compiled(events=(EventSpec(name="Product Viewed", cls="ProductViewed", fields=()),))
POLICY = Policy(
    controller=Controller(name="Tea", contact="x"),
    purposes={},
    events={"ProductViewed": EventPolicy(purposes=("analysis",))},
    fields={"ProductViewed.note": FieldPolicy(purposes=("service",))},
)
HELD = [
    Held(
        store="log", what="event", at=9, values={"name": "Product Viewed", "source": "web", "personal": {"note": "x"}}
    ),
    Held(store="log", what="event", at=5, values={"name": "Product Viewed", "source": "app"}),
    Held(store="ledger.db", what="deliveries", at=7, values={"decision": {"purpose": "marketing"}}),
    Held(store="vault.db", what="id", at=0, values={"kind": "user"}),
]


def test_each_kind_has_a_line_with_why_since_when_and_from_where() -> None:
    views, mails, ids = summarise(HELD, COMPILED, POLICY, {"log": "90 days"})
    assert (views.what, views.count, views.since, views.newest) == ("event: Product Viewed", 2, 5, 9)
    assert (views.purposes, views.sources, views.kept) == (("analysis", "service"), ("web", "app"), "90 days")
    assert mails.purposes == ("marketing",)
    assert ids.purposes == (NOT_SAID,)


def test_without_a_policy_nothing_is_made_up() -> None:
    views, *_ = summarise(HELD, COMPILED, None, {})
    assert views.purposes == (NOT_SAID,)
