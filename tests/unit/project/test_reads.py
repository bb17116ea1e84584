"""Which features a mail is made of, found by trying its function."""

from __future__ import annotations

from pathlib import Path

from livepost.project.reads import MailReads
from tests.unit.govern.policy.shop import PAGE, given_of


def mail(folder: Path, body: str) -> MailReads:
    page = PAGE[: PAGE.index("def reminder")] + "def reminder(shopper):\n" + body
    [found] = given_of(folder, page=page).mails
    return found


def test_what_a_function_reads_and_in_which_variable_it_ends_up(tmp_path: Path) -> None:
    found = mail(
        tmp_path,
        "    who = (shopper.first_name or 'you').upper()\n"
        "    return Email('a', subject='Hi', greeting=f'Dear {who}', "
        "rows=[shopper.looked_at, shopper.spend], fixed=1)\n",
    )
    assert found.read == {"first_name", "looked_at", "spend"}
    assert found.given == {"greeting", "rows", "fixed"}
    assert dict(found.carried) == {"greeting": {"first_name"}, "rows": {"looked_at", "spend"}}
    assert (found.campaign, found.template, found.purpose) == ("reminder", "a", "marketing")


def test_a_function_that_raises_on_what_it_is_given_carries_it_everywhere(tmp_path: Path) -> None:
    found = mail(
        tmp_path,
        "    name = shopper.first_name\n    return Email('a', subject='Hi', x=1 if name is None else int(name))\n",
    )
    assert dict(found.carried) == {"x": {"first_name"}}


def test_a_subject_that_depends_on_somebody_counts_as_carrying_them(tmp_path: Path) -> None:
    found = mail(tmp_path, "    return Email('a', subject=f'Hi {shopper.first_name}', x=1)\n")
    assert found.carried["subject"] == {"first_name"}


def test_a_function_that_cannot_be_tried_is_left_to_check(tmp_path: Path) -> None:
    page = PAGE[: PAGE.index("def reminder")] + "def reminder(shopper):\n    raise ValueError\n"
    assert given_of(tmp_path, page=page).mails == []
