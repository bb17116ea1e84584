"""The form behind a mail's link: what it shows, what it means; `tests/journeys/test_choices.py` tells whole stories."""

from __future__ import annotations

import pytest

from livepost.api.preferences import Form, Shown, frequency_in, wishes_of

WEEK, MONTH = "frequency:1 per 7d", "frequency:1 per 30d"
SHOWN = Shown(purposes={"marketing": ""}, topics={"topic:tea": "", "topic:pot": ""}, frequencies={WEEK: "", MONTH: ""})
ALL = frozenset({"marketing", "topic:tea", "topic:pot", WEEK, MONTH})


def test_what_is_ticked_is_wanted_and_what_is_not_is_not() -> None:
    form = Form(ALL, frozenset({"marketing", "topic:pot"}), WEEK, False)
    assert wishes_of(form, SHOWN) == {
        "marketing": True,
        "topic:tea": False,
        "topic:pot": True,
        WEEK: False,
        MONTH: True,
    }


def test_of_what_a_form_did_not_show_it_says_nothing() -> None:
    """A topic that was declared while the page was open."""
    form = Form(frozenset({"marketing", "topic:tea"}), frozenset({"marketing", "topic:pot", "other"}), "", False)
    assert wishes_of(form, SHOWN) == {"marketing": True, "topic:tea": False}


def test_stop_takes_back_the_purposes_and_leaves_choices_alone() -> None:
    assert wishes_of(Form(ALL, ALL, "", True), SHOWN) == {"marketing": False}


@pytest.mark.parametrize(
    ("standing", "key"),
    [
        ({}, ""),
        ({WEEK: False}, WEEK),
        ({WEEK: False, MONTH: False}, MONTH),
        ({WEEK: True, "topic:tea": False}, ""),
        ({"frequency:3 per 7d": False, WEEK: False}, WEEK),
    ],
)
def test_the_fewest_mails_asked_for_are_what_is_shown(standing: dict[str, bool], key: str) -> None:
    assert frequency_in(standing) == key
