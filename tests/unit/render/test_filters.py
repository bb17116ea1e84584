from __future__ import annotations

import pytest
from liquid.exceptions import FilterArgumentError

from livepost.render.filters import bounded_filters, date
from livepost.render.language import MailEnvironment, parse, run
from livepost.render.limits import MAX_ITEMS, MAX_NUMBER, MAX_VALUE_CHARS


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1_700_000_000_000, "%Y-%m-%d", "2023-11-14"),
        (1_700_000_000, "%Y-%m-%d", "2023-11-14"),
        ("2023-11-14T22:13:20+00:00", "%-d %b", "14 Nov"),
        ("soon", "%Y", "soon"),
        ("now", "%Y", "now"),
        (None, "%Y", ""),
    ],
)
def test_a_date_is_told_in_utc_and_there_is_no_now(value: object, form: str, text: str) -> None:
    assert date(value, form) == text


@pytest.mark.parametrize("form", ["%100d", "%", "%_%1d", "x" * 65])
def test_a_form_that_could_widen_is_refused(form: str) -> None:
    with pytest.raises(FilterArgumentError):
        date(0, form)


def test_a_filter_takes_and_gives_up_to_its_bounds() -> None:
    filters = bounded_filters(MailEnvironment({}, html=False).filters)
    half = "a" * (MAX_VALUE_CHARS // 2)
    assert len(filters["append"](half, half)) == MAX_VALUE_CHARS
    for name, given in (
        ("append", (half, half + "a")),
        ("upcase", (half * 3,)),
        ("replace", (half, "a", "aaa")),
        ("join", ([half, half], "ab")),
        ("sort", (list(range(MAX_ITEMS + 1)),)),
        ("plus", (MAX_NUMBER, 1)),
        ("times", (float("nan"), 1)),
    ):
        with pytest.raises(FilterArgumentError, match="limit"):
            filters[name](*given)


def test_money_is_a_filter() -> None:
    template = parse(MailEnvironment({}, html=True), "{{ spend | money }} {{ spend }}", "t")
    from livepost.render.money import plain

    assert run(template, {"spend": plain([4990, "EUR"])})[0] == "€49.90 49.90 EUR"
