"""`livepost dead` over a house at rest: what is listed and shown; what is handed over is said where nobody takes it.

Replays by a running house are in tests/real/test_dead_letters.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livepost.cli import dead as dead_module
from livepost.model.letter import EDITED_BYTES_MAX, Letter, Replayed
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse

NOBODY_RUNS = "is `livepost run` running?"


def broken(message_id: str, **properties: Any) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": properties}
    return {"type": "track", "userId": "bob", "messageId": message_id, **told}


def last_position(livepost: Command) -> str:
    return str(livepost("dead", "list", "--json").json()[-1]["position"])


def test_dead_letters_are_listed_with_all_that_is_open(livepost: Command, house: StillHouse) -> None:
    (letter,) = livepost("dead", "list", "--json").json()
    assert letter["reason"].startswith("expected field `product_id` in `Product Viewed`, got none")
    assert letter["reason"] in livepost("dead", "list").out
    del letter["at"], letter["reason"], letter["position"]
    assert letter == {"fate": "dead_lettered", "source": "server", "name": "Product Viewed", "replayed_at": None}


def test_a_letter_is_shown_with_types_for_values_and_opened_only_when_asked(
    livepost: Command, house: StillHouse
) -> None:
    house.take(broken("m9", productId=["qx-secret"]))
    house.engine_works()
    position = last_position(livepost)
    shown = livepost("dead", "show", position).json()
    assert (shown["position"], shown["key"], shown["message_id"], shown["opened"]) == (
        int(position),
        "secret",
        "m9",
        False,
    )
    assert shown["call"]["properties"] == {"productId": ["a string"]}
    opened = livepost("dead", "show", position, "--open").json()
    assert (opened["opened"], opened["call"]["properties"]) == (True, {"productId": ["qx-secret"]})


def test_only_dead_letters_behind_a_position_are_listed_and_as_many_as_asked_for(
    livepost: Command, house: StillHouse
) -> None:
    house.take(*[broken(f"more-{n}") for n in range(3)])
    house.engine_works()
    positions = [one["position"] for one in livepost("dead", "list", "--json").json()]
    assert len(positions) == 4
    behind = livepost("dead", "list", "--after", str(positions[1]), "--limit", "1", "--json").json()
    assert [one["position"] for one in behind] == positions[2:3]


def test_a_dead_letter_whose_fault_the_engine_found_is_shown_as_the_call_it_was(
    livepost: Command, house: StillHouse
) -> None:
    look = {"type": "track", "userId": "ada", "messageId": "ada-oolong", "event": "Product Viewed"}
    house.take({**look, "properties": {"productId": "another", "colour": "red"}})
    house.engine_works()
    shown = livepost("dead", "show", last_position(livepost), "--open").json()
    assert shown["reason"].startswith("id conflict")
    assert shown["call"] == {
        "type": "track",
        "userId": "ada",
        "event": "Product Viewed",
        "properties": {"product_id": "another", "colour": "red"},
    }


@pytest.mark.parametrize("position", ["0", "999"])
def test_what_is_no_dead_letter_is_not_shown_as_one(livepost: Command, house: StillHouse, position: str) -> None:
    told = livepost("dead", "show", position)
    assert (told.code, told.out) == (1, "")
    assert told.err == (f"livepost: there is no dead letter at position {position}; `livepost dead list` shows them\n")


def test_no_dead_letters_are_said_to_people_and_empty_to_programs(livepost: Command, project: Path) -> None:
    StillHouse(project).engine_works()
    assert livepost("dead", "list").out == "There are no dead letters.\n"
    assert livepost("dead", "list", "--json").json() == []
    assert livepost("dead", "replay", "--all").out == "There are no dead letters to replay.\n"
    assert livepost("dead", "replay", "--all", "--json").json() == []


def test_where_no_house_runs_nothing_is_replayed_and_that_is_said(
    livepost: Command, house: StillHouse, tmp_path: Path
) -> None:
    position = last_position(livepost)
    call = tmp_path / "call.json"
    call.write_text(json.dumps(broken("broken", productId="tea")))
    for words in (
        ["replay", position],
        ["replay", "--all"],
        ["fix", position, "--set", "properties.productId=tea"],
        ["fix", position, "--call", str(call)],
    ):
        told = livepost("dead", *words)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("livepost: no answer from front") and NOBODY_RUNS in told.err
    assert livepost("dead", "list", "--json").json()[-1]["replayed_at"] is None


@pytest.mark.parametrize(
    "words",
    [
        ["replay"],
        ["replay", "1", "--all"],
        ["replay", "1", "--reason", "x"],
        ["fix", "1"],
        ["fix", "1", "--set", "a=1", "--call", "x"],
    ],
)
def test_a_command_line_that_means_nothing_is_refused_as_such(
    livepost: Command, house: StillHouse, words: list[str]
) -> None:
    assert livepost("dead", *words).code == 2


def test_a_correction_that_cannot_be_is_said_before_anybody_is_asked(livepost: Command, house: StillHouse) -> None:
    told = livepost("dead", "fix", last_position(livepost), "--unset", "properties.foo")
    assert (told.code, NOBODY_RUNS in told.err) == (1, False)
    assert "expected something at `properties.foo`, got nothing" in told.err
    told = livepost("dead", "fix", "1", "--call", "nowhere.json")
    assert told.err.startswith("livepost: expected a file with a call in nowhere.json, got none: No such file")


def test_no_more_of_a_file_is_read_than_shows_that_it_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "long.json").write_bytes(bytes(EDITED_BYTES_MAX + 100))
    assert len(dead_module._read(tmp_path / "long.json")) == EDITED_BYTES_MAX + 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Replayed(position=1, at=9), "replayed at position 9"),
        (Replayed(position=1, at=9, before=True), "was replayed before, at position 9"),
        (Replayed(position=1, at=9, reason="why"), "replayed at position 9, and put aside there: why"),
        (Replayed(position=1, reason="why"), "still a dead letter: why"),
        (Replayed(position=1), "good: it would be replayed"),
    ],
)
def test_every_answer_has_its_words(answer: Replayed, said: str) -> None:
    assert dead_module._said(answer) == f"           1  {said}"


def test_a_line_says_quarantined_and_where_it_was_replayed() -> None:
    letter = Letter(
        position=1, fate="quarantined", reason="why", at=0, source="web", name="Tea Tasted", replayed_at=1_234
    )
    assert dead_module._line(letter) == "quarantined: why; replayed at position 1,234"
