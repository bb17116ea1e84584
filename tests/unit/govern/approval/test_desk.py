from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from livepost.audit.deed import Deed
from livepost.clock import SimulatedClock
from livepost.control.approvals import Approval
from livepost.control.sqlite import ControlStore
from livepost.control.users import Users
from livepost.errors import RejectedError
from livepost.govern.access.rules import default_rules
from livepost.govern.approval import desk as desk_module
from livepost.govern.approval.desk import GOOD_FOR_MS, ApprovalNeededError, FourEyes
from livepost.govern.approval.wanted import Wanted, destroying_of, export_of
from livepost.model.principal import Role

ADA, BOB = bytes(range(16)), bytes(16)
EXPORT, COMMAND = export_of([ADA]), "command:ann"


class Office:
    """A workspace with users of some roles, who are `office.who[0]`, ... in this order."""

    def __init__(self, path: Path, *roles: Role) -> None:
        self.store = ControlStore(path / "control.db")
        self.users = Users(self.store, bytes(32))
        self.clock = SimulatedClock(1_000)
        self.desk = FourEyes(self.store, default_rules(), self.clock)
        self.who = [f"user:{self.users.add(f'u{i}', f'u{i}@e.example', role, i).id}" for i, role in enumerate(roles)]
        self.noted: list[Deed] = []

    def close(self) -> None:
        self.store.close()

    def may(self, by: str, wanted: Wanted = EXPORT, reason: str = "a letter came") -> bool:
        """Ask to do it; return whether it may be done."""
        try:
            self.desk.require(wanted, by, reason, self.noted.append)
        except ApprovalNeededError:
            return False
        return True

    def waits(self) -> Approval:
        return self.desk.approvals.listed()[0]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with closing(Office(tmp_path, "owner", "privacy_officer", "owner", "admin")) as opened:
        yield opened


def test_another_user_approves_what_a_user_asked_for_and_it_is_done_once(office: Office) -> None:
    ann, eve, *_ = office.who
    assert not office.may(ann)
    assert office.waits().told == EXPORT.told
    office.desk.approve(office.waits().id, eve)
    assert office.may(ann)
    assert not office.may(ann), "once"
    assert [one.did for one in office.noted] == ["approval.asked", "approval.used", "approval.asked"]


def test_what_a_command_asks_for_takes_two_users(office: Office) -> None:
    ann, eve, *_ = office.who
    assert not office.may(COMMAND)
    assert not office.desk.approve(office.waits().id, ann).approved_at
    assert not office.may(COMMAND)
    office.desk.approve(office.waits().id, eve)
    assert office.may(COMMAND)


@pytest.mark.parametrize("roles", [(), ("owner",), ("owner", "admin", "marketer", "analyst")])
def test_where_one_could_approve_a_command_is_done_and_noted_as_alone(tmp_path: Path, roles: tuple[Role, ...]) -> None:
    with closing(Office(tmp_path, *roles)) as office:
        assert office.may(COMMAND, reason="")
        assert office.noted == [Deed("approval.alone", (ADA,), "export")]
        assert office.desk.approvals.listed() == []


def test_who_may_not_approve_still_needs_the_one_who_may(tmp_path: Path) -> None:
    with closing(Office(tmp_path, "admin", "owner")) as office:
        admin, owner = office.who
        assert not office.may(admin)
        assert office.may(owner), "nobody else could approve it"


def test_an_invited_user_counts_before_they_came(tmp_path: Path) -> None:
    with closing(Office(tmp_path, "owner", "owner")) as office:
        assert not office.may(office.who[0])
        office.users.disable(office.who[1].removeprefix("user:"), disabled=True)
        assert office.may(office.who[0])


def test_a_reason_is_asked_for_where_others_read_it(office: Office) -> None:
    for reason in ("", "  ", "x" * 1_001):
        with pytest.raises(RejectedError, match="expected a reason"):
            office.may(COMMAND, reason=reason)
    assert office.noted == []


def faults(office: Office) -> dict[str, bool]:
    """Return, by what is wrong with an approval, whether it let something be done; it never should."""
    ann, eve, olaf, admin = office.who
    done: dict[str, bool] = {}

    def tried(wrong: str, by: str, approver: str, wanted: Wanted = EXPORT, **told: Any) -> None:
        office.may(by)
        one = office.waits()
        with suppress(RejectedError):
            office.desk.approve(one.id, approver)
        office.clock.advance(told.get("later", 0))
        done[wrong] = office.may(told.get("then", by), wanted)
        for open_ in office.desk.approvals.listed():
            if open_.state(office.clock.now_ms()) in ("waiting", "approved"):
                office.desk.refuse(open_.id, eve)
        office.clock.advance(1)

    tried("own", ann, ann)
    tried("no right", ann, admin)
    tried("no eyes", ann, "key:server")
    tried("a command's own", ann, COMMAND)
    tried("a link's", ann, "console")
    tried("half a command's", COMMAND, ann)
    tried("of another", ann, eve, export_of([BOB]))
    tried("of another kind", ann, eve, destroying_of(["x"]))
    tried("another asker", ann, eve, then=olaf)
    tried("too late", ann, eve, later=GOOD_FOR_MS)
    return done


def test_no_approval_but_a_right_one_lets_anything_be_done(office: Office) -> None:
    assert not any(faults(office).values())


def test_the_same_faults_show_in_a_weakened_desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative control: whoever approves is enough, and what is approved is anybody's for good, whatever it is."""
    monkeypatch.setattr(FourEyes, "_is_enough", lambda self, seen: True)

    def use(hash: bytes, asked_by: str, now_ms: int) -> Approval | None:
        return next((one for one in office.desk.approvals.listed() if one.approved_at and not one.refused_at), None)

    monkeypatch.setattr(office.desk.approvals, "use", use)
    monkeypatch.setattr(desk_module, "GOOD_FOR_MS", 10 * GOOD_FOR_MS)
    assert all(faults(office).values())


def test_who_is_no_second_pair_is_told_what_to_do(office: Office) -> None:
    ann, _, _, admin = office.who
    office.may(ann)
    for by, words in (
        (ann, "somebody else than who asked"),
        (COMMAND, "log in to the console"),
        (admin, "approve people"),
    ):
        with pytest.raises(RejectedError, match=words) as refused:
            office.desk.approve(office.waits().id, by)
        assert refused.value.status == 403
    office.desk.refuse(office.waits().id, ann)
    assert not office.may(ann)
