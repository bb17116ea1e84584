"""Events from the endpoint into ledger and log, over HTTP, with every provider's own signature."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from livepost.api.mail import MailDesk, echo
from livepost.clock import SimulatedClock
from livepost.deliver.token import Tokens
from livepost.errors import SettingsError, StoreError
from livepost.ids import digest
from livepost.ledger.base import Ledger, Settlement
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.message import Receipt
from livepost.model.record import Record
from livepost.runtime.front.hearing import Hearing, check_hooks, hooks_of
from livepost.settings.settings import Settings
from livepost.sources.esp import hooks as endpoint
from livepost.sources.esp.hooks import BODY_BYTES_MAX, UNDER_WAY_MAX, hook_routes
from livepost.sources.esp.posted import Posted
from livepost.testing.contracts.ledger import START_MS, consent, decision, page
from tests.unit.sources.esp.samples import KINDS, PROVIDERS, RECIPIENT, sample
from tests.unit.sources.esp.signing import SECRETS, TOPIC, Sns, signed, sns, table

NOW_S = START_MS // 1_000 + 60


def blind(address: str) -> bytes:
    return digest("suppression", address.strip().casefold())


class House:
    """A ledger in which a mail to ada was sent by a provider, a log that can be away, and the endpoint over both."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, provider: str, provider_id: str = "id-1") -> None:
        self.provider = provider
        self.clock = SimulatedClock(NOW_S * 1_000)
        self.ledger: Ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
        self.ledger.take_over(page(consent(0), decision(1)), START_MS)
        self.records: list[Record] = []
        self.said: list[str] = []
        self.away = False
        self.net = Sns(now_s=NOW_S)
        self._send(provider, provider_id)
        for name, secret in SECRETS.items():
            monkeypatch.setenv(name.upper().replace("-", "_"), secret)
        tables = [_with_reference(name) for name in {provider, "postmark"}]
        hooks = hooks_of(Settings(mail_events=tables), self._hearing(), self.net, self.clock)
        self.app = Starlette(routes=hook_routes(_saying(hooks, self.said)))

    def tell(self, posted: Posted, provider: str = "") -> httpx.Response:
        return asyncio.run(self.ask("POST", f"/hooks/esp/{provider or self.provider}", posted))

    async def ask(self, method: str, path: str, posted: Posted) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            return await client.request(method, path, headers=dict(posted.headers), content=posted.body)

    def names(self) -> list[str]:
        return [record.name for record in self.records]

    def may_send(self, number: int = 9, class_: str = "marketing") -> bool:
        one = decision(number, class_=class_)
        self.ledger.take_over(page(one), START_MS)
        claims = self.ledger.claim(START_MS, 10, "w")
        return bool(claims) and not self.ledger.confirm(claims, [blind(RECIPIENT)], START_MS)[0].reason

    def _hearing(self) -> Hearing:
        desk = MailDesk(
            tokens=Tokens(digest("secret", size=32)),
            ledger=self.ledger,
            append=self._append,
            known=lambda person: True,
            clock=self.clock,
            shop_name="Shop",
        )
        return Hearing(
            ledger=self.ledger,
            blind=blind,
            append=self._append,
            echo=lambda: echo(desk),
            known=lambda person: True,
            clock=self.clock,
            say=self.said.append,
        )

    async def _append(self, records: Sequence[Record]) -> None:
        if self.away:
            raise StoreError("the log is not there")
        self.records += records

    def _send(self, provider: str, provider_id: str) -> None:
        claims = self.ledger.claim(START_MS, 1, "w")
        [answer] = self.ledger.confirm(claims, [blind(RECIPIENT)], START_MS)
        receipt = Receipt(state="sent", provider=provider, provider_id=provider_id)
        self.ledger.settle([Settlement(claim=answer.claim, receipt=receipt)], START_MS)


def _with_reference(name: str) -> Any:
    one = table(name)
    return (
        one if name == "ses" else type(one)(provider=name, secret=f"env:{name.upper().replace('-', '_')}", url=one.url)
    )


def _saying(hooks: endpoint.Hooks, said: list[str]) -> endpoint.Hooks:
    return endpoint.Hooks(doors=hooks.doors, hear=hooks.hear, clock=hooks.clock, say=said.append)


def told() -> list[tuple[str, str]]:
    found = []
    for provider in PROVIDERS:
        for kind in KINDS:
            try:
                sample(provider, kind, "")
            except KeyError:
                continue
            found.append((provider, kind))
    return found


RECORDS = {
    "delivered": ["Email Delivered"],
    "bounced": ["Email Bounced"],
    "soft_bounced": ["Email Bounced"],
    "complained": ["Email Marked as Spam", "Unsubscribed"],
    "opened": ["Email Opened"],
    "clicked": ["Email Link Clicked"],
    "unsubscribed": ["Unsubscribed"],
}


@pytest.mark.parametrize(("provider", "kind"), told())
def test_an_event_is_in_ledger_and_log_before_the_reply_and_a_second_time_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, provider: str, kind: str
) -> None:
    house = House(monkeypatch, provider)
    for _ in range(2):
        reply = house.tell(signed(provider, sample(provider, kind, decision(1).id.hex()), NOW_S))
        assert reply.status_code == 200, house.said
        assert [one.outcome for one in house.ledger.outcomes(decision(1).id)] == [kind]
        assert house.names() == RECORDS[kind]
        assert [one.count for one in house.ledger.feedback_counts()] == [1]
    assert house.ledger.unechoed(10) == []
    assert house.may_send() is (kind not in ("bounced", "complained", "unsubscribed"))
    assert house.may_send(10, "transactional") is (kind not in ("bounced", "complained"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_that_is_not_proven_changes_nothing(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    kind = "delivered" if provider != "mandrill" else "complained"
    house = House(monkeypatch, provider)
    posted = signed(provider, sample(provider, kind, decision(1).id.hex()), NOW_S)
    bare = {"content-type": posted.headers["content-type"]}
    body = (
        posted.body.replace(b"ada@", b"mallory@")
        .replace(b"ada%40", b"mallory%40")
        .replace(b'"signature": "', b'"signature": "0')
    )
    reply = house.tell(Posted(headers=bare, body=body))
    assert reply.status_code in (401, 403)
    assert (house.ledger.outcomes(decision(1).id), house.records, house.ledger.feedback_counts()) == ([], [], [])
    assert house.said and "refused" in house.said[0] and "mallory" not in house.said[0]


def test_a_mail_is_found_by_the_providers_id_where_nothing_else_came_along(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "ses", "0100-a")
    assert house.tell(signed("ses", sample("ses", "delivered", "", "0100-a"), NOW_S)).status_code == 200
    assert [one.outcome for one in house.ledger.outcomes(decision(1).id)] == ["delivered"]


def test_an_old_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    posted = signed("sendgrid", sample("sendgrid", "bounced", decision(1).id.hex()), NOW_S)
    house.clock.advance(301_000)
    assert house.tell(posted).status_code == 403
    assert house.records == []


def test_mailguns_signature_for_one_event_is_good_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mailgun signs no more than a time and a token: whoever got hold of them must not tell something else."""
    house = House(monkeypatch, "mailgun")
    first = signed("mailgun", sample("mailgun", "delivered", decision(1).id.hex()), NOW_S)
    other = json.loads(first.body)
    other["event-data"]["event"] = "complained"
    assert house.tell(first).status_code == 200
    assert house.tell(Posted(headers=first.headers, body=json.dumps(other).encode())).status_code == 200
    assert (house.names(), house.may_send()) == (["Email Delivered"], True)


def test_while_the_log_is_away_the_provider_is_told_to_come_again_and_then_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House(monkeypatch, "sendgrid")
    posted = signed("sendgrid", sample("sendgrid", "complained", decision(1).id.hex()), NOW_S)
    house.away = True
    reply = house.tell(posted)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "30")
    assert not house.may_send(), "the ledger has it, whatever the log does"
    house.away = False
    assert house.tell(posted).status_code == 200
    assert house.names() == ["Email Marked as Spam", "Unsubscribed"]


def test_while_the_ledger_is_away_nothing_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")

    def busy(*_: Any) -> Any:
        raise StoreError("the ledger is busy")

    monkeypatch.setattr(house.ledger, "hear", busy)
    posted = signed("sendgrid", sample("sendgrid", "complained", decision(1).id.hex()), NOW_S)
    assert (house.tell(posted).status_code, house.records) == (503, [])


def test_a_provider_without_settings_is_nobody_and_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    for name in ("resend", "nonsense"):
        posted = signed("resend", sample("resend", "delivered", decision(1).id.hex()), NOW_S)
        assert house.tell(posted, name).status_code == 404
    assert house.said == ["mail events: some came for a provider that the settings do not name; add [[mail_events]]"]
    assert house.records == []


def test_get_answers_and_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "unisender-go")
    posted = signed("unisender-go", sample("unisender-go", "complained", decision(1).id.hex()), NOW_S)
    for method in ("GET", "HEAD"):
        assert asyncio.run(house.ask(method, "/hooks/esp/unisender-go", posted)).status_code == 200
    assert house.ledger.feedback_counts() == []


def test_a_body_over_the_bound_is_refused_and_one_at_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    assert house.tell(Posted(headers={}, body=b"x" * (BODY_BYTES_MAX + 1))).status_code == 413
    assert house.tell(signed("sendgrid", b"[" + b" " * (BODY_BYTES_MAX - 2) + b"]", NOW_S)).status_code == 200


def test_what_cannot_be_read_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    assert house.tell(signed("sendgrid", b'{"email": "mallory@example.com"', NOW_S)).status_code == 400
    assert house.said and "mallory" not in house.said[0]


def test_more_requests_than_are_worked_on_at_a_time_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    posted = signed("sendgrid", sample("sendgrid", "delivered", decision(1).id.hex()), NOW_S)

    async def many() -> list[int]:
        asked = (house.ask("POST", "/hooks/esp/sendgrid", posted) for _ in range(UNDER_WAY_MAX + 4))
        return [reply.status_code for reply in await asyncio.gather(*asked)]

    codes = asyncio.run(many())
    assert (codes.count(200), codes.count(503)) == (UNDER_WAY_MAX, 4)
    assert set(house.names()) == {"Email Delivered"}
    assert [one.count for one in house.ledger.feedback_counts()] == [1]


def test_one_trouble_is_said_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "postmark")
    for _ in range(3):
        assert house.tell(Posted(headers={}, body=b"{}")).status_code == 401
    assert len(house.said) == 1
    house.clock.advance(60_000)
    house.tell(Posted(headers={}, body=b"{}"))
    assert len(house.said) == 2


def test_a_subscription_of_a_named_topic_is_confirmed_and_of_another_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "ses")
    asks = {"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": "https://evil.example"}
    assert house.tell(sns("x", NOW_S, **asks)).status_code == 200
    assert [url for url in house.net.asked if "ConfirmSubscription" in url and "abc" in url] == house.net.asked[1:]
    before = list(house.net.asked)
    assert house.tell(sns("x", NOW_S, **{**asks, "TopicArn": TOPIC + "x"})).status_code == 403
    assert house.net.asked == before


def test_a_rate_that_is_too_high_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, "sendgrid")
    monkeypatch.setattr("livepost.model.feedback.MAILS_MIN", 1)
    monkeypatch.setattr("livepost.model.feedback.COMPLAINTS_MIN", 1)
    house.tell(signed("sendgrid", sample("sendgrid", "complained", decision(1).id.hex()), NOW_S))
    assert house.said == [
        "1 complaints about 1 marketing mails in 7 days (100.000 %): all marketing is stopped until a person says "
        "`livepost kill --all --off`"
    ]


def test_settings_whose_secret_is_not_there_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    one = type(table("postmark"))(provider="postmark", secret="env:NOT_THERE")
    with pytest.raises(SettingsError, match="NOT_THERE"):
        check_hooks(Settings(mail_events=[one]))
    check_hooks(Settings())
