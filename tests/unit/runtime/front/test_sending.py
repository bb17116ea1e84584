"""A send cut off at every point between its writes, and sent again: one mail, one delivery, one folded call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from livepost.api.send import SendWish
from livepost.errors import OutcomeUnknownError, RejectedError, StoreError
from livepost.ledger.base import KnownSend, Ledger, Send
from livepost.log.memory import MemoryLog
from livepost.model.record import Appended, Record
from livepost.runtime.front.sending import Sending, template_names
from livepost.settings.settings import Settings
from tests.unit.api.house import PAGE, Asked, sending_of

WISH = SendWish(to="cy@example.com", user_id="cy", template="note", subject="Hi {{ word }}", variables={"word": "Cy"})
SOURCE = "server"


class Cut(Exception):
    """The front was killed here."""


class Stage:
    """A house, and who sends over it; what is put into `cut` is raised once, at that point."""

    def __init__(self, asked: Asked, forgets: bool = False) -> None:
        self.house = asked.house
        self.cut: dict[str, Exception] = {}
        self.sending: Sending = sending_of(self.house, Settings(), _CutLedger(self, self.house.ledger, forgets))

    def reach(self, point: str) -> None:
        if point in self.cut:
            raise self.cut.pop(point)

    def send(self, wish: SendWish = WISH, key: str = "k-1", source: str = SOURCE) -> KnownSend:
        async def whole() -> KnownSend:
            known = await self.sending.send(source, key, wish)
            self.reach("after the reply was made")
            return known

        known = asyncio.run(whole())
        return known

    def sent(self) -> int:
        """Let the house come to rest; return how many sends went out."""
        self.house.advance(0)
        ids = {one.decision.id for one in self.house.ledger.deliveries(campaign="$send")}
        return sum(mail.decision in ids for mail in self.house.keep.mails)


class _CutLedger:
    """The house's ledger, cut before and after a send; one that `forgets` knows no key."""

    def __init__(self, stage: Stage, ledger: Ledger, forgets: bool) -> None:
        self._stage, self._ledger, self._forgets, self._numbers = stage, ledger, forgets, iter(range(100))

    def known_send(self, key: bytes) -> KnownSend | None:
        self._stage.reach("before the log")
        return None if self._forgets else self._ledger.known_send(key)

    def send(self, send: Send, now_ms: int) -> KnownSend:
        self._stage.reach("between log and ledger")
        known = self._ledger.send(self._unknown(send) if self._forgets else send, now_ms)
        self._stage.reach("after the ledger")
        return known

    def _unknown(self, send: Send) -> Send:
        new = bytes([next(self._numbers)]) * 16
        return replace(send, key=new, decision=replace(send.decision, id=new))


@pytest.fixture
def stage(asked: Asked) -> Stage:
    return Stage(asked)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.house.close()


POINTS: list[tuple[str, Exception]] = [
    ("before the log", Cut()),
    ("before the log", StoreError("no answer")),
    ("the log refuses", StoreError("full")),
    ("the log cannot say", OutcomeUnknownError("fsync")),
    ("between log and ledger", Cut()),
    ("between log and ledger", StoreError("busy")),
    ("after the ledger", Cut()),
    ("after the ledger", OutcomeUnknownError("fsync")),
    ("after the reply was made", Cut()),
]


def cut_log(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log fail before it has a block, or after."""
    append: Callable[[MemoryLog, Any], Appended] = MemoryLog.append

    def failing(log: MemoryLog, records: list[Record]) -> Appended:
        stage.reach("the log refuses")
        appended = append(log, records)
        stage.reach("the log cannot say")
        return appended

    monkeypatch.setattr(MemoryLog, "append", failing)


@pytest.mark.parametrize(("point", "error"), POINTS, ids=[f"{point}-{type(error).__name__}" for point, error in POINTS])
@pytest.mark.parametrize("at_rest", [True, False], ids=["worked off", "at once"])
def test_cut_off_anywhere_the_same_again_ends_in_one_mail(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str, error: Exception, at_rest: bool
) -> None:
    cut_log(stage, monkeypatch)
    stage.cut[point] = error
    with pytest.raises(type(error)):
        stage.send()
    assert not stage.cut
    if at_rest:
        stage.house.advance(0)
    stage.sending._intake.recover()
    known = stage.send()
    assert stage.sent() == 1
    assert stage.send().delivery.decision.id == known.delivery.decision.id
    assert (stage.sent(), len(stage.house.ledger.deliveries(campaign="$send"))) == (1, 1)
    counts = stage.house.worker.status().counts
    told = sum(record.name == "$identify" for block in stage.house.log.read(-1, 1_000) for record in block.records())
    assert counts.get("duplicate", 0) == told - 1


@pytest.mark.parametrize("point", ["after the ledger", "after the reply was made"])
def test_a_ledger_that_forgets_keys_would_be_found(asked: Asked, point: str) -> None:
    stage = Stage(asked, forgets=True)
    stage.cut[point] = Cut()
    with pytest.raises(Cut):
        stage.send()
    stage.send()
    assert stage.sent() == 2


def test_two_hundred_at_once_with_one_key_bring_one_mail(stage: Stage) -> None:
    async def race() -> list[KnownSend]:
        return await asyncio.gather(*(stage.sending.send(SOURCE, "k-1", WISH) for _ in range(200)))

    told = asyncio.run(race())
    assert len({one.delivery.decision.id for one in told}) == 1
    assert sum(one.new for one in told) == 1
    assert stage.sent() == 1


def test_of_two_bodies_at_once_with_one_key_one_is_refused(stage: Stage) -> None:
    async def race() -> list[KnownSend | BaseException]:
        wishes = (WISH, SendWish(to="cy@example.com", template="note", subject="Another"))
        return await asyncio.gather(
            *(stage.sending.send(SOURCE, "k-1", wish) for wish in wishes), return_exceptions=True
        )

    before = stage.house.log.last().seq
    assert [isinstance(one, RejectedError) for one in asyncio.run(race())].count(True) == 1
    assert stage.house.log.last().seq == before + 1, "the refused one named an address in the log"
    assert stage.sent() == 1


def test_a_key_that_was_cut_off_before_the_ledger_may_come_with_another_body(stage: Stage) -> None:
    stage.cut["between log and ledger"] = Cut()
    with pytest.raises(Cut):
        stage.send()
    other = SendWish(to="dee@example.com", user_id="dee", template="note", subject="Another")
    assert stage.send(other).new
    assert stage.sent() == 1
    assert [mail.recipient for mail in stage.house.keep.mails] == ["dee@example.com"]


def test_keys_belong_to_their_source(stage: Stage) -> None:
    ids = {stage.send(source=source).delivery.decision.id for source in ("server", "till")}
    assert (len(ids), stage.sent()) == (2, 2)


def test_neither_log_nor_ledger_has_a_value_open(stage: Stage) -> None:
    wish = SendWish(to="canary@example.com", template="note", subject="s3cret", variables={"code": "w0rd"})
    known = stage.send(wish, key="canary@example.com")
    draft = stage.house.ledger.draft(known.delivery.decision.id)
    assert draft is not None
    told = repr([known, draft, *(block.records() for block in stage.house.log.read(-1, 100))]).encode()
    found = [word for word in (b"canary@", b"s3cret", b"w0rd") if word in told]
    assert found == []
    assert stage.house.seals.open(draft)["variables"] == {"code": "w0rd"}


def test_a_draft_is_forgotten_when_its_mail_is_sent(stage: Stage) -> None:
    decision = stage.send().delivery.decision.id
    assert stage.sent() == 1
    assert stage.house.ledger.draft(decision) is None


def test_the_mail_of_somebody_forgotten_meanwhile_is_skipped(stage: Stage) -> None:
    known = stage.send()
    stage.house.vault.forget([known.delivery.person])
    assert stage.sent() == 0
    [one] = stage.house.ledger.deliveries(campaign="$send")
    assert (one.state, one.reason) == ("skipped", "erased")


def test_a_project_that_wants_more_than_an_address_says_so_and_takes_nothing(tmp_path: Path) -> None:
    page = PAGE.replace("class Viewed", "class Signed(Identified):\n    plan: str\n\nclass Viewed")
    asked = Asked(tmp_path, page)
    with pytest.raises(RejectedError, match="expected field `plan`") as caught:
        Stage(asked).send()
    assert (caught.value.status, asked.house.log.events_after(-1)) == (422, 0)
    asked.house.close()


def test_templates_are_named_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    for name in ("note.mjml", "foot.liquid", "note.txt"):
        (tmp_path / "templates" / name).write_text("")
    assert template_names(tmp_path) == {"note"}
    assert template_names(tmp_path / "templates") == frozenset()
