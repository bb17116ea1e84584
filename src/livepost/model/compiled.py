"""The compiled project: an author's declarations as data, with a content hash; a control record names it in the log.

This module is on the floor of `model`, below `expr`: conditions are kept as plain JSON-able trees here
(`condition`, `where`), to be read with `msgspec.convert(tree, livepost.expr.Expr)`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from livepost.ids import digest
from livepost.model.hours import QuietHours

COMPILED_FORMAT = 1

FieldType: TypeAlias = Literal["str", "int", "float", "bool", "money", "datetime", "list", "json"]
FeatureKind: TypeAlias = Literal[
    "count", "total", "mean", "minimum", "maximum", "latest", "first", "recent", "top", "distinct", "since", "exists"
]
CalendarUnit: TypeAlias = Literal["day", "week", "month"]
Class: TypeAlias = Literal["marketing", "transactional"]
Lane: TypeAlias = Literal["transactional", "triggered", "bulk", "backfill"]
Tree: TypeAlias = dict[str, Any]


class FieldSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A declared field. `keys` are the JSON names it is read from, first hit wins (Segment's `firstName`, ours).

    Personal fields are sealed; a `money` field's currency comes from the sibling JSON field `currency_key`. `currency`
    is the one it has to be in, because a feature counts it; None: any. A `key` is an id of one person; it is personal.
    """

    name: str
    keys: tuple[str, ...]
    type: FieldType
    item: FieldType | None = None
    required: bool = True
    personal: bool = False
    key: bool = False
    currency_key: str | None = None
    currency: str | None = None


class EventSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A declared event: `name` as in records (`Product Viewed`, `$identify`), `cls` as the author wrote it."""

    name: str
    cls: str
    fields: tuple[FieldSpec, ...]


class CalendarSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar window: the unit at hand and the `times` - 1 before it, in a zone of the IANA database.

    Weeks begin on Monday (ISO 8601). docs/reference/semantics.md says where a unit begins where clocks change.
    """

    unit: CalendarUnit
    times: int
    zone: str


class FeatureSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A feature of the person. `over_ms` None means lifetime; `grid_ms` divides `over_ms` (SEMANTICS, "Windows").

    `calendar` is a window of another kind, instead of `over_ms` and `grid_ms`. `type` is that of the value: int for
    count and distinct, bool for exists, money/int/float for total, float for mean, ms (int) for since, the field's for
    latest/first/minimum/maximum, list for recent/top. `field` with a dot in it is a facet's name. `n` is recent's n or
    top's k; `cap` how many different values distinct and top tell apart (None: DISTINCT_MAX). `secret_only` folds only
    what a secret key brought (the address of a person). `anonymous` features were written inside a condition.
    `version` is the hash of the definition without its name; a default is left out of it, so that what is added to the
    language leaves the versions of what was there.
    """

    name: str
    kind: FeatureKind
    event: str
    field: str | None = None
    where: Tree | None = None
    over_ms: int | None = None
    grid_ms: int | None = None
    calendar: CalendarSpec | None = None
    n: int | None = None
    cap: int | None = None
    type: FieldType = "int"
    personal: bool = False
    secret_only: bool = False
    anonymous: bool = False
    version: str = ""

    @property
    def told_apart(self) -> int:
        """How many different values distinct and top tell apart."""
        return DISTINCT_MAX if self.cap is None else self.cap


class SegmentSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A segment: a condition over features and segments; `text` is what the author wrote, for people to read."""

    name: str
    condition: Tree
    text: str = ""
    version: str = ""


class CapSpec(msgspec.Struct, frozen=True):
    """At most `times` mails per `per_ms` and person."""

    times: int
    per_ms: int


class StepSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A later mail of a campaign: so long after the one before, or at the next minute `at` of the day from then on."""

    name: str
    wait_ms: int
    at: int | None = None


class CampaignSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A campaign's rules; the author's function runs only when a mail is rendered.

    audience    a segment: entering it starts a journey; or
    on          an event name: its arrival starts one (`where` filters)
    until       event names that end a journey without a mail
    exit        leaving the audience ends a waiting journey
    reentry_ms  0: again at once (never twice at the same time); n: earliest n ms after the last entry; None: once ever
    fresh_ms    how old a trigger, or how late a step, may be
    at          minute of the day, in the person's zone, that a journey waits for after `wait_ms`
    quiet       hours in which nothing is decided
    zone        the zone of people of whom none is known, for `at` and `quiet`
    priority    campaigns of a higher one are decided first
    overall     caps on what a person gets of all campaigns that have any
    steps       the mails after the first
    broadcast   a BROADCAST record starts a journey of everybody in the audience; entering it starts none
    over_ms     how long its mails are spread over, once they are decided
    topic       what its mails are about, which a person can switch off; "": nothing of its own
    """

    name: str
    audience: str | None = None
    on: str | None = None
    where: Tree | None = None
    wait_ms: int = 0
    until: tuple[str, ...] = ()
    purpose: str = "marketing"
    cap: CapSpec | None = None
    holdout: float = 0.0
    class_: Class = "marketing"
    lane: Lane = "triggered"
    exit: bool = True
    reentry_ms: int | None = 0
    fresh_ms: int = 3_600_000
    at: int | None = None
    quiet: QuietHours | None = None
    zone: str = "UTC"
    priority: int = 0
    overall: tuple[CapSpec, ...] = ()
    steps: tuple[StepSpec, ...] = ()
    broadcast: bool = False
    over_ms: int = 0
    topic: str = ""
    version: str = ""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A whole project as data. `currency` is for money without one. `profile` is the author's class name."""

    format: int = COMPILED_FORMAT
    profile: str = ""
    currency: str = "USD"
    events: tuple[EventSpec, ...] = ()
    features: tuple[FeatureSpec, ...] = ()
    segments: tuple[SegmentSpec, ...] = ()
    campaigns: tuple[CampaignSpec, ...] = ()

    def keys(self) -> tuple[str, ...]:
        """Return the names of the declared keys, in alphabetical order: each is a kind of id in the vault."""
        return tuple(sorted({field.name for event in self.events for field in event.fields if field.key}))

    def hash(self) -> str:
        """Return the content hash: blake2b-128, hex, of the canonical JSON."""
        return digest(msgspec.json.encode(self, order="deterministic")).hex()


DISTINCT_MAX = 1_000
"""As many different values a distinct or top tells apart where its author declares no cap."""

ADDRESS_FEATURE = "$address"
"""The name of the built-in feature that holds a person's sendable address: latest email brought by a secret key."""
