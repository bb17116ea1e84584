from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.control.requests import MOVES, Requests, RequestState, RightsRequest
from livepost.control.sqlite import ControlStore

DAY = 86_400_000
ADA, BOB = bytes(range(16)), bytes(16)


def request(number: int = 1, **told: Any) -> RightsRequest:
    plain: dict[str, Any] = {
        "id": f"{number:032x}",
        "kind": "access",
        "regulation": "gdpr",
        "way": "cli",
        "subjects": (ADA,),
        "submitted_at": 1,
        "received_at": number,
        "due_at": number + 30 * DAY,
        "verified": "by a call back",
        "entered_by": "command:me",
    }
    return RightsRequest(**{**plain, **told})


@pytest.fixture
def requests(tmp_path: Path) -> Iterator[Requests]:
    with closing(ControlStore(tmp_path / "control.db")) as store:
        yield Requests(store)


def test_a_request_stays_with_each_step(requests: Requests) -> None:
    one = requests.enter(request())
    assert requests.get(one.id) == one
    assert requests.move(one.id, "in_progress", now_ms=5, by="a", told="begun")
    assert requests.move(one.id, "completed", now_ms=9, by="b", told="sent", results=3)
    done = requests.get(one.id)
    assert done is not None
    assert (done.state, done.answered_at, done.answer, done.results, done.is_open) == ("completed", 9, "sent", 3, False)
    assert [(step.who, step.state) for step in requests.steps(one.id)] == [
        ("command:me", "pending"),
        ("a", "in_progress"),
        ("b", "completed"),
    ]


@pytest.mark.parametrize("before", list(MOVES))
@pytest.mark.parametrize("after", list(MOVES))
def test_it_goes_only_where_moves_allow(requests: Requests, before: RequestState, after: RequestState) -> None:
    one = requests.enter(request(state=before))
    assert requests.move(one.id, after, now_ms=5, by="a", told="") is (after in MOVES[before])


def test_what_came_under_an_id_is_there_once(requests: Requests) -> None:
    first = requests.enter(request(1, outside="x"))
    assert requests.enter(request(2, outside="x")) == first
    assert requests.by_outside("x") == first
    assert len(requests.listed()) == 1


def test_open_ones_are_listed_as_they_fall_due_and_counted(requests: Requests) -> None:
    late, soon, far = (request(number, due_at=due) for number, due in ((1, 10), (2, 3 * DAY), (3, 90 * DAY)))
    done = request(4, state="completed")
    for one in (far, done, soon, late):
        requests.enter(one)
    assert requests.listed() == [late, soon, far, done]
    assert requests.listed(open_only=True) == [late, soon, far]
    assert requests.standing(100, 7 * DAY) == {"open": 3, "due_soon": 1, "overdue": 1}


def test_time_is_extended_once_while_it_is_open(requests: Requests) -> None:
    one = requests.enter(request())
    assert requests.extend(one.id, 999, why="many letters", now_ms=5, by="a")
    found = requests.get(one.id)
    assert found is not None and (found.due_at, found.extended) == (999, "many letters")
    assert not requests.extend(one.id, 9_999, why="again", now_ms=6, by="a")


def test_a_person_is_found_by_any_subject(requests: Requests) -> None:
    mine = requests.enter(request(1, subjects=(BOB, ADA)))
    requests.enter(request(2, subjects=()))
    assert requests.of_person([ADA]) == [mine]
    assert requests.of_person([bytes(15) + b"x"]) == []


def test_a_url_is_called_back_for_each_state_in_order_until_it_takes_it(requests: Requests) -> None:
    one = requests.enter(request(), urls=["https://a.example/", "https://b.example/"])
    requests.move(one.id, "in_progress", now_ms=5, by="a", told="")
    requests.move(one.id, "completed", now_ms=6, by="a", told="")
    first, other = requests.callbacks(6)
    assert [(call.url, call.state) for call in (first, other)] == [
        ("https://a.example/", "in_progress"),
        ("https://b.example/", "in_progress"),
    ]
    requests.called(first, now_ms=7, error="", again_at=0)
    requests.called(other, now_ms=7, error="it slept", again_at=100)
    assert [(call.url, call.state) for call in requests.callbacks(7)] == [("https://a.example/", "completed")]
    [again] = [call for call in requests.callbacks(100) if call.url == "https://b.example/"]
    assert (again.state, again.tries) == ("in_progress", 1)
    requests.called(again, now_ms=101, error="it slept", again_at=0)
    assert [call.error for call in requests.callbacks_of(one.id) if call.done_at] == ["", "it slept"]
