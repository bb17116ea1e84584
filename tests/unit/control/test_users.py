"""Users as kept: found by their address, sealed, and gone when removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.control.sessions import SessionTable
from livepost.control.sqlite import ControlStore
from livepost.control.users import Users, can_enter
from livepost.errors import RejectedError, SealError

NOW = 1_767_603_600_000
HOUR = 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> ControlStore:
    return ControlStore(tmp_path / "control.db")


@pytest.fixture
def users(store: ControlStore) -> Users:
    return Users(store, bytes(32))


def test_a_user_is_found_by_their_address_however_it_is_written(users: Users) -> None:
    ada = users.add("Ada", "Ada@Example.com", "marketer", NOW)
    assert (ada.name, ada.email, ada.role, ada.password, ada.second) == ("Ada", "Ada@Example.com", "marketer", "", None)
    assert users.by_email(" ada@example.COM ") == ada
    assert users.by_email("bob@example.com") is None
    with pytest.raises(RejectedError, match="that no user has"):
        users.add("Another", "ADA@example.com", "owner", NOW)
    assert users.all() == [ada]


def test_what_is_personal_is_sealed_and_goes_with_the_user(tmp_path: Path, users: Users, store: ControlStore) -> None:
    ada = users.add("Ada Canary", "ada.canary@example.com", "owner", NOW)
    users.set_password(ada.id, "$argon2id$canary-of-a-hash")
    users.set_second(ada.id, b"second-factor-canary", 7, ["code-one"])
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = (tmp_path / "control.db").read_bytes()
    for canary in (b"Ada Canary", b"ada.canary", b"second-factor-canary", b"code-one"):
        assert canary not in raw
    assert b"canary-of-a-hash" in raw  # the control: what is not sealed is found
    users.remove(ada.id)
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"canary-of-a-hash" not in (tmp_path / "control.db").read_bytes()
    with pytest.raises(RejectedError, match="that of none"):
        users.get(ada.id)
    with pytest.raises(RejectedError, match="that of none"):
        users.remove(ada.id)


def test_another_secret_opens_nothing(users: Users, store: ControlStore) -> None:
    users.add("Ada", "ada@example.com", "owner", NOW)
    with pytest.raises(SealError, match="not of one data folder"):
        Users(store, bytes([1] * 32)).all()


def test_whatever_changes_a_users_rights_ends_their_sessions_and_links(users: Users, store: ControlStore) -> None:
    table, ada = SessionTable(store, HOUR), users.add("Ada", "ada@example.com", "owner", NOW)
    bob = users.add("Bob", "bob@example.com", "owner", NOW)
    changes = {
        "role": lambda: users.set_role(ada.id, "analyst"),
        "password": lambda: users.set_password(ada.id, "hash"),
        "second": lambda: users.set_second(ada.id, bytes(20), 1, ["a"]),
        "no second": lambda: users.drop_second(ada.id),
        "reset": lambda: users.reset(ada.id),
        "disabled": lambda: users.disable(ada.id, disabled=True),
        "enabled": lambda: users.disable(ada.id, disabled=False),
        "removed": lambda: users.remove(ada.id),
    }
    others, owners = table.begin(bob.id, NOW, NOW + HOUR), table.begin(None, NOW, NOW + HOUR)
    for what, change in changes.items():
        word, link = table.begin(ada.id, NOW, NOW + HOUR), users.invite(ada.id, NOW + HOUR)
        assert table.find(word, NOW) or what == "enabled", what
        change()
        assert (table.find(word, NOW), users.invited(link, NOW)) == (None, None), what
    assert table.find(others, NOW)
    assert table.find(owners, NOW)


def test_a_code_and_a_recovery_code_are_used_once(users: Users) -> None:
    ada = users.add("Ada", "ada@example.com", "owner", NOW)
    users.set_second(ada.id, bytes(20), 5, ["aaaa", "bbbb"])
    assert [users.take_step(ada.id, step) for step in (5, 6, 6, 4, 7)] == [False, True, False, False, True]
    assert users.take_recovery_code(ada.id, "aaaa")
    assert not users.take_recovery_code(ada.id, "aaaa")
    assert not users.take_recovery_code(ada.id, "cccc")
    assert users.recovery_codes_left(ada.id) == 1


def test_an_invitation_holds_until_its_end_and_only_the_last_one(users: Users) -> None:
    ada = users.add("Ada", "ada@example.com", "owner", NOW)
    first, second = users.invite(ada.id, NOW + HOUR), users.invite(ada.id, NOW + HOUR)
    assert users.invited(first, NOW) is None
    assert users.invited(second, NOW) == ada
    assert users.invited(second, NOW + HOUR) is None


def test_somebody_can_enter_once_they_have_a_password(users: Users, store: ControlStore) -> None:
    ada = users.add("Ada", "ada@example.com", "owner", NOW)
    assert not can_enter(store)
    users.set_password(ada.id, "hash")
    assert can_enter(store)
    users.disable(ada.id, disabled=True)
    assert not can_enter(store)
