"""Facets: open values computed from sealed ones before sealing, each with a purpose of its own (FORMATS,
"Seals").

In come an identify's traits and the open context, out go facets by name. All are pure; what has not the
expected form gives no facet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

_DOMAIN = re.compile(r"(?=.{4,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z][a-z0-9-]{1,62}", re.ASCII)
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:$|[T ])", re.ASCII)

Compute: TypeAlias = Callable[[dict[str, Any], dict[str, Any]], str | None]


class Facet(msgspec.Struct, frozen=True):
    """A facet: its name in records, what it may be used for, and how it comes from (traits, open context)."""

    name: str
    purpose: str
    compute: Compute


def facets_of(traits: dict[str, Any], context: dict[str, Any]) -> dict[str, str]:
    """Return the facets of a record by name; `traits` is empty unless the call is an identify."""
    if not traits and not context:
        return {}
    facets: dict[str, str] = {}
    for facet in FACETS:
        value = facet.compute(traits, context)
        if value is not None:
            facets[facet.name] = value
    return facets


def _email_domain(traits: dict[str, Any], context: dict[str, Any]) -> str | None:
    email = traits.get("email")
    if not isinstance(email, str) or email.count("@") != 1:
        return None
    domain = email.strip().rpartition("@")[2].lower()
    return domain if _DOMAIN.fullmatch(domain) else None


def _birthday(traits: dict[str, Any], context: dict[str, Any]) -> str | None:
    birthday = traits.get("birthday")
    found = _DATE.match(birthday) if isinstance(birthday, str) else None
    return f"{found[1]}-{found[2]}" if found else None


def _zone(traits: dict[str, Any], context: dict[str, Any]) -> str | None:
    return context.get("timezone")


def _locale(traits: dict[str, Any], context: dict[str, Any]) -> str | None:
    return context.get("locale")


FACETS: tuple[Facet, ...] = (
    Facet("email.domain", "deliverability", _email_domain),
    Facet("birthday.month_day", "birthday greetings", _birthday),
    Facet("zone", "sending at a decent hour", _zone),
    Facet("locale", "choosing a language", _locale),
)
"""All facets, in the order in which they are computed."""
