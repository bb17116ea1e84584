from email import message_from_bytes
from pathlib import Path

import pytest

from livepost.cli.mailbox import ID_CHARS
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, look


def test_kept_mails_are_listed_with_whom_they_went_to(livepost: Command, house: StillHouse) -> None:
    (row,) = livepost("mailbox", "list", "--json").json()
    assert (row["to"], row["subject"]) == ("ada@example.com", "Still thinking it over, Ada?")
    assert len(row["id"]) == ID_CHARS
    assert row["id"] in livepost("mailbox", "list").out


@pytest.mark.parametrize("name", ["ada", "ada@example.com"])
def test_the_mails_of_one_person_are_listed_by_whichever_id(livepost: Command, house: StillHouse, name: str) -> None:
    house.take(look("green-tea", "bob"))
    house.work()
    assert len(livepost("mailbox", "list", name, "--json").json()) == 1
    assert livepost("mailbox", "list", "bob", "--json").json() == []


def test_nobody_of_that_name_is_a_sentence(livepost: Command, house: StillHouse) -> None:
    told = livepost("mailbox", "list", "cleo")
    assert (told.code, told.err[:36]) == (1, "livepost: nobody is known as 'cleo':")


def test_the_newest_mail_or_the_one_of_an_id_is_shown_as_people_read_it(livepost: Command, house: StillHouse) -> None:
    (row,) = livepost("mailbox", "list", "--json").json()
    newest = livepost("mailbox", "show").out
    assert newest == livepost("mailbox", "show", row["id"]).out
    assert "To: ada@example.com\n" in newest
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in newest
    assert "oolong" in newest and "<html" not in newest


def test_the_bytes_of_a_mail_go_to_a_file(livepost: Command, house: StillHouse, tmp_path: Path) -> None:
    told = livepost("mailbox", "show", "--raw", str(tmp_path / "mail.eml"))
    assert told.out == f"The mail is in {tmp_path / 'mail.eml'}.\n"
    mail = message_from_bytes((tmp_path / "mail.eml").read_bytes())
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("id", "said"),
    [("00" * 16, "there is no such mail; `livepost mailbox list`"), ("zz", "expected an id of 32 hexadecimal digits")],
)
def test_what_is_no_mail_is_a_sentence(livepost: Command, house: StillHouse, id: str, said: str) -> None:
    told = livepost("mailbox", "show", id)
    assert (told.code, told.out) == (1, "")
    assert said in told.err


def test_an_empty_mailbox_says_so(livepost: Command, project: Path) -> None:
    still = StillHouse(project)
    still.take(*THREE_LOOKS)
    still.engine_works()
    assert livepost("mailbox", "list").out == "No mail is kept.\n"
    assert livepost("mailbox", "list", "--json").json() == []
    assert livepost("mailbox", "show").code == 1


@pytest.mark.parametrize("limit", ["0", "1001"])
def test_a_limit_out_of_bounds_is_refused(livepost: Command, house: StillHouse, limit: str) -> None:
    assert livepost("mailbox", "list", "--limit", limit).code == 2
