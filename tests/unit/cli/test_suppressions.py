from contextlib import closing
from pathlib import Path

import pytest

from livepost.runtime.data.folder import DataFolder
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def blind(folder: DataFolder, address: str) -> bytes:
    with closing(folder.vault(readonly=True)) as vault:
        return vault.blind("suppression", address)


def test_an_address_is_suppressed_told_of_and_let_go_with_the_reason_kept(livepost: Command, house: StillHouse) -> None:
    assert livepost("suppressions", "list").out == "Nothing is suppressed.\n"
    assert livepost("suppressions", "add", "Ada@Example.com", "--reason", "asked by phone").out == "Suppressed.\n"
    assert "already" in livepost("suppressions", "add", "ada@example.com").out
    assert livepost("suppressions", "list").out.split() == ["1", "asked", "by", "phone"]
    assert livepost("suppressions", "list", "ada@example.com").out.startswith("Suppressed since 20")
    with closing(house.folder.ledger()) as ledger:
        assert ledger.suppression(blind(house.folder, "ada@example.com")) is not None
    assert livepost("suppressions", "remove", "ada@example.com", "--reason", "a mistake").code == 0
    told = livepost("suppressions", "list", "ada@example.com")
    assert told.out.startswith("Not suppressed.\nLet go 20")
    assert "a mistake (it was: asked by phone)" in told.out
    told = livepost("suppressions", "list", "ada@example.com", "--json").json()
    assert (told["suppression"], [one["reason"] for one in told["lifts"]]) == (None, ["a mistake"])


def test_what_is_not_suppressed_cannot_be_let_go(livepost: Command, house: StillHouse) -> None:
    told = livepost("suppressions", "remove", "bob@example.com", "--reason", "x")
    assert (told.code, "expected an address that is suppressed" in told.err) == (1, True)


@pytest.mark.parametrize("words", [("add", "nobody"), ("add", "a@b.example", "--reason", "said a@b.example")])
def test_what_is_no_address_or_names_one_is_a_sentence(
    livepost: Command, house: StillHouse, words: tuple[str, ...]
) -> None:
    told = livepost("suppressions", *words)
    assert (told.code, told.err.startswith("livepost: expected a")) == (1, True)


def test_a_file_is_imported_row_by_row_and_again_without_harm(
    livepost: Command, house: StillHouse, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    rows = ["name,Email,reason", "Ada,ada@example.com,complained", "Bob,bob@example", "", 'Cy,"cy@example.com",']
    file.write_text("\ufeff" + "\r\n".join([*rows, *(f"n,n{number}@example.com," for number in range(1_500))]))
    told = livepost("suppressions", "import", str(file), "--reason", "from the old sender", "--json")
    assert told.code == 1
    assert told.json() == {
        "new": 1_502,
        "known": 0,
        "faults": [[3, "expected an address such as ada@example.com; correct the row"]],
    }
    assert livepost("suppressions", "import", str(file)).out.startswith("0 new, 1,502 were suppressed already.")
    assert livepost("suppressions", "list", "--json").json() == {"complained": 1, "from the old sender": 1_501}


def test_a_file_of_addresses_alone_has_no_head(livepost: Command, house: StillHouse, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    file.write_text("ada@example.com\nbob@example.com\n")
    assert livepost("suppressions", "import", str(file)).out == "2 new, 0 were suppressed already.\n"


def test_a_file_that_is_not_there_is_a_sentence(livepost: Command, house: StillHouse, tmp_path: Path) -> None:
    assert "cannot be read" in livepost("suppressions", "import", str(tmp_path / "none.csv")).err
