"""`webhooks`: what it lists, sends, shows and sends again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Official

from livepost.announce.book import Book, DeadLetter
from livepost.announce.signature import read_keys
from livepost.runtime.data.folder import DataFolder
from livepost.settings.settings import Settings
from livepost.vault.base import USER, ExternalId
from livepost.vault.pseudonym import Pseudonyms
from tests.unit.announce.test_signature import OLD
from tests.unit.cli.conftest import Answer, Command
from tests.unit.fetch.forms import forms
from tests.unit.fetch.receiver import Receiver, Reply, receiving
from tests.unit.runtime.still import STARTER, make_project

TABLE = '[[webhooks]]\nname = "crm"\nurl = {url!r}\nsecret = "env:CRM"\n'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> Path:
    """A project with one target and a data folder that a house ran on, with two dead letters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRM", OLD)
    write(tmp_path, f"http://127.0.0.1:{receiver.port}/in", f"127.0.0.1:{receiver.port}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.db").touch()
    with closing(Book(tmp_path / "data" / "webhooks.db")) as book:
        book.begin("crm", "e.1.1")
        for number in (1, 2):
            book.die(
                DeadLetter(0, "crm", f"receipt_{number}", "receipt", b'{"a": 1}', 7, 10, "it answered 500"), "e.1.2"
            )
    return tmp_path


def write(folder: Path, url: str, *allowed: str) -> None:
    (folder / "livepost.toml").write_text(f"allow_outgoing = {[*allowed]!r}\n" + TABLE.format(url=url))


def test_list_says_how_far_each_target_is_and_what_it_waits_for(here: Path, livepost: Command) -> None:
    assert "0 told, 2 dead letters" in livepost("webhooks", "list").out
    with closing(Book(here / "data" / "webhooks.db")) as book:
        book.disable("crm", "it answered 410: it wants no more")
    assert "disabled: it answered 410" in livepost("webhooks", "list").out
    [shown] = livepost("webhooks", "list", "--json").json()
    assert (shown["name"], shown["dead"], shown["standing"]["cursor"]) == ("crm", 2, "e.1.2")
    assert livepost("webhooks", "resume", "crm").code == 0
    assert "disabled" not in livepost("webhooks", "list").out
    assert livepost("webhooks", "resume", "nobody").code == 1


def test_test_sends_one_signed_message(here: Path, receiver: Receiver, livepost: Command) -> None:
    assert livepost("webhooks", "test", "crm").code == 0
    [request] = receiver.requests
    assert Official(OLD).verify(request.body, request.headers)["type"] == "test"
    receiver.reply = lambda _: Reply(500)
    told = livepost("webhooks", "test", "crm", "--json")
    assert (told.code, told.json()[0]["found"]["why"]) == (1, "it answered 500")
    assert livepost("webhooks", "test", "nobody").code == 1


def test_no_unsafe_form_brings_a_connection_at_a_test(here: Path, receiver: Receiver, livepost: Command) -> None:
    for url in forms(receiver.port):
        if url.isprintable():  # others are not TOML
            write(here, url)
            assert livepost("webhooks", "test", "crm").code == 1
    assert receiver.connections == 0


def test_check_refuses_a_target_that_could_not_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, livepost: Command
) -> None:
    make_project(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setenv("CRM", OLD)
    assert livepost("check").code == 0
    settings = (tmp_path / "shop" / "livepost.toml").read_text()

    def stands_for(peer: str, url: str = "https://hooks.example.com/") -> Answer:
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (peer, port))])
        (tmp_path / "shop" / "livepost.toml").write_text(settings + TABLE.format(url=url))
        return livepost("check")

    assert stands_for("1.1.1.1").code == 0
    inside = stands_for("169.254.169.254")
    assert (inside.code, "the webhook crm: expected an address" in inside.out) == (1, True)
    assert stands_for("1.1.1.1", "https://user@hooks.example.com/").code == 1


def test_dead_letters_are_listed_and_shown(here: Path, livepost: Command) -> None:
    told = livepost("webhooks", "dead").out
    assert "1  crm  receipt_1  sent 10 times: it answered 500" in told
    assert [one["number"] for one in livepost("webhooks", "dead", "--after", "1", "--json").json()] == [2]
    assert livepost("webhooks", "show", "1").json()["body"] == {"a": 1}
    assert livepost("webhooks", "show", "9").code == 1


def test_a_replay_sends_under_the_old_id_and_once(here: Path, receiver: Receiver, livepost: Command) -> None:
    receiver.reply = lambda request: Reply(500 if len(receiver.requests) == 1 else 204)
    assert livepost("webhooks", "replay", "1").code == 1
    assert livepost("webhooks", "replay", "--all").code == 0
    assert [one.headers["webhook-id"] for one in receiver.requests] == ["receipt_1", "receipt_1", "receipt_2"]
    for one in receiver.requests:
        assert Official(OLD).verify(one.body, one.headers) == {"a": 1}
    assert "There are no dead letters to replay" in livepost("webhooks", "replay", "--all").out
    assert "; replayed" in livepost("webhooks", "dead").out
    assert livepost("webhooks", "replay").code == 2


def test_a_letter_of_a_target_that_is_gone_stays(here: Path, receiver: Receiver, livepost: Command) -> None:
    (here / "livepost.toml").write_text("")
    told = livepost("webhooks", "replay", "1")
    assert (told.code, receiver.connections) == (1, 0)
    assert "no such target" in told.out
    assert "There are no webhooks" in livepost("webhooks", "list").out


def test_a_new_secret_is_one(livepost: Command) -> None:
    secret = livepost("webhooks", "secret").out.strip()
    assert len(read_keys("crm", secret)[0]) == 32


def test_a_replay_sends_nothing_that_the_policy_does_not_let_go_there(
    here: Path, receiver: Receiver, livepost: Command
) -> None:
    make_project(here / "other")
    for page in ("shop.py", "templates"):
        (here / "other" / page).rename(here / page)
    policy = (STARTER / "policy.toml").read_text()
    (here / "policy.toml").write_text(policy)
    body = b'{"data":{"type":"transition","person":"00","segment":"browsing"}}'
    with closing(Book(here / "data" / "webhooks.db")) as book:
        book.die(DeadLetter(0, "crm", "transition_3", "transition", body, 7, 10, "it answered 500"), "e.1.3")
    told = livepost("webhooks", "replay", "3")
    assert told.code == 1
    assert "policy.toml, or what its person allows now" in told.out
    assert receiver.requests == []
    named = '\n[destinations.crm]\npurposes = ["shop"]\nfields = ["Shopper.browsing"]\n'
    (here / "policy.toml").write_text(policy + named)
    assert livepost("webhooks", "replay", "3").code == 0
    assert len(receiver.requests) == 1


def test_who_says_whom_a_target_means_until_they_are_forgotten(
    here: Path, receiver: Receiver, livepost: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(Settings(data=str(here / "data"), kek=f"file:{here}/data/keys/kek"), {})
    folder.prepare()
    with closing(folder.vault(readonly=False)) as vault:
        [ada] = vault.admit([ExternalId(USER, "ada")])
        vault.commit()
    named = Pseudonyms(folder.pseudonym_secret(), "webhook:crm").of(ada.subject).hex()
    assert "expected the name of a target with ids" in livepost("webhooks", "who", "crm", named).err
    (here / "livepost.toml").write_text((here / "livepost.toml").read_text() + 'ids = "pseudonym"\n')
    assert livepost("webhooks", "who", "crm", named, "--json").json() == {"person": ada.subject.hex()}
    assert "person.found" in livepost("audit", "list").out
    assert livepost("webhooks", "who", "crm", "00" * 16).code == 1
    assert "32 hex digits" in livepost("webhooks", "who", "crm", "ada").err
    with closing(folder.vault(readonly=False)) as vault:
        vault.forget([ada.subject])
    assert livepost("webhooks", "who", "crm", named).code == 1
