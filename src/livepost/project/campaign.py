"""Campaigns: who gets a mail, when, and what stops it; the author's function runs when a mail is rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from livepost.errors import ProjectError
from livepost.model.compiled import Class, Lane
from livepost.project.condition import Condition, condition
from livepost.project.email import Email
from livepost.project.event import Event
from livepost.project.hours import Quiet
from livepost.project.metaclass import EventMeta
from livepost.project.place import authors_line, line_of
from livepost.project.profile import Profile
from livepost.project.segment import Segment

P = TypeVar("P", bound=Profile)
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Cap:
    """At most `times` mails of a campaign to a person in any `per`."""

    times: int
    per: timedelta = field(kw_only=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """A campaign's rules but its audience, as the author gave them; `campaign` says what each means."""

    on: type[Event] | None
    where: Condition | None
    wait: timedelta
    until: tuple[type[Event], ...]
    purpose: str
    cap: Cap | None
    holdout: float
    class_: Class
    lane: Lane
    exit: bool
    reentry: timedelta | None
    fresh: timedelta | None
    at: str | None = None
    quiet: Quiet | bool = True
    priority: int = 0
    was: str | None = None
    broadcast: bool = False
    over: timedelta = AT_ONCE
    topic: str | None = None


@dataclass(frozen=True, eq=False)
class Step(Generic[P]):
    """A later mail of a campaign: the function that writes it, how long after the one before, at what time of day."""

    write: Callable[[P], Email]
    wait: timedelta
    at: str | None

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.write.__name__

    @property
    def line(self) -> str:
        """Where it is declared, as `file:line`."""
        return line_of(self.write.__code__)

    def __call__(self, profile: P) -> Email:
        """Return the mail for one person."""
        return self.write(profile)


class Campaign(Generic[P]):
    """A campaign: its name, its rules, and the function that writes the mail."""

    def __init__(self, write: Callable[[P], Email], audience: Segment | None, rules: Rules) -> None:
        """Take the function, which gives the name, the segment whose entering starts it, and the rules."""
        self.write = write
        self.audience = audience
        self.rules = rules
        self.steps: list[Step[P]] = []
        self.name = write.__name__
        self.line = line_of(write.__code__)
        self.__doc__ = write.__doc__

    def __call__(self, profile: P) -> Email:
        """Return the mail for one person."""
        return self.write(profile)

    def then(self, *, wait: timedelta, at: str | None = None) -> Callable[[Callable[[P], Email]], Step[P]]:
        """Make another mail of this campaign of the function below: so long after the one before, whether that was sent
        or skipped, and if `at` is given, at the next such time of day in the person's zone.

        What ends a journey ends it before this mail too.
        """

        def add(write: Callable[[P], Email]) -> Step[P]:
            step = Step(_function(write), wait, at)
            self.steps.append(step)
            return step

        return add

    def mail(self, step: int) -> Campaign[P] | Step[P]:
        """Return what writes the mail of a step; `ProjectError` if the campaign has no such one."""
        if step == 0:
            return self
        if step > len(self.steps):
            raise ProjectError(
                f"expected a campaign of {step + 1} mails, got {len(self.steps) + 1} in {self.name}", self.line
            )
        return self.steps[step - 1]

    def __repr__(self) -> str:
        """Return the campaign's name."""
        return f"<campaign {self.name}>"


def campaign(
    *,
    audience: Segment | None = None,
    on: type[Event] | None = None,
    where: Condition | bool | None = None,
    wait: timedelta = AT_ONCE,
    until: type[Event] | Sequence[type[Event]] = (),
    purpose: str = "marketing",
    cap: Cap | None = None,
    holdout: float = 0.0,
    class_: Class = "marketing",
    lane: Lane | None = None,
    exit: bool = True,
    reentry: timedelta | None = AT_ONCE,
    fresh: timedelta | None = None,
    at: str | None = None,
    quiet: Quiet | bool = True,
    priority: int = 0,
    was: str | None = None,
    topic: str | None = None,
) -> Callable[[Callable[[P], Email]], Campaign[P]]:
    """Make a campaign of the function below.

    audience   entering this segment starts a journey; or
    on         this event starts one, if `where` holds of its fields
    wait       how long a journey waits before it is decided
    until      events that end a waiting journey without a mail
    purpose    what the person must have consented to
    cap        at most so many mails of this campaign per time and person; none: no cap
    holdout    share of people (0 to 1) left out, to measure the effect
    class_     "marketing" needs consent; "transactional" (receipts) does not
    lane       order of sending; as the class says if not given
    exit       whether leaving the audience ends a waiting journey
    reentry    earliest time after the last entry to enter again; `timedelta(0)` at once, None never again
    fresh      how late a trigger or step may be before it is skipped as stale; the project's if not given
    at         time of day ("09:00"), in the person's zone, that a mail waits for after `wait`
    quiet      hours without mail, such as Quiet("21:00", "08:00"); True: the setting's, False: none
    priority   of campaigns that are due at the same moment, the higher is decided first
    was        the name it had before a rename: what it remembers of people stays
    topic      what its mails are about, one of the setting `topics`: people switch it off by itself
    """
    rules = Rules(
        on=None if on is None else _event("on", on),
        where=None if where is None else condition(where),
        wait=wait,
        until=_several(until),
        purpose=purpose,
        cap=cap,
        holdout=holdout,
        class_=class_,
        lane=lane or ("transactional" if class_ == "transactional" else "triggered"),
        exit=exit,
        reentry=reentry,
        fresh=fresh,
        at=at,
        quiet=quiet,
        priority=priority,
        was=was,
        topic=topic,
    )
    entered = _segment(audience)
    return lambda write: Campaign(_function(write), entered, rules)


def broadcast(
    *,
    audience: Segment,
    until: type[Event] | Sequence[type[Event]] = (),
    purpose: str = "marketing",
    cap: Cap | None = None,
    holdout: float = 0.0,
    class_: Class = "marketing",
    exit: bool = True,
    at: str | None = None,
    over: timedelta = AT_ONCE,
    quiet: Quiet | bool = True,
    priority: int = 0,
    topic: str | None = None,
    was: str | None = None,
) -> Callable[[Callable[[P], Email]], Campaign[P]]:
    """Make a campaign of the function below that begins when it is told to (`livepost broadcast NAME`), for everybody
    who is in the audience at that moment, and again each time it is told to.

    at         time of day ("09:00"), in each person's zone, that the mail waits for
    over       how long the mails are spread over, at most 12 hours: few at first and ever more, so that what is wrong
               with them is seen before all have one

    All else is as `campaign` has it; mails go in the lane "bulk".
    """
    rules = Rules(
        on=None,
        where=None,
        wait=AT_ONCE,
        until=_several(until),
        purpose=purpose,
        cap=cap,
        holdout=holdout,
        class_=class_,
        lane="bulk",
        exit=exit,
        reentry=AT_ONCE,
        fresh=None,
        at=at,
        quiet=quiet,
        priority=priority,
        was=was,
        topic=topic,
        broadcast=True,
        over=over,
    )
    entered = _segment(audience)
    return lambda write: Campaign(_function(write), entered, rules)


def _segment(audience: Segment | None) -> Segment | None:
    if audience is not None and not isinstance(audience, Segment):
        raise ProjectError(
            f"expected audience= to be a segment such as Shopper.browsing, got {audience!r}; "
            "wrap a condition into segment(...) in the profile",
            authors_line(),
        )
    return audience


def _several(until: Any) -> tuple[type[Event], ...]:
    events = until if isinstance(until, list | tuple) else (until,)
    return tuple(_event("until", event) for event in events)


def _event(word: str, event: type[Event]) -> type[Event]:
    if not isinstance(event, EventMeta):
        raise ProjectError(
            f"expected {word}= to name an event class such as OrderCompleted, got {event!r}; "
            "declare the event or import it from livepost.ecommerce",
            authors_line(),
        )
    return event


def _function(write: Callable[[P], Email]) -> Callable[[P], Email]:
    if not hasattr(write, "__code__"):
        raise ProjectError(
            f"expected @campaign(...) above a function that returns an Email, got {write!r}; "
            "write `def name(shopper)` below it",
            authors_line(),
        )
    return write
