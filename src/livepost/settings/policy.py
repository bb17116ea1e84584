"""What a shop promises about data, as `policy.toml` says it: a page that a privacy officer can read and change.

In: the text of `policy.toml`. Out: a struct. Promised: what does not fit is refused with its place in the file; whether
the promises are kept is for `livepost policy check` to say.

A personal field of which nothing is said has no purpose, and goes nowhere.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from livepost.clock import DAY_MS
from livepost.errors import SettingsError

FILE_NAME = "policy.toml"
MAX_FILE_BYTES = 1_000_000

Basis: TypeAlias = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
]
"""Why data may be used (GDPR art. 6 (1) a to f)."""

Mask: TypeAlias = Literal["hide", "partial", "pseudonym", "bucket"]
"""What whoever may not see a value sees in its place: nothing, a part, a keyed hash, a range."""

STREAM = "stream"
"""The destination that whoever listens to `WS /api/stream` is."""

ALWAYS_PERSONAL = ("anonymous_id", "ip", "undeclared", "user_agent", "user_id")
"""What is personal whatever a tracking plan says; `undeclared` is all that it does not declare."""

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}\Z")]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1_000)]
Days: TypeAlias = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,4}d\Z")]
"""A length of time in days: `730d`."""


class Controller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for the data, and where people reach them (GDPR art. 30 (1) a); `officer` protects data."""

    name: Text
    contact: Text
    officer: str = ""


class Purpose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What data may be used for.

    text        the words that people are told
    basis       why it may
    retention   the longest that a field may be kept for it
    compatible  purposes whose data may be used for it, too (GDPR art. 6 (4)); never what was given on consent
    sale        it is a sale or sharing in the terms of the CCPA: who opted out is out of it
    tcf         purposes of IAB's TCF that a TC string has to allow
    valid       how long a consent to it is good; "" for as long as it is not withdrawn
    """

    text: Text
    basis: Basis
    retention: Days
    compatible: tuple[Name, ...] = ()
    sale: bool = False
    tcf: tuple[Annotated[int, Meta(ge=1, le=24)], ...] = ()
    valid: Days | Literal[""] = ""

    @property
    def retention_ms(self) -> int:
        """`retention` in milliseconds."""
        return _ms(self.retention)

    @property
    def on_consent(self) -> bool:
        """Whether a person has to say yes: by its basis, or since who opted out of a sale must be out of it."""
        return self.basis == "consent" or self.sale

    @property
    def valid_ms(self) -> int | None:
        """`valid` in milliseconds; None for no end."""
        return _ms(self.valid) if self.valid else None


class FieldPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is promised about a personal field; "" and () stand for what `[defaults]` say.

    purposes   for which it may be used
    retention  how long it is kept
    mask       what who may not see it sees
    owner      who answers for it
    special    which special category it is of (GDPR art. 9), such as "health"
    """

    purposes: tuple[Name, ...] = ()
    retention: Days | Literal[""] = ""
    mask: Mask | Literal[""] = ""
    owner: str = ""
    special: str = ""

    @property
    def retention_ms(self) -> int:
        """`retention` in milliseconds; 0 if it is not said."""
        return _ms(self.retention) if self.retention else 0


class EventPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which purposes the open fields of an event may be used, and so what is computed of them; () stands for what
    `[defaults]` say.
    """

    purposes: tuple[Name, ...] = ()


class DestinationPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may go to whom outside: an audience, a webhook, a sender, by its name in `livepost.toml`.

    purposes  for which it gets data: all of them have to be allowed
    fields    what may go there, each by its name: `Identified.email`, `user_id`, `Shopper.favourites` (a feature or a
              segment), `campaign.welcome` (that a mail was decided, and what became of it)
    region    where it keeps data
    owner     who answers for it
    """

    purposes: tuple[Name, ...]
    fields: tuple[str, ...] = ()
    region: str = ""
    owner: str = ""


class PipelinePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for a source of events and its dead letters, and whom an alarm wakes."""

    owner: Text
    alarm: Text


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `policy.toml`.

    fields        by `Identified.email`, `email.domain` for a facet, or one of ALWAYS_PERSONAL
    events        by the event's class: `ProductViewed`
    pipelines     by the source, as a key names it
    people        whom data is about, in categories (GDPR art. 30 (1) c)
    home          the region in which the house runs
    regions       regions to which data may go
    hosts         hosts that may be asked, with `*.` for all below one
    """

    controller: Controller
    purposes: dict[Name, Purpose]
    defaults: FieldPolicy = FieldPolicy()
    fields: dict[str, FieldPolicy] = {}
    events: dict[str, EventPolicy] = {}
    destinations: dict[str, DestinationPolicy] = {}
    pipelines: dict[str, PipelinePolicy] = {}
    people: tuple[Text, ...] = ("customers", "visitors")
    home: str = ""
    regions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def of_field(self, name: str) -> FieldPolicy:
        """Return what is promised about a personal field, with the defaults in it."""
        said, otherwise = self.fields.get(name, FieldPolicy()), self.defaults
        return FieldPolicy(
            purposes=said.purposes or otherwise.purposes,
            retention=said.retention or otherwise.retention,
            mask=said.mask or otherwise.mask or "hide",
            owner=said.owner or otherwise.owner,
            special=said.special,
        )

    def of_event(self, name: str) -> tuple[str, ...]:
        """Return the purposes of an event's open fields, by its class."""
        return self.events.get(name, EventPolicy()).purposes or self.defaults.purposes


def load_policy(folder: Path) -> Policy | None:
    """Return what the project in a folder promises, None if it has no `policy.toml`; raise SettingsError."""
    raw = read_page(folder)
    return None if raw is None else parse_policy(raw)


def policy_in_force(folder: Path, data: Path) -> Policy | None:
    """Return what a house on the data folder `data` goes by: the page that it took, before that its project's in
    `folder`; raise SettingsError.
    """
    taken = load_policy(data)
    return load_policy(folder) if taken is None else taken


def read_page(folder: Path) -> bytes | None:
    """Return the bytes of a folder's `policy.toml`, None if there is none; raise SettingsError."""
    try:
        return (folder / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{FILE_NAME} cannot be read ({error}); mend the file") from error


def parse_policy(raw: bytes) -> Policy:
    """Return what a page promises; raise SettingsError."""
    if len(raw) > MAX_FILE_BYTES:
        raise SettingsError(f"{FILE_NAME} has {len(raw)} bytes, expected at most {MAX_FILE_BYTES}; shorten it")
    try:
        return msgspec.convert(tomllib.loads(raw.decode()), Policy)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{FILE_NAME} cannot be read as UTF-8 text ({error}); mend the file") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{FILE_NAME} is not TOML: {error}; mend that line") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{FILE_NAME} does not fit: {error}; see docs/reference/policy.md") from error


def _ms(days: str) -> int:
    return int(days[:-1]) * DAY_MS
