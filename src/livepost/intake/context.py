"""Segment's `context` as a built-in declared struct: what of it stands open, and what is sealed.

In comes the context object, out go the open part and the rest. A part is opened only if the whole of it has
the expected form; anything odd stays sealed, so that an unexpected value can never carry a personal one into
the open.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any

MAX_PURPOSES = 64
CONSENT_EVENT = "Segment Consent Preference Updated"
_PURPOSE = re.compile(r"[\w .:/+-]{1,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_CAMPAIGN_WORD = re.compile(r"[\w .,:;+%|/()&!-]{1,100}")
_LIBRARY_WORD = re.compile(r"[\w@/.: +-]{1,64}", re.ASCII)
_CAMPAIGN_KEYS = frozenset({"id", "name", "source", "medium", "term", "content"})
_LIBRARY_KEYS = frozenset({"name", "version"})


def split_context(context: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (open, rest): the parts that have the declared form, and all others as they were told."""
    opened: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in context.items():
        opener = _OPENERS.get(key)
        part = opener(value) if opener is not None else None
        if part is not None:
            opened[key] = part
        if part is None or (key == "consent" and len(value) > 1):
            rest[key] = value
    return opened, rest


def consent_in(told: dict[str, Any]) -> dict[str, bool] | None:
    """Return the consent that the properties of a preference event carry, or None.

    The event's documented place is `context.consent`; forms send the same object in the properties.
    """
    return _consent(told.get("consent")) or _consent(told)


def _consent(value: Any) -> dict[str, bool] | None:
    """Return purpose (casefolded) -> allowed, or None. Fails closed: only `true` allows, and where two
    spellings of a purpose differ the stricter holds. A null says nothing.
    """
    preferences = value.get("categoryPreferences") if isinstance(value, dict) else None
    if not isinstance(preferences, dict) or len(preferences) > MAX_PURPOSES:
        return None
    consent: dict[str, bool] = {}
    for purpose, allowed in preferences.items():
        if allowed is not None and _PURPOSE.fullmatch(purpose) is not None:
            folded = purpose.casefold()
            consent[folded] = allowed is True and consent.get(folded, True)
    return consent or None


def _locale(value: Any) -> str | None:
    if not isinstance(value, str) or _LOCALE.fullmatch(value) is None:
        return None
    return value.replace("_", "-")


def _timezone(value: Any) -> str | None:
    return value if isinstance(value, str) and value in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _campaign(value: Any) -> dict[str, str] | None:
    return _words(value, _CAMPAIGN_KEYS, _CAMPAIGN_WORD)


def _library(value: Any) -> dict[str, str] | None:
    return _words(value, _LIBRARY_KEYS, _LIBRARY_WORD)


def _words(value: Any, keys: frozenset[str], word: re.Pattern[str]) -> dict[str, str] | None:
    """Return `value` if it is an object of nothing but expected keys with short plain words, else None."""
    if not isinstance(value, dict) or not value.keys() <= keys:
        return None
    for one in value.values():
        if not isinstance(one, str) or word.fullmatch(one) is None:
            return None
    return value


_OPENERS: dict[str, Callable[[Any], Any]] = {
    "consent": _consent,
    "locale": _locale,
    "timezone": _timezone,
    "campaign": _campaign,
    "library": _library,
}
