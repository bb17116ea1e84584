"""Declarations compile to data: the same to the same hash, and each definition to a version of its own."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from livepost import (
    Cap,
    Email,
    Event,
    Identified,
    Money,
    Profile,
    Quiet,
    campaign,
    count,
    days,
    distinct,
    ecommerce,
    exists,
    first,
    hours,
    latest,
    maximum,
    mean,
    minimum,
    minutes,
    seconds,
    segment,
    since,
    top,
    total,
)
from livepost.errors import ProjectError
from livepost.expr import And, Compare, Const, Expr, Feature, Field, Not
from livepost.model.compiled import (
    ADDRESS_FEATURE,
    DISTINCT_MAX,
    CampaignSpec,
    CapSpec,
    Compiled,
    FeatureSpec,
    SegmentSpec,
    StepSpec,
)
from livepost.model.hours import QuietHours
from livepost.project.compiled import Sending, compile_project
from livepost.project.declarations import collect


class Viewed(Event):
    product_id: str
    price: Money
    depth: float = 0.0
    gift: bool = False
    at_shelf: datetime | None = None


class Ordered(Event):
    order_id: str
    total: Money


class Shopper(Profile):
    views = count(Viewed, over=days(7))
    spend = total(Ordered.total)
    average = mean(Ordered.total)
    first_name = latest(Identified.first_name)
    favourites = top(Viewed.product_id, k=3, over=days(30))
    gifts = count(Viewed, where=Viewed.gift & (Viewed.price >= 9.5), over=minutes(10), grid=seconds(5))
    browsing = segment((views >= 3) & ~(spend >= Money("99.90", "EUR")))
    left = segment((since(Ordered) > since(Viewed)) & (since(Viewed) >= hours(1)))


@campaign(
    audience=Shopper.browsing, wait=hours(2), until=[Ordered], cap=Cap(2, per=days(7)), holdout=0.05, reentry=days(30)
)
def reminder(shopper: Shopper) -> Email:
    return Email("reminder", subject="Hello")


@campaign(on=Ordered, where=Ordered.total >= 100, class_="transactional", exit=False, reentry=None, fresh=days(1))
def receipt(shopper: Shopper) -> Email:
    return Email("receipt", subject="Thank you")


NAMES = {"Viewed": Viewed, "Ordered": Ordered, "Shopper": Shopper, "reminder": reminder, "receipt": receipt}
COMPILED = compile_project(collect(NAMES), currency="EUR")
FEATURES = {feature.name: feature for feature in COMPILED.features}


def tree(spec: SegmentSpec | FeatureSpec | CampaignSpec) -> Expr:
    given = spec.condition if isinstance(spec, SegmentSpec) else spec.where
    return msgspec.convert(given, Expr)


def profile(**names: Any) -> type[Profile]:
    """Return a profile whose class body holds these names."""
    return type("Shopper", (Profile,), names)


def refused(**names: Any) -> str:
    """Return why a profile does not compile."""
    with pytest.raises(ProjectError) as problem:
        compile_project(collect({"Shopper": profile(**names)}), currency="EUR")
    return str(problem.value)


def test_events_are_the_declared_the_used_and_the_built_in_in_order_of_name() -> None:
    assert [event.name for event in COMPILED.events] == ["$identify", "Ordered", "Viewed"]
    used = compile_project(collect({"Shopper": profile(n=count(ecommerce.CartViewed))}))
    assert [event.name for event in used.events] == ["$identify", "Cart Viewed"]


def test_features_stand_in_the_order_of_the_class_then_inline_ones_then_the_address() -> None:
    assert list(FEATURES) == [
        "views",
        "spend",
        "average",
        "first_name",
        "favourites",
        "gifts",
        "since(Ordered)",
        "since(Viewed)",
        ADDRESS_FEATURE,
    ]
    assert [feature.name for feature in COMPILED.features if feature.anonymous] == ["since(Ordered)", "since(Viewed)"]


def test_a_feature_knows_its_type_window_and_privacy() -> None:
    assert (FEATURES["views"].type, FEATURES["views"].over_ms, FEATURES["views"].grid_ms) == (
        "int",
        604_800_000,
        3_600_000,
    )
    assert (FEATURES["spend"].type, FEATURES["spend"].over_ms, FEATURES["spend"].grid_ms) == ("money", None, None)
    assert FEATURES["average"].type == "float"
    assert (FEATURES["first_name"].personal, FEATURES["first_name"].secret_only) == (True, False)
    assert (FEATURES["favourites"].type, FEATURES["favourites"].n) == ("list", 3)
    assert (FEATURES["gifts"].over_ms, FEATURES["gifts"].grid_ms) == (600_000, 5_000)
    assert (FEATURES["since(Viewed)"].type, FEATURES["since(Viewed)"].kind) == ("int", "since")


def test_the_address_is_the_latest_email_that_a_secret_key_brought() -> None:
    address = FEATURES[ADDRESS_FEATURE]
    assert (address.kind, address.event, address.field) == ("latest", "$identify", "email")
    assert address.personal
    assert address.secret_only


@pytest.mark.parametrize(
    ("over", "grid_ms"),
    [(hours(1), 1_000), (hours(2), 300_000), (days(1), 300_000), (days(2), 3_600_000), (days(8), 86_400_000)],
)
def test_the_default_grid_grows_with_the_window(over: Any, grid_ms: int) -> None:
    compiled = compile_project(collect({"Shopper": profile(n=count(Viewed, over=over))}))
    assert compiled.features[0].grid_ms == grid_ms


@pytest.mark.parametrize(
    ("feature", "value_type"),
    [
        (minimum(Viewed.price), "money"),
        (maximum(Viewed.depth), "float"),
        (minimum(Viewed.at_shelf), "datetime"),
        (distinct(Viewed.product_id), "int"),
        (exists(Viewed), "bool"),
        (latest(Viewed.product_id, over=days(7)), "str"),
        (since(Viewed, over=days(7)), "int"),
        (first(Viewed.gift, over=days(7)), "bool"),
    ],
)
def test_each_word_has_the_type_of_its_value(feature: Any, value_type: str) -> None:
    spec = compile_project(collect({"Shopper": profile(some=feature)})).features[0]
    assert (spec.kind, spec.type) == (feature.definition.kind, value_type)
    assert (spec.over_ms is None) == (spec.grid_ms is None) == (feature.definition.over is None)


def test_a_cap_is_data_where_it_is_not_the_usual_one() -> None:
    names = {
        "usual": distinct(Viewed.product_id),
        "same": distinct(Viewed.product_id, cap=DISTINCT_MAX),
        "small": distinct(Viewed.product_id, cap=5),
        "best": top(Viewed.product_id, k=3, cap=5),
    }
    specs = {spec.name: spec for spec in compile_project(collect({"Shopper": profile(**names)})).features}
    assert [specs[name].cap for name in names] == [None, None, 5, 5]
    assert specs["usual"].version == specs["same"].version != specs["small"].version
    assert [feature.definition.text for feature in names.values()] == [
        *("distinct(Viewed.product_id)", "distinct(Viewed.product_id)"),
        *("distinct(Viewed.product_id, cap=5)", "top(Viewed.product_id, k=3, cap=5)"),
    ]


def test_whether_something_happened_compiles_to_an_equality() -> None:
    compiled = compile_project(collect({"Shopper": profile(some=segment(exists(Viewed) & ~exists(Ordered)))}))
    assert tree(compiled.segments[0]) == And(
        (
            Compare("==", Feature("exists(Viewed)"), Const(True)),
            Not(Compare("==", Feature("exists(Ordered)"), Const(True))),
        )
    )


def test_conditions_become_trees_with_milliseconds_and_minor_units() -> None:
    browsing, left = COMPILED.segments
    assert browsing.text == "views >= 3 and not spend >= Money('99.90', 'EUR')"
    assert tree(browsing) == And(
        (Compare(">=", Feature("views"), Const(3)), Not(Compare(">=", Feature("spend"), Const(9990))))
    )
    assert tree(left) == And(
        (
            Compare(">", Feature("since(Ordered)"), Feature("since(Viewed)")),
            Compare(">=", Feature("since(Viewed)"), Const(3_600_000)),
        )
    )
    assert tree(FEATURES["gifts"]) == And(
        (Compare("==", Field("gift"), Const(True)), Compare(">=", Field("price"), Const(950)))
    )


def test_campaigns_become_rules() -> None:
    reminder_spec, receipt_spec = COMPILED.campaigns
    assert msgspec.structs.replace(reminder_spec, version="") == CampaignSpec(
        name="reminder",
        audience="browsing",
        wait_ms=7_200_000,
        until=("Ordered",),
        cap=CapSpec(2, 604_800_000),
        holdout=0.05,
        reentry_ms=30 * 86_400_000,
    )
    assert (receipt_spec.on, receipt_spec.class_, receipt_spec.lane) == ("Ordered", "transactional", "transactional")
    assert (receipt_spec.exit, receipt_spec.reentry_ms, receipt_spec.fresh_ms) == (False, None, 86_400_000)
    assert tree(receipt_spec) == Compare(">=", Field("total"), Const(10_000))


def test_how_late_a_step_may_be_is_the_projects_where_the_campaign_does_not_say() -> None:
    late = compile_project(collect(NAMES), currency="EUR", fresh=days(2))
    assert [spec.fresh_ms for spec in late.campaigns] == [2 * 86_400_000, 86_400_000]


SENDING = Sending(zone="Europe/Berlin", quiet=QuietHours(21 * 60, 8 * 60), caps=(CapSpec(1, 86_400_000),))


def test_hours_and_caps_of_the_settings_are_for_marketing() -> None:
    marketing, transactional = compile_project(collect(NAMES), currency="EUR", sending=SENDING).campaigns
    assert (marketing.quiet, marketing.overall, marketing.zone) == (SENDING.quiet, SENDING.caps, "Europe/Berlin")
    assert (transactional.quiet, transactional.overall, transactional.zone) == (None, (), "UTC")


def test_a_campaign_may_have_hours_of_its_own_or_none() -> None:
    @campaign(on=Ordered, quiet=Quiet("12:00", "13:30"))
    def own(shopper: Shopper) -> Email:
        return Email("mail", subject="Hello")

    @campaign(on=Ordered, quiet=False)
    def none(shopper: Shopper) -> Email:
        return Email("mail", subject="Hello")

    first, second = compile_project(collect({"own": own, "none": none}), sending=SENDING).campaigns
    assert (first.quiet, second.quiet) == (QuietHours(12 * 60, 13 * 60 + 30), None)


def test_later_mails_are_steps_of_their_campaign_and_no_campaigns() -> None:
    @campaign(on=Ordered, at="09:00", priority=2)
    def course(shopper: Shopper) -> Email:
        return Email("mail", subject="One")

    @course.then(wait=days(2), at="18:30")
    def second_lesson(shopper: Shopper) -> Email:
        return Email("mail", subject="Two")

    declared = collect({"course": course, "second_lesson": second_lesson})
    (spec,) = compile_project(declared).campaigns
    assert (spec.at, spec.priority) == (9 * 60, 2)
    assert spec.steps == (StepSpec(name="second_lesson", wait_ms=2 * 86_400_000, at=18 * 60 + 30),)
    subjects = [declared.campaign("course").mail(step)(Shopper.never()).subject for step in (0, 1)]
    assert subjects == ["One", "Two"]
    with pytest.raises(ProjectError, match="expected a campaign of 3 mails, got 2 in course"):
        declared.campaign("course").mail(2)


def test_the_same_declarations_give_the_same_hash_and_survive_json() -> None:
    again = compile_project(collect(NAMES), currency="EUR")
    assert again == COMPILED
    assert again.hash() == COMPILED.hash()
    read = msgspec.json.decode(msgspec.json.encode(COMPILED), type=Compiled)
    assert read == COMPILED
    assert read.hash() == COMPILED.hash()


def test_a_version_changes_with_the_definition_and_not_with_the_name() -> None:
    views, looks = count(Viewed, over=days(7)), count(Viewed, over=days(7))
    more = count(Viewed, over=days(8))
    names = {"views": views, "looks": looks, "more": more}
    versions = {spec.name: spec.version for spec in compile_project(collect({"Shopper": profile(**names)})).features}
    assert versions["views"] == versions["looks"] == FEATURES["views"].version
    assert versions["more"] != versions["views"]


def test_a_segments_version_covers_the_features_it_uses() -> None:
    def compiled(window: Any) -> Compiled:
        views = count(Viewed, over=window)
        return compile_project(collect({"Shopper": profile(views=views, many=segment(views >= 3))}))

    week, month = compiled(days(7)).segments[0], compiled(days(30)).segments[0]
    assert week.condition == month.condition
    assert week.version != month.version


def test_the_currency_is_the_projects() -> None:
    yen = compile_project(collect({"Shopper": profile(rich=segment(total(Ordered.total) >= 500))}), currency="JPY")
    assert tree(yen.segments[0]) == Compare(">=", Feature("total(Ordered.total)"), Const(500))


def test_a_moment_compares_in_milliseconds() -> None:
    seen = count(Viewed, where=Viewed.at_shelf >= datetime(1970, 1, 2, tzinfo=UTC))  # type: ignore[operator]
    compiled = compile_project(collect({"Shopper": profile(seen=seen)}))
    assert tree(compiled.features[0]) == Compare(">=", Field("at_shelf"), Const(86_400_000))


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (latest(Identified.first_name) == "Ada", "which is personal and stays sealed"),
        (count(Viewed) >= "three", "to be compared with a number such as 3, got 'three'"),  # type: ignore[operator]
        (count(Viewed) >= True, "got True"),
        (count(Viewed) >= float("inf"), "to be compared with a number such as 3, got inf"),
        (count(Viewed) >= 2**63, "got 9223372036854775808"),
        (since(Viewed) >= 3, "a length of time such as hours"),  # type: ignore[operator]
        (total(Ordered.total) >= hours(1), "an amount such as 500"),  # type: ignore[operator]
        (total(Ordered.total) >= 0.001, "at most 2 decimal digits in EUR"),
        (total(Ordered.total) >= Money(5, "USD"), "in EUR, the project's currency"),
        (total(Ordered.total) >= count(Viewed), "compare what is of one kind"),  # type: ignore[operator]
        (latest(Viewed.gift) >= True, "expected == or !="),
        (top(Viewed.product_id, k=3) == "a", "which is a list"),
        (Viewed.gift == True, "expected features in a segment, got the field Viewed.gift"),  # noqa: E712
    ],
)
def test_a_comparison_that_means_nothing_is_refused_with_its_line(condition: Any, told: str) -> None:
    sentence = refused(some=segment(condition))
    assert told in sentence
    assert "test_compiled.py:" in sentence


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (Ordered.total >= 5, "expected a field of Viewed in where=, got Ordered.total"),
        (count(Viewed) >= 5, "expected a field of Viewed in where=, got count(Viewed)"),
        (Viewed.price >= "5", "an amount such as 500"),  # type: ignore[operator]
        (Viewed.price & Viewed.gift, "an amount such as 500"),  # type: ignore[operator]
    ],
)
def test_where_knows_the_fields_of_its_event_and_nothing_else(where: Any, told: str) -> None:
    assert told in refused(some=count(Viewed, where=where))


def test_a_personal_field_is_no_condition() -> None:
    assert "stays sealed" in refused(some=count(Identified, where=Identified.email == "a@example.com"))


def test_a_feature_of_another_profile_is_refused() -> None:
    assert "of another class" in refused(some=segment(Shopper.views >= 3))


def test_an_inherited_field_serves_where() -> None:
    class Rated(Viewed):
        stars: int

    compiled = compile_project(collect({"Shopper": profile(some=count(Rated, where=Viewed.price >= 5))}))
    assert tree(compiled.features[0]) == Compare(">=", Field("price"), Const(500))


def test_more_traits_replace_the_built_in_identify() -> None:
    class Customer(Identified):
        tier: str | None = None

    compiled = compile_project(collect({"Customer": Customer}))
    assert [(event.name, event.cls) for event in compiled.events] == [("$identify", "Customer")]
    assert {"email", "tier"} <= {field.name for field in compiled.events[0].fields}


def test_a_project_without_a_profile_compiles() -> None:
    compiled = compile_project(collect({}))
    assert (compiled.profile, [feature.name for feature in compiled.features]) == ("", [ADDRESS_FEATURE])
