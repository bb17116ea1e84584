"""A rehearsal: a project run in memory, with a clock that moves when told to, in an author's words.

In: what is known of people, what happens, time. Out: the outbox, the reasons, people. Promised: these are the rooms
that run live, so what is rehearsed is what is sent; nobody is held out unless asked; two identical rehearsals give
identical ids; at the end no event may have vanished.
"""

from __future__ import annotations

import email
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from livepost.clock import SimulatedClock
from livepost.errors import ProjectError
from livepost.intake.call import Call, read_call
from livepost.intake.context import CONSENT_EVENT
from livepost.model.broadcast import broadcast_record
from livepost.model.choice import FREQUENCY, TOPIC
from livepost.model.compiled import Compiled
from livepost.model.message import Message
from livepost.model.person import PersonView
from livepost.model.record import KeyKind, Origin
from livepost.ops.evidence import gather
from livepost.ops.why import why, why_person
from livepost.project.call import call_of
from livepost.project.campaign import Campaign
from livepost.project.duration import in_ms
from livepost.project.event import Event
from livepost.project.profile import features_of
from livepost.project.segment import Segment
from livepost.runtime.author.project import MODULE, Project, load_project
from livepost.runtime.simulated import SimulatedHouse
from livepost.settings.load import load
from livepost.vault.base import USER

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""When a rehearsal begins: a Monday morning, always the same one."""

DEAD_LISTED = 1_000
"""Dead letters a rehearsal tells of."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it was sent: which template and campaign, to whom, when, and what it says.

    `person` is the userId (else the anonymousId), `headers` are those of the whole mail.
    """

    template: str
    campaign: str
    person: str
    to: str
    at: datetime
    subject: str
    html: str
    text: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        """Return what tells mails apart when a test fails."""
        return f"<mail {self.template!r} to {self.person!r} at {self.at:%Y-%m-%d %H:%M:%S}>"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person now: features in the author's types (personal ones opened), segments they are in, what they allow."""

    features: dict[str, Any]
    segments: frozenset[str]
    consents: dict[str, bool]


class Rehearsal:
    """A project in memory. As a context manager, or by the fixture `shop`, it asserts conservation at its end."""

    def __init__(self, project: Path | None = None, *, holdouts: bool = False) -> None:
        """Load the project of a folder, or the one whose `shop` the test imported.

        `holdouts` leaves people out as the campaigns say; else nobody is held out. Raises ProjectError if there is no
        project, or it cannot be compiled; SettingsError for its `livepost.toml`.
        """
        folder = project or _imported()
        settings = load(folder, {}).settings
        loaded = load_project(folder, settings)
        self._project = loaded if holdouts else _without_holdouts(loaded)
        self._mails: list[Mail] = []
        self._broadcasts = 0
        self.clock = SimulatedClock(int(START.timestamp()) * 1000)
        self.house = SimulatedHouse(self._project, settings, self.clock)

    @property
    def now(self) -> datetime:
        """The rehearsal's time."""
        return _moment(self.clock.now_ms())

    @property
    def outbox(self) -> list[Mail]:
        """All mails sent so far, in the order of sending."""
        for message in self.house.keep.mails[len(self._mails) :]:
            self._mails.append(self._mail(message))
        return list(self._mails)

    @property
    def dead_letters(self) -> list[str]:
        """Why events were kept aside, in the order they came."""
        return [letter.reason for letter in self.house.worker.dead(-1, DEAD_LISTED)]

    def knows(
        self,
        person: str,
        *,
        email: str | None = None,
        allows: str | Sequence[str] | None = None,
        anonymous: str | None = None,
        zone: str | None = None,
        topics: Mapping[str, bool] | None = None,
        **traits: Any,
    ) -> None:
        """Tell about a person as the shop's server would: an identify with a secret key.

        Only so becomes `email` an address to send to. `allows` are the purposes consented to; `anonymous` is an
        anonymousId that turns out to be this person; `zone` is that of their clocks ("Europe/Berlin"); `topics` are
        those they want, and do not want: {"reminders": False}.
        """
        told = {"email": email, **traits}
        call: dict[str, Any] = {
            "type": "identify",
            "userId": person,
            "anonymousId": anonymous,
            "traits": {name: value for name, value in told.items() if value is not None},
        }
        allowed = (allows,) if isinstance(allows, str) else allows or ()
        said = dict.fromkeys(allowed, True) | {TOPIC + name: on for name, on in (topics or {}).items()}
        call["context"] = (_consent(said) if said else {}) | ({"timezone": zone} if zone else {})
        self._take([call], KeyKind.SECRET)

    def happens(self, *events: Event, imported: bool = False, server: bool = False) -> None:
        """Let events happen one after the other, at this moment or `at` their own time, as a browser would tell them.

        Each names its `person=` or `anonymous=`. `imported` ones are history: they count, and start nothing. `server`
        ones are told with the secret key: a declared key is enough then to say whose they are.
        """
        origin = Origin.IMPORT if imported else Origin.LIVE
        for event in events:
            if event.person is None and event.anonymous is None and not server:
                raise ProjectError(
                    f"expected {type(event).__name__} to name its person= or anonymous=, got neither; "
                    f'write {type(event).__name__}(person="ada", ...)'
                )
            self._take([call_of(event)], KeyKind.SECRET if server else KeyKind.WRITE, origin)

    def alias(self, person: str, previous: str) -> None:
        """Say that `previous`, a userId or an anonymousId, is this person too, as the shop's server would: an alias
        with a secret key.
        """
        self._take([{"type": "alias", "userId": person, "previousId": previous}], KeyKind.SECRET)

    def broadcast(self, campaign: Campaign[Any]) -> None:
        """Broadcast a campaign now, to everybody who is in its audience. Raises ProjectError if it is no broadcast."""
        if not campaign.rules.broadcast:
            raise ProjectError(f"expected a campaign made by @broadcast, got {campaign.name}; it starts by itself")
        self._broadcasts += 1
        self.house.append([broadcast_record(campaign.name, f"broadcast-{self._broadcasts}")])

    def wait(self, length: timedelta) -> None:
        """Let time pass; what falls due on the way happens at its own time."""
        self.house.advance(in_ms(length))

    def downtime(self, length: timedelta) -> None:
        """Let time pass as if everything was switched off, and on again: what fell due comes late."""
        self.house.stand_still(in_ms(length))

    def consents(self, person: str, purpose: str) -> None:
        """Let a person allow a purpose, as a form or preference page tells it."""
        call = {
            "type": "track",
            "event": CONSENT_EVENT,
            "userId": person,
            "context": _consent({purpose: True}),
        }
        self._take([call], KeyKind.WRITE)

    def withdraw(self, person: str, purpose: str) -> None:
        """Let a person take back consent by a mail's unsubscribe link; raises ProjectError for someone never seen."""
        self.house.withdraw(self._view(person).person, purpose)

    def chooses(
        self,
        person: str,
        *,
        topics: Mapping[str, bool] | None = None,
        frequency: str | None = None,
        purposes: Mapping[str, bool] | None = None,
    ) -> None:
        """Let a person choose what they get, on the page behind a mail's link; raises ProjectError for someone never
        seen.

        `topics` are switched on or off, `frequency` is "1 per 7d" or "" for any, `purposes` are allowed or taken back.
        """
        wishes = {TOPIC + name: on for name, on in (topics or {}).items()} | dict(purposes or {})
        view = self._view(person)
        if frequency is not None:
            known = [key for key in self.house.ledger.standing(view.person) if key.startswith(FREQUENCY)]
            wishes |= dict.fromkeys(known, True)
            wishes |= {FREQUENCY + frequency: False} if frequency else {}
        self.house.choose(view.person, wishes)

    def person(self, name: str) -> Person:
        """Return a person by userId or anonymousId as of now; raises ProjectError for someone never seen."""
        view = self._view(name)
        declared = self._project.declarations.profile
        opened = {feature: self.house.seals.open(value) for feature, value in view.sealed.items()}
        profile = declared.from_view(view, opened, currency=self._project.compiled.currency)
        return Person(
            features={feature: getattr(profile, feature) for feature in features_of(declared)},
            segments=frozenset(one.segment for one in view.memberships if one.inside),
            consents=dict(view.consents),
        )

    def why(self, person: str, about: Campaign[Any] | Segment | str | None = None) -> str:
        """Return why a person got a campaign's mail or not, or is in a segment or not; without either, everything.

        The first line is the answer: it begins with `sent:`, `no mail:`, `not yet:`, `in ...` or `not in ...`.
        Raises ProjectError for someone never seen and for an unknown name.
        """
        evidence = gather(self._view(person), self.house.ledger, self.house.worker)
        if about is None:
            return str(why_person(self._project.compiled, evidence))
        name = about if isinstance(about, str) else about.name
        return str(why(self._project.compiled, name, evidence))

    def close(self) -> None:
        """End the rehearsal; raises AssertionError if an event vanished."""
        fates = self.house.fates()
        self.house.close()
        accepted = fates.pop("accepted")
        assert accepted == sum(fates.values()), f"{accepted} events were accepted, but these are accounted for: {fates}"

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; see `close`."""
        self.close()

    def _take(self, calls: Sequence[dict[str, Any]], key: KeyKind, origin: Origin = Origin.LIVE) -> None:
        self.house.take([_read(call) for call in calls], key, origin)

    def _view(self, person: str) -> PersonView:
        subject = self.house.subject(person)
        view = None if subject is None else self.house.person(subject)
        if view is None:
            raise ProjectError(f"expected somebody whom this rehearsal has met, got {person!r}; is it the userId?")
        return view

    def _mail(self, message: Message) -> Mail:
        parsed = email.message_from_bytes(message.raw, policy=SMTP)
        assert isinstance(parsed, EmailMessage)
        delivery = self.house.ledger.delivery(message.decision)
        assert delivery is not None
        return Mail(
            template=self.house.project.template_of[message.decision],
            campaign=delivery.decision.campaign,
            person=self._name(message.person),
            to=message.recipient,
            at=_moment(delivery.changed_at),
            subject=str(parsed["Subject"]),
            html=_body(parsed, "html"),
            text=_body(parsed, "plain"),
            headers={name: str(value) for name, value in parsed.items()},
        )

    def _name(self, person: bytes) -> str:
        view = self.house.person(person)
        ids = self.house.vault.external_ids(view.subjects if view else [person])
        return next((id.value for id in sorted(ids, key=lambda id: id.kind != USER)), "")


def _imported() -> Path:
    """Return the folder of the project whose `shop` was imported."""
    module = sys.modules.get(MODULE)
    if module is None or module.__file__ is None:
        raise ProjectError(
            f"expected the folder of a project, or {MODULE} imported before, got neither; name the folder"
        )
    return Path(module.__file__).parent


def _without_holdouts(project: Project) -> Project:
    compiled: Compiled = project.compiled
    campaigns = tuple(msgspec.structs.replace(one, holdout=0.0) for one in compiled.campaigns)
    return msgspec.structs.replace(project, compiled=msgspec.structs.replace(compiled, campaigns=campaigns))


def _read(call: dict[str, Any]) -> Call:
    """Return a call as the collector would decode it from JSON."""
    return read_call(msgspec.json.encode(call))


def _consent(said: Mapping[str, bool]) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": dict(said)}}


def _body(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return "" if part is None else str(part.get_content())


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
