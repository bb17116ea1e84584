"""A course in two mails: no lesson at night, the second one at six in the evening, wherever the person is."""

from datetime import UTC, datetime

from shop import CourseBooked, CourseCancelled, tea_course

from livepost import days, hours
from livepost.testing import Rehearsal


def lessons(shop: Rehearsal) -> list[tuple[str, datetime]]:
    return [(mail.subject, mail.at) for mail in shop.outbox]


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def test_a_lesson_waits_for_the_morning_where_the_person_is_and_the_next_for_an_evening(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing", zone="Asia/Tokyo")
    shop.wait(hours(4))
    shop.happens(CourseBooked(person="ada"))
    shop.wait(days(4))
    assert lessons(shop) == [("Lesson one", at(5, 23)), ("Lesson two", at(8, 9))]
    assert shop.why("ada", tea_course).startswith("sent: Course Booked happened")


def test_who_tells_no_zone_lives_by_the_settings(shop: Rehearsal) -> None:
    shop.knows("bob", email="bob@example.com", allows="marketing")
    shop.happens(CourseBooked(person="bob"))
    shop.wait(days(1))
    assert shop.why("bob", tea_course).startswith(
        "not yet: Course Booked happened 2026-01-05 09:00:00 UTC, mail 2, due 2026-01-07 18:00:00 UTC"
    )
    shop.wait(days(3))
    assert lessons(shop) == [("Lesson one", at(5, 10)), ("Lesson two", at(7, 18))]


def test_a_cancellation_between_two_lessons_ends_the_course(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(CourseBooked(person="ada"))
    shop.wait(days(1))
    shop.happens(CourseCancelled(person="ada"))
    shop.wait(days(4))
    assert [subject for subject, _ in lessons(shop)] == ["Lesson one"]
