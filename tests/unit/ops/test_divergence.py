from collections.abc import Callable

import msgspec

from livepost.ids import digest
from livepost.model.decision import Decision, Transition
from livepost.ops.divergence import AT_ONCE, EXAMPLES_MAX, Compared, Made, Side, compare


def transition(number: int, **also: object) -> Transition:
    return Transition(
        id=digest("transition", number),
        person=digest("ada"),
        segment="browsing",
        version="v1",
        number=1,
        entered=True,
        at=1_000 + number,
        position=number,
        origin=0,
        **also,  # type: ignore[arg-type]
    )


def decision(number: int) -> Decision:
    return Decision(
        id=digest("decision", number),
        campaign="reminder",
        version="v1",
        step=0,
        person=digest("ada"),
        cause=digest("cause", number),
        cause_text="entered browsing",
        at=1_000 + number,
        position=number,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
    )


def side(*made: Made) -> Side:
    return lambda: made


def compared(before: list[Made], after: list[Made], upto: int = 1_000_000) -> Compared:
    return compare(side(*before), side(*after), upto)


def test_what_is_made_the_same_again_is_no_divergence_in_whatever_order() -> None:
    made: list[Made] = [transition(number) for number in range(10)]
    found = compared(made, list(reversed(made)))
    assert (found.same, found.holds, found.examples) == (10, True, ())


def test_nothing_on_either_side_is_the_same() -> None:
    assert compared([], []) == Compared(same=0, different=0, new=0, missing=0)


def test_what_only_one_side_has_and_what_differs_is_told_with_its_fields() -> None:
    later = msgspec.structs.replace(decision(3), at=9, position=4)
    found = compared([decision(1), decision(2), decision(3)], [decision(1), later, decision(5)])
    assert (found.same, found.different, found.new, found.missing) == (1, 1, 1, 1)
    assert [(one.kind, one.id, one.fields) for one in found.examples] == [
        ("different", decision(3).id.hex(), ("at", "position")),
        ("new", decision(5).id.hex(), ()),
        ("missing", decision(2).id.hex(), ()),
    ]
    assert {one.name for one in found.examples} == {"reminder"}
    assert not found.holds


def test_other_words_for_people_are_no_divergence() -> None:
    assert compared([decision(1)], [msgspec.structs.replace(decision(1), cause_text="else", detail="so")]).holds


def test_what_the_ledger_has_not_come_to_is_ahead_and_no_divergence() -> None:
    found = compared([decision(1)], [decision(1), decision(7)], upto=6)
    assert (found.ahead, found.new, found.holds) == (1, 0, True)
    assert compared([decision(1)], [decision(1), decision(7)], upto=7).new == 1


def test_the_first_of_many_are_told_and_all_are_counted() -> None:
    count = AT_ONCE + 1
    found = compared([], [transition(number) for number in reversed(range(count))])
    assert found.new == count
    assert [one.position for one in found.examples] == list(range(EXAMPLES_MAX))


def test_ids_that_end_in_zeros_are_told_apart_and_found() -> None:
    zeros: Callable[[bytes], Made] = lambda id: msgspec.structs.replace(transition(1), id=id)  # noqa: E731
    one, other = zeros(b"a" * 15 + b"\0"), zeros(b"a" * 14 + b"\0\0")
    found = compared([one], [other])
    assert (found.same, [example.id for example in found.examples]) == (0, [other.id.hex(), one.id.hex()])
