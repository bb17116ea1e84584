from __future__ import annotations

from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import NOT_SAID, summarise
from livepost.model.compiled import Compiled, EventSpec
from livepost.settings.policy import Controller, EventPolicy, FieldPolicy, Policy
from tests.unit.project.test_gate import policy, project

COMPILED = Compiled(events=(EventSpec(name="Product Viewed", cls="ProductViewed", fields=()),))
POLICY = Policy(
    controller=Controller(name="Tea", contact="x"),
    purposes={},
    events={"ProductViewed": EventPolicy(purposes=("analysis",))},
    fields={"ProductViewed.note": FieldPolicy(purposes=("service",))},
)
COMPUTED = [("feature", "bought"), ("feature", "all"), ("segment", "both")]
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


def test_what_is_computed_is_held_for_what_all_it_is_made_of_may_be_used_for() -> None:
    held = [Held(store="state.db", what=kind, at=1, values={kind: name}) for kind, name in COMPUTED]
    told = {line.what: line.purposes for line in summarise(held, project(), policy(), {})}
    assert told == {
        "feature: bought": ("letters", "orders", "profiling"),
        "feature: all": (NOT_SAID,),
        "segment: both": ("letters", "profiling"),
    }
    assert all(line.purposes == (NOT_SAID,) for line in summarise(held, project(), None, {}))


def test_without_a_policy_nothing_is_made_up() -> None:
    views, *_ = summarise(HELD, COMPILED, None, {})
    assert views.purposes == (NOT_SAID,)
