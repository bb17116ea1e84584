"""What a person is known by is set right, for good, and nothing else happens by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.audit.deed import Deed
from livepost.clock import WallClock
from livepost.control.requests import Requests, RightsRequest
from livepost.errors import RejectedError, StoreError
from livepost.govern.rights.correction import Correction
from livepost.intake.seal import open_value
from livepost.model.compiled import ADDRESS_FEATURE, Compiled, FieldSpec
from livepost.model.record import Origin, Record
from livepost.runtime.rights.rectifying import SOURCE, Rectifying
from livepost.state.memory import MemoryState
from tests.unit.runtime.rights.erasable import ADDRESS, Erasable, erasable, lived, request_of

RIGHT = "ada@right.example"
ID = "cd" * 16


class Desk:
    """A house of which Ada asks that her address be set right."""

    def __init__(self, house: Erasable) -> None:
        self.house = house
        self.requests = Requests(house.control)
        one = msgspec.structs.replace(request_of(*house.subjects, id=ID), kind="rectification")
        self.requests.enter(one)
        self.noted: list[Deed] = []
        self.audit_fails = False
        self.compiled = house.still.project.compiled

    async def note(self, by: str, deed: Deed) -> None:
        if self.audit_fails:
            raise StoreError("the audit cannot be written")
        self.noted.append(deed)

    def rectify(self, values: dict[str, Any], request: str = ID) -> RightsRequest:
        async def within() -> RightsRequest:
            rectifying = Rectifying(
                requests=self.requests,
                intake=self.house.intake,
                vault=lambda: self.house.vault,
                compiled=lambda: self.compiled,
                notary=self,
                clock=WallClock(),
                host=WallClock(),
            )
            return await rectifying.rectify(Correction(request=request, values=values, by="command:ann"))

        return asyncio.run(within())

    def tells(self, address: str, *, at: int, message_id: str) -> None:
        """Let the shop tell of an address that held at a time (ms)."""
        told = {"type": "identify", "userId": "ada", "messageId": message_id, "traits": {"email": address}}
        self.house.take(told, at=at)

    def address(self) -> Any:
        """Return Ada's address as the engine knows it."""
        return self._opened(self.house.engine)

    def address_by_replay(self) -> Any:
        """Return it as an engine knows it that reads the log from its beginning."""
        worker = self.house.worker(MemoryState())
        while worker.turn():
            pass
        return self._opened(worker)

    def last(self) -> Record:
        last = self.house.log.last().seq
        return self.house.log.read(last - 1, 1)[-1].records()[-1]

    def _opened(self, engine: Any) -> Any:
        view = engine.people(self.house.subjects[:1], -1)[self.house.subjects[0]]
        sealed = view.sealed[ADDRESS_FEATURE]
        return open_value(self.house.vault.keys(sealed.subject), self.house.still.folder.settings.workspace, sealed)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    lived(tmp_path / "shop")
    with erasable(tmp_path / "shop") as house:
        yield Desk(house)


def test_a_value_is_set_right_and_the_request_is_answered_with_names_alone(desk: Desk) -> None:
    assert desk.address() == ADDRESS
    done = desk.rectify({"email": RIGHT, "firstName": "Adah"})
    assert desk.address() == RIGHT == desk.address_by_replay()
    assert (done.state, done.answer) == ("completed", "set right: email, first_name")
    assert desk.noted == [Deed("person.rectified", desk.house.subjects, "email, first_name")]
    record = desk.last()
    assert (record.source, record.origin, record.name) == (SOURCE, Origin.IMPORT, "$identify")
    assert RIGHT not in str(msgspec.to_builtins(record, str_keys=True, builtin_types=(bytes,)))


def test_what_happened_before_does_not_undo_it_however_late_it_comes(desk: Desk) -> None:
    desk.rectify({"email": RIGHT})
    desk.tells(ADDRESS, at=WallClock().now_ms() - 60_000, message_id="late")
    assert desk.address() == RIGHT == desk.address_by_replay()
    desk.tells("ada@newer.example", at=WallClock().now_ms() + 1, message_id="newer")
    assert desk.address() == "ada@newer.example", "what the person says after it holds"


def test_without_it_the_late_one_would_hold(desk: Desk) -> None:
    """The negative control: a correction that is told as of a time before the wrong value is none."""
    now = WallClock().now_ms()
    desk.tells(RIGHT, at=now - 120_000, message_id="correction")
    desk.tells(ADDRESS, at=now - 60_000, message_id="late")
    assert desk.address() == ADDRESS


def test_an_address_of_somebody_else_makes_nobody_one_with_them(desk: Desk) -> None:
    bobs = {"type": "identify", "userId": "bob", "messageId": "bob-1", "traits": {"email": "bob@example.com"}}
    desk.house.take(bobs)
    with pytest.raises(RejectedError, match="another person's"):
        desk.rectify({"email": "BOB@example.com"})
    assert desk.house.subject_of("bob") not in desk.house.subjects
    assert desk.rectify({"email": ADDRESS}).state == "completed", "her own is free"


def test_it_starts_no_campaign(desk: Desk) -> None:
    before = len(desk.house.ledger.deliveries(limit=100))
    desk.rectify({"email": RIGHT})
    assert desk.address() == RIGHT
    assert len(desk.house.ledger.deliveries(limit=100)) == before
    assert desk.last().origin is not Origin.LIVE


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "got none"),
        ({"shoe": 43}, "got 1 other names"),
        ({"email": None}, "got null"),
        ({"age": "old"}, "expected field `age` in `\\$identify` to be a whole"),
    ],
)
def test_values_that_do_not_fit_change_nothing_and_the_request_waits(
    desk: Desk, values: dict[str, Any], said: str
) -> None:
    before = desk.house.log.last()
    with pytest.raises(RejectedError, match=said) as refused:
        desk.rectify(values)
    assert "old" not in str(refused.value).replace("told", "")
    assert (desk.house.log.last(), desk.noted) == (before, [])
    found = desk.requests.get(ID)
    assert found is not None and found.is_open


def test_an_id_is_not_set_right(desk: Desk) -> None:
    card = FieldSpec(name="card", keys=("card",), type="str", required=False, personal=True, key=True)
    events = [
        msgspec.structs.replace(one, fields=(*one.fields, card)) if one.name == "$identify" else one
        for one in desk.compiled.events
    ]
    desk.compiled = msgspec.structs.replace(desk.compiled, events=tuple(events))
    with pytest.raises(RejectedError, match="ids say who is who"):
        desk.rectify({"card": "4711"})


def test_a_project_that_declares_nothing_of_people_says_so(desk: Desk) -> None:
    desk.compiled = Compiled()
    with pytest.raises(RejectedError, match=r"of people \(nothing\)"):
        desk.rectify({"email": RIGHT})


def test_a_request_is_done_once_and_only_one_for_this(desk: Desk) -> None:
    desk.rectify({"email": RIGHT})
    with pytest.raises(RejectedError, match="got one that is completed"):
        desk.rectify({"email": ADDRESS})
    with pytest.raises(RejectedError, match="got erasure"):
        desk.rectify({"email": ADDRESS}, request="ab" * 16)
    with pytest.raises(RejectedError, match="expected the id of a request"):
        desk.rectify({"email": ADDRESS}, request="00" * 16)


def test_of_whom_nobody_knows_any_more_nothing_is_set_right(desk: Desk) -> None:
    desk.house.vault.forget(list(desk.house.subjects))
    with pytest.raises(RejectedError, match="expected a person who is known by"):
        desk.rectify({"email": RIGHT})


def test_what_the_audit_cannot_note_is_not_done(desk: Desk) -> None:
    before = desk.house.log.last()
    desk.audit_fails = True
    with pytest.raises(StoreError):
        desk.rectify({"email": RIGHT})
    assert desk.house.log.last() == before
