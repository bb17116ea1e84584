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
    compatible  purposes whose data may be joined with its own (GDPR art. 6 (4))
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
    """For which purposes the open fields of an event may be used, and so what is computed of them."""

    purposes: tuple[Name, ...] = ()


class DestinationPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may go to whom outside: an audience, a webhook, a sender, by its name in `livepost.toml`.

    purposes  for which it gets data
    fields    what may go there: `Identified.email`, `Shopper.favourites`, each by its name
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

    fields        by `Identified.email`, or `ip.country` for a facet
    events        by the event's class: `ProductViewed`
    pipelines     by the source, as a key names it
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


def load_policy(folder: Path) -> Policy | None:
    """Return what the project in a folder promises, None if it has no `policy.toml`; raise SettingsError."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            raise SettingsError(f"{FILE_NAME} has {len(raw)} bytes, expected at most {MAX_FILE_BYTES}; shorten it")
        return msgspec.convert(tomllib.loads(raw.decode()), Policy)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE_NAME} cannot be read as UTF-8 text ({error}); mend the file") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{FILE_NAME} is not TOML: {error}; mend that line") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{FILE_NAME} does not fit: {error}; see docs/reference/policy.md") from error


def _ms(days: str) -> int:
    return int(days[:-1]) * DAY_MS
