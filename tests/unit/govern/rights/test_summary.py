from __future__ import annotations

from livepost.clock import DAY_MS
from livepost.govern.rights.keeping import Keeping
from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import NONE_REACHES, NOT_SAID, summarise
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
KEEPING = Keeping(log_days=400, mail_days=30)
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
    views, note, mails, ids = summarise(HELD, COMPILED, POLICY, {"log": "90 days"}, KEEPING)
    assert (views.what, views.count, views.since, views.newest) == ("event: Product Viewed", 2, 5, 9)
    assert (views.purposes, views.sources, views.kept) == (("analysis", "service"), ("web", "app"), "90 days")
    assert (note.what, note.count, note.purposes, note.sources) == (
        "field: ProductViewed.note",
        1,
        ("service",),
        ("web",),
    )
    assert mails.purposes == ("marketing",)
    assert ids.purposes == (NOT_SAID,)
    assert (views.goes, ids.goes) == ((5 + 400 * DAY_MS, 9 + 400 * DAY_MS), (0, 0))


def test_what_is_computed_is_held_for_what_all_it_is_made_of_may_be_used_for() -> None:
    held = [Held(store="state.db", what=kind, at=1, values={kind: name}) for kind, name in COMPUTED]
    told = {line.what: line.purposes for line in summarise(held, project(), policy(), {}, KEEPING)}
    assert told == {
        "feature: bought": ("letters", "orders", "profiling"),
        "feature: all": (NONE_REACHES,),
        "segment: both": ("letters", "profiling"),
    }
    assert all(line.purposes == (NOT_SAID,) for line in summarise(held, project(), None, {}, KEEPING))


def test_without_a_policy_nothing_is_made_up() -> None:
    views, *_ = summarise(HELD, COMPILED, None, {}, KEEPING)
    assert views.purposes == (NOT_SAID,)
