"""Two people's journals become one: the same in any order, but for what was told under the name that stays."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.decide.joining import join_journals
from livepost.model.journal import Consent, Journal, Journey, Memory, Watched

TIMES = st.integers(0, 4)
NAMES = st.sampled_from(["one", "two"])
CONSENTS = st.dictionaries(
    st.sampled_from(["marketing", "service"]),
    st.builds(Consent, TIMES, st.sampled_from(["a", "b"]), st.booleans(), st.just("web")),
)
JOURNEYS = st.builds(Journey, TIMES, st.just(9), st.binary(min_size=1, max_size=1), st.just(""))
MEMORIES = st.builds(
    Memory,
    journey=st.none() | JOURNEYS,
    entered=st.none() | TIMES,
    decided=st.lists(TIMES, max_size=3).map(sorted),
    watched=st.lists(st.builds(Watched, TIMES, st.binary(min_size=1, max_size=1)), max_size=3).map(
        lambda some: sorted(some, key=lambda w: (w.at, w.decision))
    ),
    held_out=st.none() | st.tuples(TIMES, st.booleans()),
)
JOURNALS = st.builds(Journal, CONSENTS, st.just({}), st.dictionaries(NAMES, MEMORIES))


@settings(max_examples=100)
@given(st.lists(JOURNALS, min_size=2, max_size=4), st.randoms())
def test_journals_join_to_the_same_in_any_order_and_grouping(journals: list[Journal], dice: object) -> None:
    shuffled = journals.copy()
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    from_the_left = reduce(join_journals, journals)
    from_the_right = reduce(lambda right, left: join_journals(left, right), reversed(shuffled))
    assert from_the_left == from_the_right


@settings(max_examples=50)
@given(JOURNALS)
def test_joining_with_an_empty_journal_changes_nothing(journal: Journal) -> None:
    assert join_journals(journal, Journal()) == join_journals(Journal(), journal) == journal


def test_the_later_consent_wins_and_of_one_time_the_larger_message_id() -> None:
    old, new = Consent(1, "z", True, "web"), Consent(2, "a", False, "web")
    tied = Consent(2, "b", True, "web")
    joined = join_journals(Journal({"m": new, "s": new}), Journal({"m": old, "s": tied}))
    assert joined.consents == {"m": new, "s": tied}


def test_what_was_told_is_the_winners_only() -> None:
    joined = join_journals(Journal(told={"m": True}), Journal(told={"s": True}))
    assert joined.told == {"m": True}


def test_what_the_two_names_told_differently_is_told_again() -> None:
    yes, no = (Consent(1, "a", allowed, "web") for allowed in (True, False))
    winner = Journal({"m": yes, "s": yes, "t": yes}, {"m": True, "s": True, "t": True})
    loser = Journal({"m": no, "s": yes, "t": no}, {"m": False, "s": True})
    assert join_journals(winner, loser).told == {"s": True}


def test_of_two_journeys_the_one_entered_first_stays_and_of_one_time_the_smaller_cause() -> None:
    late, early, tied = (Journey(at, 9, cause, "") for at, cause in [(5, b"a"), (3, b"z"), (3, b"b")])

    def both(a: Journey, b: Journey) -> Journey | None:
        return (
            join_journals(Journal(campaigns={"c": Memory(a)}), Journal(campaigns={"c": Memory(b)}))
            .campaigns["c"]
            .journey
        )

    assert (both(late, early), both(early, tied)) == (early, tied)


def test_memories_keep_the_last_entry_all_times_and_the_earlier_draw() -> None:
    mine = Memory(entered=5, decided=[1, 5], watched=[Watched(5, b"x")], held_out=(5, False))
    theirs = Memory(entered=3, decided=[3], watched=[Watched(3, b"y")], held_out=(3, True))
    joined = join_journals(Journal(campaigns={"c": mine}), Journal(campaigns={"c": theirs, "d": theirs})).campaigns
    assert joined["c"] == Memory(
        entered=5, decided=[1, 3, 5], watched=[Watched(3, b"y"), Watched(5, b"x")], held_out=(3, True)
    )
    assert joined["d"] == theirs


@pytest.mark.parametrize("key", ["topic:tea", "frequency:1 per 7d"])
@pytest.mark.parametrize(("refused_at", "allowed_at"), [(1, 9), (9, 1)])
def test_of_a_choice_the_refusal_counts_whichever_came_later(key: str, refused_at: int, allowed_at: int) -> None:
    no, yes = Consent(refused_at, "m", False, "web"), Consent(allowed_at, "m", True, "web")
    for mine, theirs in ((no, yes), (yes, no)):
        joined = join_journals(Journal(consents={key: mine}), Journal(consents={key: theirs}))
        assert joined.consents == {key: no}
    assert join_journals(Journal(consents={key: no}), Journal()).consents == {key: no}
