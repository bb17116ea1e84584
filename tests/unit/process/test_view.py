"""One person as others read them."""

from __future__ import annotations

from livepost.model.compiled import CalendarSpec, CampaignSpec
from livepost.model.person import JourneyView, MembershipView
from livepost.model.record import Kind, Record, SealedValue
from livepost.process.view import view_of
from tests.unit.engine.projects import compare, compiled, event_spec, feature, segment, windowed
from tests.unit.process.records import HOUR, MINUTE, NOW, SECOND, Folded, block, event, subject

PROJECT = compiled(
    [
        feature("views"),
        windowed("lately", HOUR, SECOND),
        feature("spent", "total", field="price", type="money"),
        feature("score", "total", field="rating", type="float"),
        feature("average", "mean", field="rating", type="float"),
        windowed("average lately", HOUR, SECOND, "mean", field="rating", type="float"),
        feature("quiet", "since"),
        feature("item", "latest", field="item", type="str"),
        feature("items", "recent", field="item", n=2, type="list"),
        feature("favourites", "top", field="item", n=1, type="list"),
        feature("name", "latest", field="name", type="str", personal=True),
    ],
    [segment("keen", compare("lately", ">=", 2))],
    [CampaignSpec(name="remind", audience="keen", wait_ms=HOUR, class_="transactional")],
    [event_spec(rating="float", price="money")],
)


def two_views() -> Folded:
    """Return a person who viewed at NOW and a minute later."""
    folded = Folded(PROJECT)
    shared = {"price": [500, "USD"], "rating": 0.1}
    folded.step(
        block(0, NOW, event("a", "1", properties={"item": "x", **shared}, sealed={"name": b"seal-1"})),
        block(
            1,
            NOW + MINUTE,
            event(
                "a",
                "2",
                effective_ts=NOW + MINUTE,
                properties={"item": "y", **shared, "rating": 0.2},
                sealed={"name": b"seal-2"},
                context={"consent": {"marketing": True}},
            ),
        ),
    )
    return folded


def test_a_view_gives_every_feature_at_the_last_stamp() -> None:
    folded = two_views()
    folded.step(block(2, NOW + 2 * MINUTE, Record(kind=Kind.TICK, effective_ts=NOW)))
    view = view_of(folded.people, folded.person("a"))
    assert (view.position, view.as_of) == (2, NOW + 2 * MINUTE)
    assert view.features == {
        "views": 2,
        "lately": 2,
        "spent": [1_000, "USD"],
        "score": 0.3,
        "average": 0.3 / 2,
        "average lately": 0.3 / 2,
        "quiet": MINUTE,
        "item": "y",
        "items": ["y", "x"],
        "favourites": ["x"],
    }
    assert view.sealed == {"name": SealedValue("web", subject("a"), "2", "name", b"seal-2")}


def test_a_view_gives_memberships_journeys_consents_and_what_is_due_next() -> None:
    folded = two_views()
    view = view_of(folded.people, folded.person("a"))
    assert (view.person, view.subjects) == (subject("a"), (subject("a"),))
    assert view.memberships == (MembershipView(segment="keen", inside=True, since=NOW + MINUTE, number=1),)
    assert view.consents == {"marketing": True}
    assert view.journeys == (
        JourneyView(
            campaign="remind",
            entered_at=NOW + MINUTE,
            due=NOW + MINUTE + HOUR,
            cause_text="entered Shopper.keen",
        ),
    )
    assert view.next_due == NOW + HOUR + SECOND  # the first view leaves the window


def test_of_somebody_of_whom_nothing_is_known_numbers_are_zero_and_the_rest_is_never() -> None:
    folded = Folded(PROJECT)
    folded.step(block(0, NOW, event("a", "1", "Other")))
    view = view_of(folded.people, folded.person("a"))
    nothing = {"views": 0, "lately": 0, "spent": [0, "USD"], "score": 0.0, "items": [], "favourites": []}
    never = dict.fromkeys(("average", "average lately", "quiet", "item"))
    assert view.features == {**nothing, **never, "name": None}
    assert (view.sealed, view.journeys, view.consents, view.next_due) == ({}, (), {}, None)
    assert view.memberships == (MembershipView(segment="keen", inside=False, since=0, number=0),)


LATELY = {"over_ms": HOUR, "grid_ms": SECOND}
WORDS = compiled(
    [
        feature("ever", "exists", type="bool"),
        feature("just", "exists", type="bool", **LATELY),
        feature("quiet", "since", **LATELY),
        feature("newest", "latest", field="item", type="str", **LATELY),
        feature("oldest", "first", field="item", type="str", **LATELY),
        feature("cheapest", "minimum", field="price", type="money"),
        feature("dearest", "maximum", field="price", type="money", **LATELY),
        feature("worst", "minimum", field="rating", type="float", **LATELY),
        feature("kinds", "distinct", field="item", **LATELY),
        feature("few kinds", "distinct", field="item", cap=1, **LATELY),
        feature("favourites", "top", field="item", n=1, cap=1, type="list", **LATELY),
        feature("today", calendar=CalendarSpec(unit="day", times=1, zone="Europe/Berlin")),
    ],
    [segment("narrow", compare("few kinds", "==", 1)), segment("keen", compare("ever", "==", 1))],
    events=[event_spec(rating="float", price="money", item="str")],
)


def test_a_view_gives_each_word_while_it_is_in_the_window_and_what_is_unknown_as_nothing() -> None:
    folded = Folded(WORDS)
    folded.step(
        block(0, NOW, event("a", "1", properties={"item": "x", "price": [500, "USD"], "rating": 0.1})),
        block(
            1,
            NOW + MINUTE,
            event("a", "2", effective_ts=NOW + MINUTE, properties={"item": "y", "price": [900, "USD"], "rating": 0.2}),
        ),
    )
    view = view_of(folded.people, folded.person("a"))
    assert view.features == {
        "ever": True,
        "just": True,
        "quiet": 0,
        "newest": "y",
        "oldest": "x",
        "cheapest": [500, "USD"],
        "dearest": [900, "USD"],
        "worst": 0.1,
        "kinds": 2,
        "few kinds": None,
        "favourites": None,
        "today": 2,
    }
    assert view.memberships == (
        MembershipView(segment="narrow", inside=True, since=NOW, number=1, unknown=True),
        MembershipView(segment="keen", inside=True, since=NOW, number=1),
    )


def test_a_view_gives_each_word_after_the_window_as_if_nothing_had_happened_in_it() -> None:
    folded = Folded(WORDS)
    folded.step(block(0, NOW, event("a", "1", properties={"item": "x", "price": [500, "USD"], "rating": 0.1})))
    folded.step(block(1, NOW + 23 * HOUR, Record(kind=Kind.TICK, effective_ts=NOW)))
    never = dict.fromkeys(("quiet", "newest", "oldest", "dearest", "worst"))
    nothing = {"just": False, "kinds": 0, "few kinds": 0, "favourites": [], "today": 0}
    assert view_of(folded.people, folded.person("a")).features == {
        "ever": True,
        "cheapest": [500, "USD"],
        **never,
        **nothing,
    }
