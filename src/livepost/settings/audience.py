"""A destination of audiences, as a table `[[audiences]]` of `livepost.toml` says it.

In: values as they were written. Out: a struct. Promised: no key, path or query of it is shown; whether the URL may be
asked is for `fetch` to say, whether segments and features are there for the project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS
from livepost.errors import SettingsError
from livepost.settings.secret import check_reference

VendorName: TypeAlias = Literal["braze", "customerio", "hubspot", "iterable", "klaviyo", "mailchimp", "sendgrid"]
IdentKind: TypeAlias = Literal["email", "user_id"]

AUDIENCES_MAX = 16
SEGMENTS_MAX = 100
FEATURES_MAX = 100

IDENTS: dict[VendorName, tuple[IdentKind, ...]] = {
    "braze": ("user_id", "email"),
    "customerio": ("user_id", "email"),
    "hubspot": ("email",),
    "iterable": ("email", "user_id"),
    "klaviyo": ("email", "user_id"),
    "mailchimp": ("email",),
    "sendgrid": ("email",),
}
"""By what each vendor can know a person, the usual one first."""

URLS: dict[VendorName, str] = {
    "customerio": "https://track.customer.io",
    "hubspot": "https://api.hubapi.com",
    "iterable": "https://api.iterable.com",
    "klaviyo": "https://a.klaviyo.com",
    "sendgrid": "https://api.sendgrid.com",
}
"""Where those answer whose address is the same for all customers; the others' is part of the settings."""

_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class Audience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which segments and features are kept in step with which vendor's account.

    key       the vendor's key, by reference
    url       where the account is served; "" for the vendor's usual address
    account   the vendor's list that everybody is in (Mailchimp); "" for others
    id        by what the vendor knows a person; "" for the vendor's usual one
    segments  segment -> the vendor's list, or the property that says so (Braze, Customer.io)
    features  features that travel, or feature -> the vendor's name for it
    purpose   what consent is asked for, before anything leaves
    refresh   how often everybody is looked at again, for what changes without an event
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}\Z")]
    vendor: VendorName
    key: str
    segments: Annotated[dict[str, _Text], Meta(min_length=1, max_length=SEGMENTS_MAX)]
    features: Annotated[list[str], Meta(max_length=FEATURES_MAX)] | dict[str, str] = []
    url: str = ""
    account: str = ""
    id: Literal["", "email", "user_id"] = ""
    purpose: Annotated[str, Meta(min_length=1)] = "marketing"
    refresh: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}[mhd]\Z")] = "1h"

    @property
    def base_url(self) -> str:
        """Where the vendor is asked, without a slash at the end."""
        return (self.url or URLS.get(self.vendor, "")).rstrip("/")

    @property
    def ident(self) -> IdentKind:
        """By what the vendor knows a person."""
        return self.id or IDENTS[self.vendor][0]

    @property
    def fields(self) -> Mapping[str, str]:
        """Features, and the vendor's names for them."""
        return self.features if isinstance(self.features, dict) else {name: name for name in self.features}

    @property
    def refresh_ms(self) -> int:
        """`refresh` in milliseconds."""
        return int(self.refresh[:-1]) * _UNITS[self.refresh[-1]]

    def __str__(self) -> str:
        """Return what people may see."""
        origin = re.match(r"[a-zA-Z]+://[^/?#@\\]*(?![^/?#]*@)", self.base_url)
        return f"{self.name} -> {self.vendor} at {origin[0] if origin else '***'}"


def check_audiences(audiences: Sequence[Audience], where: str) -> None:
    """Raise SettingsError for a destination that could not be kept in step as it is written."""
    names = [one.name for one in audiences]
    for one in audiences:
        _check(one, where)
        if names.count(one.name) > 1:
            raise SettingsError(
                f"audiences ({where}) has {one.name} twice; what a vendor has is kept by its name: choose another"
            )


def _check(one: Audience, where: str) -> None:
    check_reference(f"key of the audience {one.name}", one.key, where)
    if one.ident not in IDENTS[one.vendor]:
        raise SettingsError(
            f"audience {one.name} ({where}): {one.vendor} knows people by {' or '.join(IDENTS[one.vendor])}, "
            f"expected id to be one of these, got {one.id}"
        )
    if not one.base_url:
        raise SettingsError(
            f"audience {one.name} ({where}): expected url, since each account of {one.vendor} has its own"
        )
    if one.vendor == "mailchimp" and not one.account:
        raise SettingsError(f"audience {one.name} ({where}): expected account, the id of Mailchimp's list")
    if len({*one.fields.values()}) < len(one.fields) or len({*one.segments.values()}) < len(one.segments):
        raise SettingsError(
            f"audience {one.name} ({where}): two of its segments or features go to one place; give each its own"
        )
