from __future__ import annotations

from tests.unit.api.house import START, Asked


def test_segments_are_told_with_how_many_people_are_in_them(asked: Asked) -> None:
    told = asked.ask("/api/segments").json()["segments"]
    assert told == [{"segment": "keen", "people": 1}, {"segment": "idle", "people": 1}]


def test_members_come_page_by_page_and_nobody_twice(asked: Asked) -> None:
    for name in "cdefg":
        asked.knows(name)
    seen: list[str] = []
    path = "/api/segments/idle/people?limit=2"
    page = asked.ask(path).json()
    while page["next"] is not None:
        assert len(page["people"]) == 2
        seen += [one["person"] for one in page["people"]]
        page = asked.ask(f"{path}&after={page['next']}").json()
    seen += [one["person"] for one in page["people"]]
    assert len(seen) == len(set(seen)) == 6
    assert asked.house.subject("bob").hex() in seen


def test_a_member_is_told_with_the_time_of_entering(asked: Asked) -> None:
    [one] = asked.ask("/api/segments/keen/people").json()["people"]
    assert one == {"person": asked.house.subject("ada").hex(), "since": START}


def test_a_segment_that_is_not_there_is_not_found(asked: Asked) -> None:
    reply = asked.ask("/api/segments/keener/people")
    assert reply.status_code == 404
    assert "keen, idle" in reply.json()["detail"]
