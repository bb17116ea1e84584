"""What stands in a module is found by what it is."""

from livepost import Email, Event, Identified, Profile, campaign, count, ecommerce, segment, since
from livepost.project.declarations import collect


class Viewed(Event):
    product_id: str


class Ordered(Event):
    order_id: str


class Left(Event):
    pass


class Shopper(Profile):
    views = count(Viewed)
    quiet = segment(since(Ordered) > since(ecommerce.CartViewed))


@campaign(audience=Shopper.quiet, until=Left)
def reminder(shopper: Shopper) -> Email:
    return Email("reminder", subject="Hello")


def test_profiles_campaigns_and_events_are_found_whatever_they_are_called() -> None:
    project = collect({"a": Shopper, "b": reminder, "c": Viewed, "d": 7, "e": Profile, "f": Event, "g": ecommerce})
    assert project.profiles == (Shopper,)
    assert project.campaigns == (reminder,)
    assert project.profile is Shopper


def test_events_that_are_only_used_belong_to_the_project() -> None:
    project = collect({"Shopper": Shopper, "reminder": reminder})
    assert project.events == (Viewed, Ordered, ecommerce.CartViewed, Left, Identified)


def test_one_thing_under_two_names_is_found_once() -> None:
    project = collect({"a": Viewed, "b": Viewed, "c": reminder, "d": reminder})
    assert (project.events, project.campaigns) == ((Viewed, Left, Identified), (reminder,))


def test_a_project_without_a_profile_has_an_empty_one() -> None:
    assert collect({}).profile is Profile
