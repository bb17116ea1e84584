"""The check names every problem at once, each with its line and with what to do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

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
    exists,
    first,
    hours,
    in_,
    latest,
    maximum,
    mean,
    minimum,
    minutes,
    recent,
    seconds,
    segment,
    since,
    top,
    total,
)
from livepost.errors import ProjectError
from livepost.project.check import MAX_CAP, MAX_ITEMS, MAX_STEPS, MAX_TILES, check_project
from livepost.project.declarations import collect
from livepost.project.feature import Feature
from livepost.project.problem import Problem


class Viewed(Event):
    product_id: str
    price: Money
    depth: float = 0.0


class Ordered(Event):
    order_id: str


def profile(**names: Any) -> type[Profile]:
    """Return a profile whose class body holds these names."""
    return type("Shopper", (Profile,), names)


def problems_of(**names: Any) -> list[Problem]:
    """Return the problems of a profile with these names."""
    return check_project(collect({"Shopper": profile(**names)}))


def problems_with(**rules: Any) -> list[Problem]:
    """Return the problems of a campaign with these rules."""

    @campaign(**rules)
    def mail(shopper: Any) -> Email:
        return Email("mail", subject="Hello")

    return check_project(collect({"Shopper": SHOPPER, "mail": mail}))


VIEWS = count(Viewed, over=days(7))
SHOPPER = profile(views=VIEWS, many=segment(VIEWS >= 3))
MANY = vars(SHOPPER)["many"]


def only(problems: list[Problem]) -> str:
    """Return the one problem's sentence."""
    assert len(problems) == 1, problems
    return problems[0].sentence


def test_a_good_project_has_no_problems() -> None:
    assert problems_with(audience=MANY, wait=hours(2), until=Ordered, cap=Cap(2, per=days(7)), holdout=0.05) == []


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (count(Viewed, over=days(7.5)), "multiple of its grid of days(1), got hours(180)"),
        (count(Viewed, over=days(1), grid=hours(5)), "multiple of its grid of hours(5)"),
        (count(Viewed, over=timedelta(0)), "got seconds(0)"),
        (count(Viewed, over=seconds(1.5)), "multiple of its grid of seconds(1)"),
        (count(Viewed, over=days(1), grid=timedelta(0)), "in whole seconds"),
        (count(Viewed, over=hours(1), grid=seconds(0.5)), "in whole seconds"),
        (count(Viewed, grid=hours(1)), "expected over= beside grid="),
        (recent(Viewed.product_id, n=0), f"expected n= between 1 and {MAX_ITEMS}, got 0"),
        (recent(Viewed.product_id, n=MAX_ITEMS + 1), "keep fewer values"),
        (top(Viewed.product_id, k=MAX_ITEMS + 1), f"expected k= between 1 and {MAX_ITEMS}"),
        (top(Viewed.price, k=3), "got Viewed.price, which is money; use recent()"),
        (top(Viewed.depth, k=3), "which is float"),
        (top(Identified.city, k=3), "got Identified.city, which is personal; use latest()"),
        (recent(Identified.city, n=3), "which is personal"),
        (mean(Identified.age), "which is personal"),
        (minimum(Viewed.product_id), "expected a number, money or a datetime, got Viewed.product_id, which is str"),  # type: ignore[type-var]
        (maximum(Identified.age), "which is personal"),
        (distinct(Viewed.price), "expected text or whole numbers, got Viewed.price, which is money; use count()"),  # type: ignore[arg-type]
        (distinct(Identified.city), "which is personal"),
        (total(Viewed.product_id), "got Viewed.product_id, which is str; use count() or top()"),  # type: ignore[type-var]
    ],
)
def test_a_feature_that_cannot_be_meant_is_told(feature: Feature[Any], told: str) -> None:
    problems = problems_of(some=feature)
    assert told in only(problems)
    assert problems[0].sentence.startswith("some: ")
    assert "test_check.py:" in problems[0].where
    assert problems[0].severity == "error"


def test_bounds_themselves_are_good() -> None:
    assert problems_of(a=recent(Viewed.product_id, n=MAX_ITEMS), b=top(Viewed.product_id, k=1)) == []
    assert (
        problems_of(a=count(Viewed, over=seconds(1)), b=count(Viewed, over=seconds(MAX_TILES), grid=seconds(1))) == []
    )


def test_a_window_of_many_tiles_is_warned_of() -> None:
    problems = problems_of(some=count(Viewed, over=seconds(MAX_TILES + 1), grid=seconds(1)))
    assert "expected at most 10,000 tiles in a window, got 10,001" in only(problems)
    assert problems[0].severity == "warning"


@pytest.mark.parametrize(
    "feature",
    [
        *(count(Viewed, over=days(7)), exists(Viewed, over=days(7)), since(Viewed, over=days(7), grid=hours(1))),
        *(
            latest(Viewed.product_id, over=days(7)),
            first(Viewed.price, over=days(7)),
            total(Viewed.price, over=days(7)),
        ),
        *(minimum(Viewed.price, over=days(7)), maximum(Viewed.depth, over=days(7)), mean(Viewed.depth, over=days(7))),
        *(recent(Viewed.product_id, n=3, over=days(7)), top(Viewed.product_id, k=3, over=days(7))),
        distinct(Viewed.product_id, over=days(7), where=Viewed.depth >= 0.5),
    ],
)
def test_every_word_takes_a_window(feature: Feature[Any]) -> None:
    assert problems_of(some=feature) == []
    assert "multiple of its grid" in only(
        problems_of(some=type(feature)(replace(feature.definition, over=hours(36.5))))
    )


def test_the_bounds_of_a_cap_are_good_and_what_is_beyond_is_told() -> None:
    for cap in (1, MAX_CAP):
        assert problems_of(a=distinct(Viewed.product_id, cap=cap), b=top(Viewed.product_id, k=1, cap=cap)) == []
    for cap in (0, MAX_CAP + 1, 2.5, True):
        for feature in (distinct(Viewed.product_id, cap=cap), top(Viewed.product_id, k=1, cap=cap)):  # type: ignore[arg-type]
            assert f"expected cap= between 1 and 10,000, got {cap}" in only(problems_of(some=feature))
    assert "expected cap= of at least k=3, got 2" in only(problems_of(some=top(Viewed.product_id, k=3, cap=2)))


def test_a_named_formula_is_refused() -> None:
    views = count(Viewed)
    problems = problems_of(views=views, rate=views / 7, some=segment(views / 7 > 3))
    assert only(problems) == (
        "rate: expected a feature or a segment, got arithmetic (views / 7), which takes no name yet; "
        "put it into the segment"
    )
    assert "test_check.py:" in problems[0].where


@pytest.mark.parametrize(
    "condition",
    [
        mean(Viewed.price) == 5,
        mean(Viewed.depth) != 5,
        ~((count(Viewed) >= 3) & (count(Viewed) / 3 == 1)),
        latest(Viewed.depth) == 0.5,
        in_(total(Viewed.depth), [0.5]),
        segment(count(Viewed) * 0.1 == 1) | exists(Viewed),
    ],
)
def test_an_equality_around_fractions_is_warned_of(condition: Any) -> None:
    problems = problems_of(some=segment(condition))
    assert "which may have fractions, got an equality" in only(problems)
    assert problems[0].severity == "warning"
    assert "test_check.py:" in problems[0].where


def test_an_equality_of_whole_numbers_or_amounts_is_not() -> None:
    count_or_amount = (count(Viewed) - 2 * count(Ordered) == 0) | (total(Viewed.price) == 5)
    assert problems_of(some=segment(count_or_amount & (mean(Viewed.price) >= 5) & in_(count(Viewed), [1, 2]))) == []


def test_amounts_of_another_currency_are_told_with_their_line() -> None:
    spend = total(Viewed.price)
    dollars = Money(5, "USD")
    for condition in (
        spend >= dollars,
        spend - dollars > 3,
        in_(spend, [dollars]),
        exists(Viewed, where=Viewed.price > dollars),
    ):
        problems = check_project(collect({"Shopper": profile(spend=spend, some=segment(condition))}), currency="EUR")
        assert "expected an amount in EUR, the project's currency, got Money('5', 'USD')" in only(problems)
        assert "test_check.py:" in problems[0].where
        assert check_project(collect({"Shopper": profile(spend=spend, some=segment(condition))}), currency="USD") == []


def test_features_inside_conditions_are_checked_too() -> None:
    assert "multiple of its grid" in only(problems_of(some=segment(count(Viewed, over=days(7.5)) >= 3)))


def test_personal_values_and_lists_are_not_compared() -> None:
    name = latest(Identified.first_name)
    top_three: Any = top(Viewed.product_id, k=3)
    problems = problems_of(name=name, top=top_three, a=segment(name == "Ada"), b=segment(top_three == "a"))
    assert [problem.sentence.split(",")[1] for problem in problems] == [" got name", " got top"]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({}, "expected audience= or on=, got neither"),
        ({"audience": MANY, "on": Ordered}, "expected audience= or on=, got both"),
        ({"audience": MANY, "where": Ordered.order_id == "a"}, "expected where= beside on="),
        ({"audience": segment(VIEWS >= 3)}, "got one without a name; declare it in the profile's class"),
        ({"on": Ordered, "holdout": 1.5}, "between 0 and 1, got 1.5"),
        ({"on": Ordered, "holdout": -0.1}, "5 % is 0.05"),
        ({"on": Ordered, "cap": Cap(0, per=days(7))}, "allow at least one"),
        ({"on": Ordered, "cap": Cap(1, per=days(0))}, "expected a cap such as"),
        ({"on": Ordered, "wait": hours(-1)}, "expected wait= to be no less than nothing"),
        ({"on": Ordered, "reentry": hours(-1)}, "expected reentry="),
        ({"on": Ordered, "class_": "news"}, "one of marketing, transactional, got 'news'"),
        ({"on": Ordered, "lane": "fast"}, "expected lane= to be one of"),
        ({"on": Ordered, "purpose": ""}, "expected purpose="),
        ({"on": Ordered, "purpose": "Marketing"}, "in small letters"),
        ({"on": Ordered, "where": Viewed.price >= 5}, "expected a field of Ordered"),
        ({"on": Ordered, "at": "9:00"}, "expected a time of day such as \"09:00\", got '9:00'"),
        ({"on": Ordered, "quiet": Quiet("21:00", "24:00")}, "got '24:00'"),
        ({"on": Ordered, "quiet": Quiet("21:00", "21:00")}, "quiet=False is for none"),
        ({"on": Ordered, "priority": 0.5}, "expected priority= to be a whole number, got 0.5"),
    ],
)
def test_a_campaign_that_cannot_be_meant_is_told(rules: dict[str, Any], told: str) -> None:
    problems = problems_with(**rules)
    assert told in only(problems)
    assert "test_check.py:" in problems[0].where


def then(**rules: Any) -> list[Problem]:
    """Return the problems of a campaign that goes on to a mail with these rules."""

    @campaign(on=Ordered)
    def mail(shopper: Any) -> Email:
        return Email("mail", subject="Hello")

    @mail.then(**rules)
    def another(shopper: Any) -> Email:
        return Email("another", subject="Hello again")

    return check_project(collect({"Shopper": SHOPPER, "mail": mail}), templates=["mail"])


def test_a_later_mail_that_cannot_be_meant_is_told_by_its_own_name_and_line() -> None:
    for rules, told in (
        ({"wait": days(0)}, "expected wait= to be more"),
        ({"wait": days(1), "at": "noon"}, "got 'noon'"),
    ):
        first, template = then(**rules)
        assert told in first.sentence
        assert "test_check.py:" in first.where
        assert template.sentence == "another: expected one of the templates (mail), got 'another'; add another.mjml"


def test_a_campaign_of_too_many_mails_is_told() -> None:
    @campaign(on=Ordered)
    def mail(shopper: Any) -> Email:
        return Email("mail", subject="Hello")

    for _ in range(MAX_STEPS):
        mail.then(wait=days(1))(mail.write)
    assert f"expected at most {MAX_STEPS} mails, got {MAX_STEPS + 1}" in only(
        check_project(collect({"Shopper": SHOPPER, "mail": mail}))
    )


def test_holdout_may_be_none_or_everyone() -> None:
    assert problems_with(on=Ordered, holdout=0.0) == problems_with(on=Ordered, holdout=1.0) == []


def test_two_profiles_are_refused() -> None:
    assert "got Shopper and Visitor" in only(
        check_project(collect({"a": SHOPPER, "b": type("Visitor", (Profile,), {})}))
    )


def test_one_feature_under_two_names_is_refused() -> None:
    views = count(Viewed)
    assert "got views and looks" in only(problems_of(views=views, looks=views))


def test_a_hidden_feature_name_is_refused() -> None:
    assert "begin with a letter" in only(problems_of(_views=count(Viewed)))


def test_two_events_of_one_name_are_refused_unless_one_extends_the_other() -> None:
    class Seen(Event, name="Viewed"):
        pass

    class More(Viewed, name="Viewed"):
        stars: int | None = None

    assert "expected one class for the event 'Viewed'" in only(check_project(collect({"a": Viewed, "b": Seen})))
    assert check_project(collect({"a": Viewed, "b": More})) == []


def test_two_fields_read_from_one_key_are_refused() -> None:
    class Moved(Event):
        order_id: str
        orderId: str

    assert "read from 'orderId'" in only(check_project(collect({"a": Moved})))


def test_two_campaigns_of_one_name_are_refused() -> None:
    def make() -> Any:
        @campaign(on=Ordered)
        def mail(shopper: Profile) -> Email:
            return Email("mail", subject="Hello")

        return mail

    problems = check_project(collect({"a": make(), "b": make()}))
    assert "expected one campaign of the name, got 2" in only(problems)


def test_a_template_that_is_not_there_is_told() -> None:
    @campaign(on=Ordered)
    def mail(shopper: Profile) -> Email:
        return Email("mail", subject="Hello")

    project = collect({"mail": mail})
    assert check_project(project, templates=["mail"]) == []
    assert "expected one of the templates (letter), got 'mail'; add mail.mjml" in only(
        check_project(project, templates=["letter"])
    )


def test_a_function_that_fails_for_a_stranger_is_told() -> None:
    class Shopper(Profile):
        city = latest(Viewed.product_id)

    @campaign(on=Ordered)
    def mail(shopper: Shopper) -> Email:
        return Email("mail", subject=shopper.city.upper())  # type: ignore[union-attr]

    problems = check_project(collect({"Shopper": Shopper, "mail": mail}), templates=["mail"])
    assert "values are None, 0 or [] until something happened" in only(problems)


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R"])
def test_a_currency_that_is_none_is_told(currency: str) -> None:
    assert "three capitals" in only(check_project(collect({"Shopper": SHOPPER}), currency=currency))


def test_all_problems_are_told_at_once_and_each_once() -> None:
    class Odd(Event):
        where_to: set[str]

    bad = count(Viewed, over=days(7.5))
    problems = check_project(
        collect({"Odd": Odd, "Shopper": profile(bad=bad, a=segment(bad >= "x"), b=segment(bad >= "y"))})  # type: ignore[operator]
    )
    assert [problem.sentence.split(":")[0] for problem in problems] == [
        "Odd",
        "expected bad to be compared with a number such as 3, got 'x'",
        "expected bad to be compared with a number such as 3, got 'y'",
        "bad",
    ]


def test_a_problem_reads_as_compilers_tell_theirs() -> None:
    assert str(Problem("do this", "shop.py:3")) == "shop.py:3: error: do this"
    assert str(Problem("do this", severity="warning")) == "project: warning: do this"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"on": "Order Completed"}, "expected on= to name an event class"),
        ({"on": Ordered, "until": "Order Completed"}, "expected until= to name an event class"),
        ({"on": Ordered, "until": [Ordered, None]}, "import it from livepost.ecommerce"),
        ({"audience": VIEWS >= 3}, "expected audience= to be a segment"),
    ],
)
def test_what_is_no_event_or_segment_is_refused_where_it_is_written(rules: dict[str, Any], told: str) -> None:
    with pytest.raises(ProjectError, match=told) as refused:
        campaign(**rules)
    assert "test_check.py:" in str(refused.value)


@pytest.mark.parametrize(("word", "given"), [(count, Viewed.price), (since, "Viewed"), (top, Viewed), (latest, "x")])
def test_an_aggregation_of_the_wrong_thing_is_refused_where_it_is_written(word: Any, given: Any) -> None:
    options = {"k": 3} if word is top else {}
    with pytest.raises(ProjectError, match=r"of (an event class|a field) such as"):
        word(given, **options)


def test_minutes_are_a_good_window() -> None:
    assert problems_of(some=count(Viewed, over=minutes(90))) == []


def topics_of(topics: list[str], **rules: Any) -> list[str]:
    """Return the problems of a campaign's topic among those that are declared."""

    @campaign(audience=MANY, **rules)
    def mail(shopper: Any) -> Email:
        return Email("mail", subject="Hello")

    return [str(one) for one in check_project(collect({"Shopper": SHOPPER, "mail": mail}), topics=topics)]


def test_a_topic_has_to_be_declared_and_is_none_of_a_transactional_campaign() -> None:
    assert topics_of(["tea"], topic="tea") == topics_of([]) == []
    [told] = topics_of(["pots", "cups"], topic="tea")
    assert "expected topic= to be one of the setting `topics` (pots, cups), got 'tea'" in told
    [told] = topics_of(["tea"], topic="tea", class_="transactional")
    assert "which nobody can switch off" in told


def test_topics_that_are_not_known_are_not_checked() -> None:
    assert problems_with(audience=MANY, topic="tea") == []
