from pathlib import Path
from typing import Any

import pytest

from livepost.cli import inspect as inspect_module
from livepost.ops.parity.compare import Mismatch, Parity
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


@pytest.mark.parametrize(
    "words",
    [
        ["why", "ada"],
        ["parity"],
        ["dead", "list"],
        ["dead", "show", "1"],
        ["dead", "replay", "--all"],
        ["mailbox", "list"],
    ],
)
def test_where_nothing_ran_yet_the_sentence_says_what_to_do(livepost: Command, project: Path, words: list[str]) -> None:
    told = livepost(*words)
    assert (told.code, told.out) == (1, "")
    assert (
        told.err
        == f"livepost: there is nothing in {project / 'data'} yet; `livepost run` in the project's folder begins\n"
    )
    assert not (project / "data").exists()


def test_why_tells_the_reason_with_what_is_behind_it(livepost: Command, house: StillHouse) -> None:
    told = livepost("why", "ada", "browse_reminder")
    assert told.code == 0
    assert told.out.startswith("sent: entered Shopper.browsing")
    assert "views_7d is 3" in livepost("why", "ada", "browsing").out
    assert "segment vip: not in vip" in livepost("why", "ada").out


def test_why_as_json_has_the_same_in_fields(livepost: Command, house: StillHouse) -> None:
    told = livepost("why", "ada@example.com", "browse_reminder", "--json").json()
    assert (told["campaign"], told["state"]) == ("browse_reminder", "sent")
    assert [move["text"] for move in told["mails"][0]["moves"]] == ["pending", "claimed", "in_flight", "sent"]


def test_why_about_nobody_is_a_sentence_and_exit_code_1(livepost: Command, house: StillHouse) -> None:
    told = livepost("why", "cleo")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("livepost: nobody is known as 'cleo'")


def test_parity_of_a_sound_house_holds(livepost: Command, house: StillHouse) -> None:
    told = livepost("parity")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("1 person, ") and told.out.endswith(": no mismatch\n")
    found = livepost("parity", "--people", "1", "--json").json()
    assert found["holds"] and found["people"] == 1 and found["mismatches"] == []


def test_parity_asks_for_a_number_of_people_or_for_all(livepost: Command, house: StillHouse) -> None:
    assert livepost("parity", "--people", "all", "--json").json()["people"] == 1
    told = livepost("parity", "--people", "some")
    assert told.code == 2
    assert "expected a number of people or all, got 'some'" in told.err


def test_parity_exits_with_1_and_names_what_differs(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the live state is shown to the comparison with one look too many."""

    def tampered(engine: Any, limit: int) -> Any:
        views = settled(engine, limit)
        views[0].features["views_7d"] += 1
        return views

    settled = inspect_module._settled
    monkeypatch.setattr(inspect_module, "_settled", tampered)
    told = livepost("parity")
    assert told.code == 1
    assert "feature views_7d: live 4, recomputed 3" in told.out
    assert told.out.endswith(": 1 mismatch\n")
    assert livepost("parity", "--json").json()["holds"] is False


def test_parity_with_nobody_to_compare_is_not_passed_off_as_good(livepost: Command, project: Path) -> None:
    empty = StillHouse(project)
    empty.engine_works()
    told = livepost("parity")
    assert (told.code, told.err) == (1, "livepost: there is nobody to compare yet; send events first\n")


def test_the_words_of_parity_fit_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    mismatch = Mismatch("ab", "segment", "vip", True, False)
    found = Parity(
        position=1_234, as_of=0, people=1_000, values=5, mismatched=2, mismatches=(mismatch,) * 2, holds=False
    )
    inspect_module._say_parity(found, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "1,000 people, 5 values at position 1,234: 2 mismatches"
