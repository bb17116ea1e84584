"""E1 and E4 over the bytes that a real SMTP server received: the demo's templates, both classes, what programs ask for.

Mails are made by the house's own parts, as the courier makes them, of people whose values try to become something else:
headers, SMTP commands, Liquid, HTML, links. What arrived is read by the standard library's parser. (PROMISES.)
"""

from __future__ import annotations

import email
import email.policy
import http.client
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.message import EmailMessage
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.deliver import links, message
from livepost.deliver.mail import Maker, NotMade
from livepost.deliver.message import HeaderError
from livepost.deliver.smtp import SmtpSender, route_to
from livepost.deliver.token import Tokens
from livepost.ids import digest
from livepost.intake.seal import Sealer
from livepost.ledger.base import Claimed
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import SEND, Decision
from livepost.model.message import AskedMail, Message
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.render import template
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import load_project
from livepost.settings.load import load
from livepost.settings.smtp import read_smtp
from livepost.testing.contracts.ledger import START_MS, decision
from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault
from tests.real.post import Office
from tests.real.test_scanners import CONTROL, sent_to
from tests.real.test_smtp import faults
from tests.unit.render.test_language import INJECTIONS

PUBLIC = "https://m.shop.example"
CAMPAIGNS = ("welcome", "browse_reminder", "abandoned_cart", "win_back", "favourites")
CLASSES = ("marketing", "transactional")
BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0", "\r\n ", "\n\t")
"""Every newline that Unicode knows, NUL, and a folded line."""

HEADERS = [f"Ada{newline}Bcc: eve@evil.example{newline}{newline}<p>evil</p>" for newline in BREAKS]
WORDS = ["=?utf-8?q?Ada=0D=0ABcc:_eve@evil.example?=", "=?utf-8?b?QWRhDQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?="]
COMMANDS = [
    "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<eve@evil.example>\r\nDATA\r\n",
    ".",
    "..",
    "\r\n..\r\n.\r\n",
]
MARKUP = [
    '"><script>alert(1)</script>',
    "<a href='https://evil.example/'>x</a>",
    "</style><img src=x onerror=alert(1)>",
]
ATTACKS = [*HEADERS, *WORDS, *COMMANDS, *MARKUP, *INJECTIONS]
RECIPIENTS = [
    *[f"ada@example.com{newline}Bcc: eve@evil.example" for newline in BREAKS],
    "ada@example.com>\r\nRCPT TO:<eve@evil.example",
    "ada@example.com, eve@evil.example",
    "<eve@evil.example>",
]
ADA = "ada@example.com"
ALWAYS = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
ONE_CLICK = {"List-Unsubscribe", "List-Unsubscribe-Post"}
RAN = re.compile(r"(?<![\w/-])(?:49(?!\d)|7777777|root:|uid=|<class )")
"""What would be there if one of the attacks had been computed; a token of a link may spell it too."""

SCHEMES = (
    "javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    " java\nscript:alert(1)",
    "//evil.example/",
    "file:///x",
)


class Writers:
    """The house's parts that make mails, with the demo's project and a vault in memory."""

    def __init__(self, folder: Path) -> None:
        shop = Path(str(files("livepost.demo") / "shop"))
        settings = load(shop, {"LIVEPOST_DATA": str(folder), "LIVEPOST_FROM": "hello@shop.example"}).settings
        self.vault = MemoryVault()
        self._workspace = settings.workspace
        self._asked: dict[bytes, SealedValue] = {}
        self.maker: Maker = maker_of(load_project(shop, settings), settings, PUBLIC, self.vault, self)
        self._made = 0

    def draft(self, decision: bytes) -> SealedValue | None:
        return self._asked.get(decision)

    def campaign(self, name: str, class_: str, value: str, address: str = "") -> Message | NotMade:
        """Return a campaign's mail to a person of whom everything that can be said is `value`."""
        person = self._person()
        address = address or f"shopper-{self._made}@example.com"
        view = PersonView(
            person=person,
            subjects=(person,),
            position=0,
            as_of=START_MS,
            features={
                **{name: [value, "Tea"] for name in ("looked_at", "cart", "favourite_categories")},
                "last_category": value,
                "spend_90d": [4990, "EUR"],
            },
            sealed=self._sealed(person, {ADDRESS_FEATURE: address, "first_name": value}),
            memberships=(),
            journeys=(),
            consents={},
            next_due=None,
        )
        return self.maker.make(self._claim(name, class_, person), view, START_MS)

    def asked(self, subject: str, variables: Mapping[str, Any], to: str) -> Message | NotMade:
        """Return a mail that a program asked for."""
        person = self._person()
        claim = self._claim(SEND, "transactional", person)
        mail = AskedMail(template="welcome", subject=subject, variables=dict(variables), to=to)
        self._asked[claim.decision.id] = self._sealed(person, {"$draft": msgspec.to_builtins(mail)})["$draft"]
        view = PersonView(
            person=person, subjects=(person,), position=0, as_of=START_MS, features={}, sealed={}, memberships=(),
            journeys=(), consents={}, next_due=None,
        )  # fmt: skip
        return self.maker.make(claim, view, START_MS)

    def _person(self) -> bytes:
        self._made += 1
        [keys] = self.vault.admit([ExternalId("user", f"u{self._made}")])
        return keys.subject

    def _sealed(self, person: bytes, values: Mapping[str, Any]) -> dict[str, SealedValue]:
        seals = Sealer(self._workspace, "test").seal(self.vault.keys(person), "m", dict(values))
        return {field: SealedValue("test", person, "m", field, seal) for field, seal in seals.items()}

    def _claim(self, campaign: str, class_: str, person: bytes) -> Claimed:
        purpose = "marketing" if class_ == "marketing" else "shop"
        one: Decision = decision(self._made, person=person, class_=class_, purpose=purpose)
        one = msgspec.structs.replace(one, id=digest("wire", self._made), campaign=campaign)
        return Claimed(decision=one, person=person, fence=1, worker="test", attempt=1)


@pytest.fixture
def writers(tmp_path: Path) -> Writers:
    return Writers(tmp_path)


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    with closing(Office(pipelining=request.param)) as one:
        yield one


@pytest.fixture
def plain_office() -> Iterator[Office]:
    with closing(Office()) as one:
        yield one


def arrived(office: Office, mails: list[Message]) -> dict[str, bytes]:
    """Give mails to the server; return what it took by Message-ID: of each one, once, to whom it was for alone."""
    route = route_to(read_smtp(f"smtp://127.0.0.1:{office.port}?tls=none", "test"), "shop.example")
    with closing(SmtpSender(route)) as sender:
        for at in range(0, len(mails), 20):
            assert {(one.state, one.text[:3]) for one in sender.send(mails[at : at + 20])} == {("sent", "250")}
    assert Counter((one.mail_from, *one.rcpt_tos) for one in office.mails) == Counter(
        (one.sender, one.recipient) for one in mails
    ), "every mail once, to its own recipient and to nobody else"
    assert Counter(office.raws()) == Counter(one.raw for one in mails), "byte for byte"
    return {one.message_id: one.raw for one in mails}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.tags[f"{tag} handlers"] += sum(name.startswith("on") for name, _ in attrs)
        self.found += [value or "" for name, value in attrs if name == "href" and tag == "a"]


def parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def injected(raw: bytes, class_: str) -> list[str]:
    """Return what got into a mail that its author did not write."""
    mail, html = parsed(raw), _Links()
    html.feed(body(mail, "html"))
    own = [f"{PUBLIC}/{place}/" for place in ("c", "u", "preferences")]
    wrong = {
        "headers": set(mail.keys()) != ALWAYS | (ONE_CLICK if class_ == "marketing" else set()),
        "a header twice": max(Counter(mail.keys()).values()) > 1,
        "recipients": len(mail["To"].addresses) != 1,
        "parts": [part.get_content_type() for part in mail.walk()]
        != ["multipart/alternative", "text/plain", "text/html"],
        "defects": bool(mail.defects),
        "script": html.tags["script"] > 0 or any(count for tag, count in html.tags.items() if "handlers" in tag),
        "links": not all(link == "#" or link.startswith(tuple(own)) for link in html.found),
        "Liquid ran": bool(RAN.search(f"{mail['Subject']}\n{body(mail, 'plain')}")),
    }
    return [name for name, is_so in wrong.items() if is_so]


def made(all_: list[Message | NotMade]) -> list[Message]:
    refused = [one for one in all_ if isinstance(one, NotMade)]
    assert refused == []
    return [one for one in all_ if isinstance(one, Message)]


# E1: one-click works on the wire


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_marketing_mails_of_the_demo_have_one_click_as_it_must_be(
    office: Office, writers: Writers, campaign: str
) -> None:
    mails = made([writers.campaign(campaign, "marketing", name) for name in ("Ada", "Größe", "日本語" * 20, "")])
    for one in mails:
        raw = arrived(office, [one])[one.message_id]
        office.mails.clear()
        assert faults(raw, one) == []
        address = str(parsed(raw)["List-Unsubscribe"]).strip("<>")
        assert address in body(parsed(raw), "html") and address in body(parsed(raw), "plain")
        told = Tokens(writers.vault.secret("tokens")).open_unsubscribe(address.removeprefix(f"{PUBLIC}/u/"))
        assert (told.decision, told.person, told.purpose) == (one.decision, one.person, "marketing")


def test_mails_that_belong_to_an_order_have_no_one_click(office: Office, writers: Writers) -> None:
    """And the negative control of the test above: what it looks for is missed where it is not."""
    mails = [writers.campaign(name, "transactional", "Ada") for name in CAMPAIGNS]
    mails.append(writers.asked("Your order", {"category": "Tea"}, "ada@example.com"))
    sent = made(mails)
    for id, raw in arrived(office, sent).items():
        assert not ONE_CLICK & set(parsed(raw).keys())
        [one] = [one for one in sent if one.message_id == id]
        assert {"List-Unsubscribe", "List-Unsubscribe-Post"} <= set(faults(raw, one))


def one_click(port: int, raw: bytes) -> tuple[int, set[str]]:
    """Post as RFC 8058 says to the address in a mail's header; return the status and what must not be answered."""
    [path] = re.findall(rb"\r\nList-Unsubscribe: <https://m\.shop\.example(/u/[\w-]+)>\r\n", raw)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path.decode(), "List-Unsubscribe=One-Click", form)
        reply = connection.getresponse()
        reply.read()
        return reply.status, {"location", "set-cookie"} & {name.lower() for name, _ in reply.getheaders()}


def test_the_address_in_the_bytes_unsubscribes_by_one_post_without_redirect_or_cookie(
    plain_office: Office, tmp_path: Path
) -> None:
    with closing(sent_to(tmp_path, plain_office, CONTROL)) as shop:
        port = shop.house.folder.port
        assert [one_click(port, raw) for raw in plain_office.raws()] == [(200, set())] * CONTROL
        with closing(shop.house.folder.ledger()) as ledger:
            people = {one.decision.person for one in ledger.deliveries(limit=100)}
            assert {ledger.standing(one).get("marketing") for one in people} == {False}


def test_a_front_that_redirects_and_sets_a_cookie_would_be_found(plain_office: Office, tmp_path: Path) -> None:
    """The negative control of the test above."""
    with closing(sent_to(tmp_path, plain_office, 1, front="tests.real.polite_front")) as shop:
        assert one_click(shop.house.folder.port, plain_office.raws()[0]) == (303, {"location", "set-cookie"})


# E4: no injection


@pytest.mark.parametrize("class_", CLASSES)
def test_nothing_that_is_known_of_a_person_becomes_more_than_text(
    plain_office: Office, writers: Writers, class_: str
) -> None:
    mails = made([writers.campaign(CAMPAIGNS[n % 5], class_, attack) for n, attack in enumerate(ATTACKS)])
    if class_ == "transactional":
        mails += made([writers.asked("Order {{ v }}", {"v": one, "category": one}, ADA) for one in ATTACKS])
    raws = arrived(plain_office, mails)
    assert {id: wrong for id, raw in raws.items() if (wrong := injected(raw, class_))} == {}


def test_a_header_with_a_newline_would_be_found(
    plain_office: Office, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above: neither the subject's words nor the header's line are looked at."""
    monkeypatch.setattr(template, "one_line", lambda text: text)
    monkeypatch.setattr(message, "_check", lambda parts: None)
    monkeypatch.setattr(
        message, "_fold", lambda name, value: b"\r\n".join([*f"{name}: {value}".encode().splitlines(), b""])
    )
    [one] = made([writers.campaign("welcome", "transactional", HEADERS[0])])
    [raw] = arrived(plain_office, [one]).values()
    assert "headers" in injected(raw, "transactional")


def test_either_of_the_two_that_look_is_enough(writers: Writers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "one_line", lambda text: text)
    assert {type(writers.campaign("welcome", "marketing", one)) for one in HEADERS} == {NotMade}
    with pytest.raises(HeaderError):
        message._check(parts_of("Ada\nBcc: eve@evil.example"))


def parts_of(subject: str) -> message.Parts:
    return message.Parts(
        recipient="a@b.example",
        subject=subject,
        at_ms=0,
        message_id="<1@b.example>",
        boundary="b" * 34,
        text="",
        html="",
    )


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_no_mail_goes_to_an_address_that_is_more_than_one(
    plain_office: Office, writers: Writers, recipient: str
) -> None:
    assert isinstance(writers.campaign("welcome", "marketing", "Ada", recipient), NotMade)
    assert isinstance(writers.asked("Hi", {}, recipient), NotMade)
    [one] = made([writers.campaign("welcome", "marketing", "Ada")])
    route = route_to(read_smtp(f"smtp://127.0.0.1:{plain_office.port}?tls=none", "test"), "shop.example")
    with closing(SmtpSender(route)) as sender:
        assert sender.send([msgspec.structs.replace(one, recipient=recipient)])[0].state == "failed"
    assert (plain_office.mails, plain_office.connections) == ([], 0)


def test_links_lead_to_the_web_or_nowhere_and_a_click_only_where_its_mail_led(
    plain_office: Office, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (
        "".join(f'<a href="{scheme}">x</a>' for scheme in SCHEMES)
        + '<a href="https://shop.example/a?b=1&amp;c=2">x</a>'
    )
    draft = template.Templates.render

    def linked(self: template.Templates, *told: Any) -> Any:
        return msgspec.structs.replace(draft(self, *told), html=page)

    monkeypatch.setattr(template.Templates, "render", linked)
    [one] = made([writers.campaign("welcome", "marketing", "Ada")])
    [raw] = arrived(plain_office, [one]).values()
    html = _Links()
    html.feed(body(parsed(raw), "html"))
    assert html.found[:-1] == ["#"] * len(SCHEMES)
    click = Tokens(writers.vault.secret("tokens")).open_click(html.found[-1].removeprefix(f"{PUBLIC}/c/"))
    assert click.target == "https://shop.example/a?b=1&c=2"
    assert injected(raw, "marketing") == []
    monkeypatch.setattr(links, "_HREF", re.compile("(never)(never)(never)"))
    plain_office.mails.clear()
    [again] = made([writers.campaign("welcome", "marketing", "Ada")])
    [unlooked] = arrived(plain_office, [again]).values()
    assert "links" in injected(unlooked, "marketing"), "the negative control: links that nobody looks at"
