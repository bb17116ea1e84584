"""The courier end to end, on a ledger in memory, with a real vault, real templates and a real mailbox."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.deliver import courier as loop
from livepost.deliver.courier import Courier
from livepost.deliver.express import Beside
from livepost.deliver.keep import Keep, read
from livepost.deliver.mail import Maker, Shop
from livepost.deliver.memory import MemoryKeep
from livepost.deliver.message import From
from livepost.deliver.token import Tokens
from livepost.errors import OutcomeUnknownError, SealError, StoreError
from livepost.ids import digest
from livepost.ledger.base import LEASE_MS, RETRY_MS, WORKER_LEASE_MS, Ledger, Move
from livepost.ledger.routing import Routing, SenderRule
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import SEND, Decision, OutboxItem
from livepost.model.message import EmailDraft, Message, Receipt
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.render.template import Templates
from livepost.testing.contracts.ledger import START_MS, cancellation, consent, decision
from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault

MJML = """<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ first_name | default: "friend" }}, {{ views_7d }}
<a href="https://shop.example/?a=1&amp;b={{ views_7d }}">look</a></mj-text>
<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ shop_address }}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""
SHOP = Shop(
    sender=From("The Shop", "hello@shop.example"),
    name="The Shop",
    address="1 Road, Town",
    public_url="https://m.shop.example",
)


class Desk:
    """An engine that answers from lists, an author, and someone who takes outcomes: the courier's neighbours."""

    def __init__(self, vault: MemoryVault) -> None:
        self.vault = vault
        self.items: list[OutboxItem] = []
        self.persons: dict[bytes, PersonView] = {}
        self.away = False
        self.moves: list[Move] = []
        self.page_items = 2
        self.epoch = "first"
        self.read: list[OutboxItem] = []
        self.forgotten = 0

    def knows(self, name: str, address: object, first_name: str = "") -> bytes:
        [keys] = self.vault.admit([ExternalId("user", name)])
        values = {ADDRESS_FEATURE: address} | ({"first_name": first_name} if first_name else {})
        sealed = {
            field: SealedValue("web", keys.subject, "m", field, keys.seal(msgspec.json.encode(value), b""))
            for field, value in values.items()
        }
        self.persons[keys.subject] = PersonView(
            person=keys.subject,
            subjects=(keys.subject,),
            position=0,
            as_of=START_MS,
            features={"views_7d": 3, "$hidden": 1},
            sealed=sealed,
            memberships=(),
            journeys=(),
            consents={},
            next_due=None,
        )
        return keys.subject

    def decisions(self, after: int, limit: int) -> OutboxPage:
        begin = max(after - self.forgotten, 0)
        items = self.items[begin : begin + self.page_items]
        more = begin + len(items) < len(self.items)
        self.read += items
        return OutboxPage(
            complete_to=-1 if more else self.complete_to(),
            as_of=START_MS,
            items=items,
            more=more,
            last=self.forgotten + begin + len(items),
            epoch=self.epoch,
        )

    def complete_to(self) -> int:
        return max((item.position for item in self.items), default=-1)

    def served(self, upto: int) -> None:
        kept = [item for item in self.items if item.position > upto]
        self.forgotten += len(self.items) - len(kept)
        self.items = kept

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        if self.away:
            raise StoreError("the engine is not there")
        return {one: self.persons[one] for one in ids if one in self.persons}

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        if decision.campaign == "broken":
            raise KeyError("ada@example.com")
        return EmailDraft(template=decision.campaign, subject="Hi {{ first_name | default: 'you' }}")

    def open(self, value: SealedValue) -> Any:
        return msgspec.json.decode(self.vault.keys(value.subject).open(value.seal, b""))

    def report(self, moves: Sequence[Move]) -> None:
        if self.away:
            raise StoreError("the front is not there")
        self.moves += moves


class Parts(msgspec.Struct):
    courier: Courier
    desk: Desk
    vault: MemoryVault
    folder: Path
    host: SimulatedClock


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    vault = MemoryVault()
    desk, host = Desk(vault), SimulatedClock(START_MS)
    maker = Maker(SHOP, desk, Templates({"browse_reminder.mjml": MJML}), desk, vault.secret)
    mailbox = Keep(tmp_path, vault, "shop", host)
    courier = Courier(
        engine=desk,
        ledger=SqliteLedger(":memory:", host),
        maker=maker,
        sender=mailbox,
        blind=lambda address: vault.blind("suppression", address),
        outcomes=desk,
        clock=SimulatedClock(START_MS),
    )
    yield Parts(courier, desk, vault, tmp_path, host)
    mailbox.close()


def wants(parts: Parts, number: int, person: bytes, **also: Any) -> Decision:
    one = decision(number, person=person, **also)
    parts.desk.items += [consent(number, person=person), one]
    return one


def state_of(parts: Parts, one: Decision) -> tuple[str, str, str]:
    found = parts.courier.ledger.delivery(one.id)
    assert found is not None
    return found.state, found.reason, found.detail


def test_a_decision_becomes_a_kept_mail(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "Ada@example.com", "Ada")
    one = wants(parts, 5, ada)
    assert loop.take_over(parts.courier).inserted == 1
    sent = loop.send_due(msgspec.structs.replace(parts.courier, host=SimulatedClock(START_MS - 250)))
    assert (sent.claimed, sent.counts, sent.accepted) == (1, {"sent": 1}, [(5, START_MS)])
    assert sent.claim_to_sent == [250]
    [mail] = read(parts.folder, parts.vault, "shop")
    assert (mail.decision, mail.person) == (one.id, ada)
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert (message["To"], message["Subject"]) == ("Ada@example.com", "Hi Ada")
    assert message["Message-ID"] == parts.courier.maker.message_id(one.id)
    _, rich = message.iter_parts()
    assert isinstance(rich, EmailMessage)
    html = rich.get_content()
    assert "Hi Ada, 3" in html
    assert "1 Road, Town" in html
    tokens = Tokens(parts.vault.secret("tokens"))
    url = message["List-Unsubscribe"].strip("<>")
    link = tokens.open_unsubscribe(url.rpartition("/")[2])
    assert (link.decision, link.person, link.purpose) == (one.id, ada, "marketing")
    assert f'href="{url}"' in html
    [click] = re.findall(r"https://m\.shop\.example/c/([\w-]+)", html)
    assert tokens.open_click(click).target == "https://shop.example/?a=1&b=3"
    assert loop.send_due(parts.courier).claimed == 0


def test_a_send_whose_words_are_gone_is_skipped_and_says_so(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    one = wants(parts, 5, ada, class_="transactional", campaign=SEND)
    loop.take_over(parts.courier)
    loop.send_due(parts.courier)
    assert state_of(parts, one)[:2] == ("skipped", "render")


def test_a_transactional_mail_has_no_one_click_header(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    wants(parts, 5, ada, class_="transactional", purpose="orders")
    loop.take_over(parts.courier)
    loop.send_due(parts.courier)
    [mail] = read(parts.folder, parts.vault, "shop")
    assert b"List-Unsubscribe" not in mail.raw


def test_the_outbox_is_copied_page_by_page(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    for number in range(1, 8):
        wants(parts, number, ada)
    taken = loop.take_over(parts.courier)
    assert (taken.inserted, taken.cursor) == (7, 7)
    assert loop.take_over(parts.courier).inserted == 0


def test_what_lies_behind_an_unfinished_wave_is_read_once(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.desk, "complete_to", lambda: 0)
    ada = parts.desk.knows("ada", "ada@example.com")
    wants(parts, 9, ada)
    loop.take_over(parts.courier)
    wants(parts, 5, ada)  # due before, and served behind it
    assert loop.take_over(parts.courier).inserted == 1
    decided = [item.position for item in parts.desk.read if isinstance(item, Decision)]
    assert decided == [9, 9, 5]  # the first page was asked for twice: what began anew is read from its beginning


def test_where_the_engine_began_anew_all_is_read_and_compared_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.desk, "complete_to", lambda: 0)
    ada = parts.desk.knows("ada", "ada@example.com")
    for number in range(1, 6):
        wants(parts, number, ada)
    assert loop.take_over(parts.courier).inserted == 5
    parts.desk.epoch = "second"
    again = loop.take_over(parts.courier)
    assert (again.inserted, again.compared, again.diverged) == (0, 5, 0)
    assert loop.take_over(parts.courier).compared == 0


def test_what_an_engine_decides_once_more_is_compared_and_differences_are_noted(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    first, second = wants(parts, 5, ada), wants(parts, 6, ada)
    loop.take_over(parts.courier)
    parts.desk.items = [first, msgspec.structs.replace(second, at=second.at + 1)]
    taken = loop.take_over(parts.courier)
    assert (taken.inserted, taken.compared, taken.diverged, taken.cursor) == (0, 2, 1, 6)
    assert [one.fields for one in parts.courier.ledger.divergences()] == [("at",)]
    assert parts.desk.items == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (None, "no_address"),
        ("", "no_address"),
        ("nobody", "no_address"),
        ("a@b.c\r\nBcc: x@y.zz", "no_address"),
        (7, "no_address"),
    ],
)
def test_without_an_address_that_can_be_written_to_there_is_no_mail(parts: Parts, address: object, reason: str) -> None:
    one = wants(parts, 1, parts.desk.knows("ada", address))
    loop.take_over(parts.courier)
    assert loop.send_due(parts.courier).counts == {reason: 1}
    assert state_of(parts, one)[:2] == ("skipped", reason)


def test_poison_stops_no_other_mail_and_its_words_stay_out_of_the_ledger(parts: Parts) -> None:
    ada, bob = parts.desk.knows("ada", "ada@example.com"), parts.desk.knows("bob", "bob@example.com")
    broken = wants(parts, 1, ada, campaign="broken")
    missing = wants(parts, 2, ada, campaign="nosuch")
    stranger = wants(parts, 3, digest("stranger"))
    good = wants(parts, 4, bob)
    parts.desk.page_items = 100
    loop.take_over(parts.courier)
    loop.send_due(parts.courier)
    assert state_of(parts, broken) == ("skipped", "render", "broken raised KeyError")
    assert state_of(parts, missing)[2].startswith("nosuch: expected one of browse_reminder")
    assert state_of(parts, stranger)[1] == "no_address"
    assert state_of(parts, good)[0] == "sent"


def test_aforgotten_person_is_skipped_as_erased(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    one = wants(parts, 1, ada)
    parts.vault.forget([ada])
    with pytest.raises(SealError):
        parts.vault.keys(ada)
    loop.take_over(parts.courier)
    assert loop.send_due(parts.courier).counts == {"erased": 1}
    assert state_of(parts, one)[:2] == ("skipped", "erased")


def test_a_suppressed_address_gets_nothing(parts: Parts) -> None:
    one = wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    parts.courier.ledger.suppress(parts.vault.blind("suppression", "ada@example.com"), "bounced", START_MS)
    loop.take_over(parts.courier)
    assert loop.send_due(parts.courier).counts == {"suppressed": 1}
    assert state_of(parts, one)[:2] == ("skipped", "suppressed")
    assert read(parts.folder, parts.vault, "shop") == []


def test_claims_go_back_when_the_engine_is_away(parts: Parts) -> None:
    wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(parts.courier)
    parts.desk.away = True
    assert loop.send_due(parts.courier).counts == {"given back": 1}
    parts.desk.away = False
    assert loop.send_due(parts.courier).counts == {"sent": 1}


def test_many_mails_go_in_groups_of_twenty(parts: Parts) -> None:
    ada = parts.desk.knows("ada", "ada@example.com")
    parts.desk.page_items = 1_000
    for number in range(1, 56):
        wants(parts, number, ada)
    loop.take_over(parts.courier)
    sent = loop.send_due(parts.courier)
    assert (sent.claimed, sent.counts) == (55, {"sent": 55})
    assert len(read(parts.folder, parts.vault, "shop")) == 55


class Noting:
    """A ledger that notes what the courier does with mails, and may do something before it."""

    def __init__(self, ledger: Ledger, before: Callable[[str, int], None] = lambda name, times: None) -> None:
        self.calls: list[str] = []
        self._ledger = ledger
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def advance(self, *told: Any) -> Any:
        return self._called("advance", *told)

    def settle(self, *told: Any) -> Any:
        return self._called("settle", *told)

    def _called(self, name: str, *told: Any) -> Any:
        self.calls.append(name)
        self._before(name, self.calls.count(name))
        return getattr(self._ledger, name)(*told)


class Instant(MemoryKeep):
    """A sender that lets the work left for then be done while mails are at its server."""

    def __init__(self) -> None:
        super().__init__(SimulatedClock(START_MS))
        self.beside = Beside()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        self.beside.begin()
        return super().send(messages)


def bulk(parts: Parts, mails: int, ledger: Noting, **also: Any) -> Courier:
    """Return a courier on a ledger that has so many mails to people of their own."""
    parts.desk.page_items = 1_000
    for number in range(1, mails + 1):
        wants(parts, number, parts.desk.knows(f"p{number}", f"p{number}@example.com"))
    loop.take_over(parts.courier)
    noted: Any = ledger
    return msgspec.structs.replace(parts.courier, ledger=noted, **also)


def states(parts: Parts) -> dict[str, int]:
    return {one.state: one.count for one in parts.courier.ledger.counts()}


def test_a_group_takes_one_transaction_while_the_next_is_made_beside(parts: Parts) -> None:
    ledger, sender = Noting(parts.courier.ledger), Instant()
    courier = bulk(parts, 100, ledger, sender=sender, ahead=sender.beside.ahead)
    assert loop.send_due(courier, 100).counts == {"sent": 100}
    assert ledger.calls == ["advance"] * 6 + ["settle"]
    assert states(parts) == {"sent": 100}


def test_answers_do_not_wait_for_mails_to_be_made(parts: Parts) -> None:
    ledger = Noting(parts.courier.ledger)
    courier = bulk(parts, 40, ledger)
    maker, seen = courier.maker, list[dict[str, int]]()

    class Looking:
        def make(self, *told: Any) -> Any:
            seen.append(states(parts))
            return maker.make(*told)

    looking: Any = Looking()
    loop.send_due(msgspec.structs.replace(courier, maker=looking))
    assert seen[20] == {"sent": 20, "claimed": 20}
    assert ledger.calls == ["advance", "advance", "settle", "advance", "settle"]


def test_answers_are_written_down_where_the_next_group_is_anothers_by_now(parts: Parts) -> None:
    plain = parts.courier.ledger

    def slow(name: str, times: int) -> None:
        if (name, times) == ("advance", 3):
            parts.host.advance(LEASE_MS)
            assert len(plain.claim(START_MS, 20, "other")) == 20

    ledger, sender = Noting(plain, slow), Instant()
    sent = loop.send_due(bulk(parts, 60, ledger, sender=sender, ahead=sender.beside.ahead), 60)
    assert sent.counts == {"sent": 40, "fenced": 20}
    assert len(sent.accepted) == len(sender.mails) == 40
    assert ledger.calls == [*["advance"] * 3, "settle", *["advance"] * 3, "settle"]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (StoreError("busy"), {"sent": 20, "claimed": 20}),
        (MemoryError(), {"sent": 20, "claimed": 20}),
        (OutcomeUnknownError("reopen"), {"in_flight": 20, "claimed": 20}),
    ],
)
def test_answers_are_written_down_whatever_the_next_group_meets(
    parts: Parts, error: Exception, left: dict[str, int]
) -> None:
    """But where a commit may be on disk or not, nothing more is written."""

    def fail(name: str, times: int) -> None:
        if (name, times) == ("advance", 3):
            raise error

    ledger, sender = Noting(parts.courier.ledger, fail), Instant()
    courier = bulk(parts, 40, ledger, sender=sender, ahead=sender.beside.ahead)
    with pytest.raises(type(error)):
        loop.send_due(courier)
    assert states(parts) == left


def test_moves_are_reported_once_and_again_after_a_failure(parts: Parts) -> None:
    wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(parts.courier)
    parts.desk.away = True
    with pytest.raises(StoreError):
        loop.report(parts.courier)
    parts.desk.away = False
    assert loop.report(parts.courier) == 1
    loop.send_due(parts.courier)
    assert loop.report(parts.courier) == 3
    assert loop.report(parts.courier) == 0
    assert [move.after for move in parts.desk.moves] == ["pending", "claimed", "in_flight", "sent"]


def test_what_was_sent_is_reported_in_its_turn_however_many_decisions_came_at_once(parts: Parts) -> None:
    people = [parts.desk.knows(f"one-{number}", f"one-{number}@example.com") for number in range(30)]
    for number in range(1, 1 + loop.REPORTED + 100):
        wants(parts, number, people[number % len(people)])
    while loop.take_over(parts.courier).inserted:
        pass
    sent = loop.send_due(parts.courier).counts["sent"]
    loop.report(parts.courier)
    assert [move.after for move in parts.desk.moves].count("sent") == sent > 0


def test_reporting_stops_at_its_bound_and_goes_on_from_there(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORTED", 2)
    monkeypatch.setattr(loop, "MAX_REPORTS", 3)
    for number in range(1, 11):
        wants(parts, number, parts.desk.knows(f"one-{number}", f"one-{number}@example.com"))
    while loop.take_over(parts.courier).inserted:
        pass
    assert [loop.report(parts.courier) for _ in range(3)] == [6, 4, 0]
    assert len({move.decision for move in parts.desk.moves}) == 10


class Crashing:
    """A sender whose process dies before or after it has handed the mails on."""

    def __init__(self, keep: Keep, after: bool) -> None:
        self.keep = keep
        self.after = after

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        if self.after:
            self.keep.send(messages)
        raise KeyboardInterrupt

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        return self.keep.lookup(decisions)


@pytest.mark.parametrize(
    ("class_", "after", "state", "mails"),
    [
        ("marketing", False, "failed", 0),
        ("marketing", True, "sent", 1),
        ("transactional", False, "sent", 1),
        ("transactional", True, "sent", 1),
    ],
)
def test_after_a_crash_marketing_is_not_sent_twice_and_transactional_not_lost(
    parts: Parts, class_: str, after: bool, state: str, mails: int
) -> None:
    one = wants(parts, 1, parts.desk.knows("ada", "ada@example.com"), class_=class_)
    keep = parts.courier.sender
    assert isinstance(keep, Keep)
    loop.take_over(parts.courier)
    with pytest.raises(KeyboardInterrupt):
        loop.send_due(msgspec.structs.replace(parts.courier, sender=Crashing(keep, after)))
    assert state_of(parts, one)[0] == "in_flight"
    loop.recover(parts.courier)
    loop.send_due(parts.courier)
    assert state_of(parts, one)[0] == state
    assert len(read(parts.folder, parts.vault, "shop")) == mails


def test_a_courier_that_slept_over_its_lease_sends_nothing(parts: Parts) -> None:
    wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(parts.courier)
    people = parts.desk.people

    def slow(ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        parts.host.advance(LEASE_MS)
        assert len(parts.courier.ledger.claim(START_MS, 1, "other")) == 1
        return people(ids, at_least)

    parts.desk.people = slow  # type: ignore[method-assign]
    assert loop.send_due(parts.courier).counts == {"fenced": 1}
    assert read(parts.folder, parts.vault, "shop") == []


def test_a_courier_that_does_not_lead_reads_no_outbox_and_begins_anew_when_it_does(parts: Parts) -> None:
    wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    parts.courier.ledger.lead("other")
    assert loop.take_over(parts.courier).inserted == 0
    assert (parts.desk.read, parts.courier.place.leads) == ([], False)
    parts.courier.ledger.retire("other")
    assert loop.take_over(parts.courier).inserted == 1
    assert parts.courier.place.leads


def test_a_courier_takes_care_of_what_a_gone_one_had_in_flight_and_of_nothing_else(parts: Parts) -> None:
    one = wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(parts.courier)
    ledger = parts.courier.ledger
    ledger.enlist("other")
    ledger.confirm(ledger.claim(START_MS, 1, "other"), [b"hash"], START_MS)
    assert loop.take_care(parts.courier) == 0
    assert [delivery.state for delivery in ledger.deliveries()] == ["in_flight"]
    parts.host.advance(WORKER_LEASE_MS)
    assert loop.take_care(parts.courier) == 0
    assert [delivery.state for delivery in ledger.deliveries()] == ["failed"]
    assert [move.after for move in ledger.history(one.id)][-2:] == ["unknown", "failed"]


def test_a_transactional_mail_of_which_nobody_knows_goes_again_by_a_courier_that_lives(parts: Parts) -> None:
    wants(
        parts,
        1,
        parts.desk.knows("ada", "ada@example.com"),
        class_="transactional",
        purpose="orders",
        lane="transactional",
    )
    loop.take_over(parts.courier)
    answers = ["unknown"]

    class Silent(MemoryKeep):
        def send(self, messages: Sequence[Message]) -> list[Receipt]:
            sent = super().send(messages)
            return [msgspec.structs.replace(one, state=answers.pop()) if answers else one for one in sent]

    courier = msgspec.structs.replace(parts.courier, sender=Silent(SimulatedClock(START_MS)))
    states = list[str]()
    for pause_ms in (0, RETRY_MS[0] - 1, 1):
        loop.send_due(courier)
        parts.host.advance(pause_ms)
        loop.take_care(courier)
        states += [delivery.state for delivery in courier.ledger.deliveries()]
    assert states == ["unknown", "unknown", "pending"]
    assert loop.send_due(courier).counts == {"sent": 1}


def test_a_cancellation_between_claim_and_confirm_stops_the_mail(parts: Parts) -> None:
    one = wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(parts.courier)
    people = parts.desk.people

    def meanwhile(ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        parts.desk.items.append(cancellation(one, 9))
        loop.take_over(parts.courier)
        return people(ids, at_least)

    parts.desk.people = meanwhile  # type: ignore[method-assign]
    assert loop.send_due(parts.courier).counts == {"until": 1}
    assert read(parts.folder, parts.vault, "shop") == []


class Knowing(MemoryKeep):
    """A sender that falls silent, and knows of its mails when it is asked later."""

    def __init__(self) -> None:
        super().__init__(SimulatedClock(START_MS))
        self.asked: list[bytes] = []
        self.known: set[bytes] = set()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        return [Receipt(state="unknown", text="silent", trouble=True) for _ in messages]

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        self.asked += decisions
        return [Receipt(state="sent" if one in self.known else "unknown", text="asked") for one in decisions]


def test_each_unknown_mail_is_asked_of_its_own_sender_and_again_for_an_hour(parts: Parts) -> None:
    first, second = Knowing(), Knowing()
    routing = Routing(senders=(SenderRule(name="first"), SenderRule(name="second")))
    clock = SimulatedClock(START_MS)
    courier = msgspec.structs.replace(
        parts.courier, senders={"first": first, "second": second}, routing=routing, clock=clock
    )
    one = wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(courier)
    assert loop.send_due(courier).counts == {"unknown": 1}
    assert loop.ask_again(courier) == 0
    assert (first.asked, second.asked) == ([one.id], [])
    assert state_of(parts, one)[0] == "unknown"
    first.known.add(one.id)
    assert loop.ask_again(courier) == 1
    assert state_of(parts, one) == ("sent", "", "asked")
    assert loop.ask_again(courier) == 0


def test_an_unknown_mail_is_not_asked_about_for_ever(parts: Parts) -> None:
    silent, clock = Knowing(), SimulatedClock(START_MS)
    routing = Routing(senders=(SenderRule(name="first"),))
    courier = msgspec.structs.replace(parts.courier, senders={"first": silent}, routing=routing, clock=clock)
    wants(parts, 1, parts.desk.knows("ada", "ada@example.com"))
    loop.take_over(courier)
    loop.send_due(courier)
    clock.advance(loop.ASK_FOR_MS)
    loop.ask_again(courier)
    assert silent.asked == []
    gone = msgspec.structs.replace(courier, senders={"other": silent}, clock=SimulatedClock(START_MS))
    assert loop.ask_again(gone) == 0
    assert silent.asked == []
