"""Rules of campaigns one by one: re-entry, `where`, holdouts, mails that cannot be made."""

from shop import AccountOpened, ReviewAsked, SurveyAsked, TopicFollowed, greeting, review_request, survey, tea_letter

from livepost import days
from livepost.testing import Rehearsal

PEOPLE = [f"person-{number}" for number in range(40)]


def test_a_greeting_comes_once_in_a_life(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    shop.wait(days(400))
    shop.happens(AccountOpened(person="ada"))
    assert len(shop.outbox) == 1
    assert shop.why("ada", greeting).startswith("sent: Account Opened happened")


def test_reentry_after_seven_days_is_allowed_and_not_before(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    for length in (days(0), days(6), days(1)):
        shop.wait(length)
        shop.happens(TopicFollowed(person="ada", topic="tea"))
    first, second = shop.outbox
    assert second.at - first.at == days(7)


def test_an_event_that_does_not_fit_starts_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(TopicFollowed(person="ada", topic="coffee"))
    assert shop.outbox == []
    assert shop.why("ada", tea_letter).startswith("no mail: Topic Followed has not happened so that `where` holds")


def test_nobody_is_held_out_unless_asked(shop: Rehearsal) -> None:
    survey_everybody(shop)
    assert len(shop.outbox) == len(PEOPLE)


def test_a_rehearsal_with_holdouts_leaves_out_about_the_share_and_says_so() -> None:
    with Rehearsal(holdouts=True) as shop:
        survey_everybody(shop)
        asked = {mail.person for mail in shop.outbox}
        left_out = [person for person in PEOPLE if person not in asked]
        assert 10 <= len(left_out) <= 30
        assert shop.why(left_out[0], survey).startswith(
            "no mail: held out to measure the campaign's effect, one of 50%"
        )


def test_who_is_held_out_stays_held_out() -> None:
    with Rehearsal(holdouts=True) as shop:
        survey_everybody(shop)
        first = [mail.person for mail in shop.outbox]
        survey_everybody(shop)
        assert [mail.person for mail in shop.outbox] == first + first


def test_a_mail_that_cannot_be_made_stops_nobody_else(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ReviewAsked(person="ada", product_id="tea"), AccountOpened(person="ada"))
    assert [mail.campaign for mail in shop.outbox] == ["greeting"]
    text = shop.why("ada", review_request)
    assert text.startswith(
        "no mail: the mail could not be made, review_request raised LookupError; Review Asked happened"
    )
    assert "own mistake" not in text


def survey_everybody(shop: Rehearsal) -> None:
    for person in PEOPLE:
        shop.knows(person, email=f"{person}@example.com", allows="marketing")
        shop.happens(SurveyAsked(person=person))
