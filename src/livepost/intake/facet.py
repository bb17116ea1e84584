"""Facets: open values computed from sealed ones before sealing, each with a purpose of its own (FORMATS,
"Seals").

In come an identify's traits and the open context, out go facets by name. All are pure; what has not the
expected form gives no facet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from livepost.model.facet import BIRTHDAY, EMAIL_DOMAIN, LOCALE, ZONE

_DOMAIN = re.compile(r"(?=.{4,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z][a-z0-9-]{1,62}", re.ASCII)
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:$|[T ])", re.ASCII)


class Facet(msgspec.Struct, frozen=True):
    """A facet: its name in records, what it may be used for, and how it comes from the value under `key`."""

    name: str
    purpose: str
    key: str
    compute: Callable[[Any], str | None]


def facets_of(traits: dict[str, Any] | None, context: dict[str, Any]) -> dict[str, str]:
    """Return the facets of a record by name, from an identify's traits and the open part of the context."""
    facets: dict[str, str] = {}
    if traits:
        _compute(OF_TRAITS, traits, facets)
    if context:
        _compute(OF_CONTEXT, context, facets)
    return facets


def _compute(candidates: tuple[Facet, ...], told: dict[str, Any], facets: dict[str, str]) -> None:
    for facet in candidates:
        value = told.get(facet.key)
        if value is not None and (computed := facet.compute(value)) is not None:
            facets[facet.name] = computed


def _email_domain(email: Any) -> str | None:
    if not isinstance(email, str) or email.count("@") != 1:
        return None
    domain = email.strip().rpartition("@")[2].lower()
    return domain if _DOMAIN.fullmatch(domain) else None


def _month_day(birthday: Any) -> str | None:
    found = _DATE.match(birthday) if isinstance(birthday, str) else None
    return f"{found[1]}-{found[2]}" if found else None


def _as_it_is(value: Any) -> str | None:
    return value if isinstance(value, str) else None


OF_TRAITS: tuple[Facet, ...] = (
    Facet(EMAIL_DOMAIN, "deliverability", "email", _email_domain),
    Facet(BIRTHDAY, "birthday greetings", "birthday", _month_day),
)
OF_CONTEXT: tuple[Facet, ...] = (
    Facet(ZONE, "sending at a decent hour", "timezone", _as_it_is),
    Facet(LOCALE, "choosing a language", "locale", _as_it_is),
)
"""What is computed from an identify's traits, and what from the open part of the context."""
