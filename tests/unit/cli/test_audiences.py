"""`audiences`: what it lists, compares and lets go on; and what `check` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.sync.book import Book, DeadLetter, Standing
from livepost.sync.card import Row
from tests.unit.cli.conftest import Command
from tests.unit.fetch.receiver import Receiver, receiving
from tests.unit.runtime.still import make_project
from tests.unit.sync.bench import reply_of
from tests.unit.sync.vendors import KEY, IterableModel

TABLE = """allow_outgoing = ["127.0.0.1:{port}"]
[[audiences]]
name = "crm"
vendor = "iterable"
key = "env:CRM"
url = "http://127.0.0.1:{port}/"
segments = {{ browsing = "11" }}
"""
STANDING = Standing(name="crm", config="1", epoch="e", transition=0, permit=0, stage=-1, rounds=1)


@pytest.fixture
def model() -> IterableModel:
    one = IterableModel()
    one.put("ada@example.com", {}, ["11"])
    return one


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: IterableModel) -> Iterator[Path]:
    """A project with one destination and a data folder that a house ran on, with one person and a dead letter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRM", KEY)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.db").touch()
    row = Row(handle=b"h", person=b"p" * 16, ident=b"", sure=frozenset(["11"]), maybe=frozenset(["11"]))
    letter = DeadLetter(destination="crm", handle=b"i", person=b"q" * 16, at=1, why="invalidEmails", card="c")
    with closing(Book(tmp_path / "data" / "audiences.db")) as book:
        book.stand(STANDING)
        book.settle(STANDING, rows=[row], letters=[letter])
    with receiving(lambda request: reply_of(model, request)) as receiver:
        write(tmp_path, receiver)
        yield tmp_path


def write(folder: Path, receiver: Receiver) -> None:
    (folder / "livepost.toml").write_text(TABLE.format(port=receiver.port))


def test_list_says_what_is_there_and_what_waits(here: Path, livepost: Command) -> None:
    assert "1 people, 0 wait, 0 jobs, 1 dead letters" in livepost("audiences", "list").out
    with closing(Book(here / "data" / "audiences.db")) as book:
        book.settle(Standing(**{**kept(), "held": "1,000 dead letters wait", "tries": 2, "error": "no"}))
    assert "held: 1,000 dead letters wait" in livepost("audiences", "list").out
    [shown] = livepost("audiences", "list", "--json").json()
    assert (shown["name"], shown["vendor"], shown["contract_checked"]) == ("crm", "iterable", False)
    assert (shown["tally"]["people"], shown["standing"]["error"]) == (1, "no")


def kept() -> dict[str, object]:
    return {name: getattr(STANDING, name) for name in Standing.__struct_fields__}


def test_dead_letters_are_listed_and_sent_again(here: Path, livepost: Command) -> None:
    assert "invalidEmails" in livepost("audiences", "dead").out
    [letter] = livepost("audiences", "dead", "--json").json()
    assert letter["person"] == (b"q" * 16).hex()
    assert "1 dead letters are sent again" in livepost("audiences", "retry", "crm").out
    assert "There are no dead letters" in livepost("audiences", "dead").out
    assert livepost("audiences", "retry", "nobody").code == 1


def test_drift_is_told_and_exits_with_1(here: Path, model: IterableModel, livepost: Command) -> None:
    told = livepost("audiences", "drift", "crm")
    assert (told.code, "in step" in told.out) == (0, True)
    model.put("eve@example.com", {}, ["11"])
    told = livepost("audiences", "drift", "crm", "--json")
    assert (told.code, told.json()[0]["theirs"], told.json()[0]["by"]) == (1, 2, 1)
    model.faults = ["500"]
    told = livepost("audiences", "drift", "crm")
    assert (told.code, "iterable answered 500" in told.out) == (0, True)
    assert livepost("audiences", "drift", "nobody").code == 1


def test_check_says_what_the_project_does_not_have(here: Path, livepost: Command) -> None:
    settings = (here / "livepost.toml").read_text()
    make_project(here)
    (here / "livepost.toml").write_text(settings.replace("browsing", "browsin"))
    told = livepost("check")
    assert (told.code, "did you mean browsing?" in told.out) == (1, True)
    (here / "livepost.toml").write_text(settings)
    assert livepost("check").code == 0
