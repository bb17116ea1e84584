"""Segment's `context` as a built-in declared struct: what of it stands open, and what is sealed.

In comes the context object, out go the open part and the rest. A part is opened only if the whole of it has
the expected form; anything odd stays sealed, so that an unexpected value can never carry a personal one into
the open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from livepost.intake.facet import facets_of
from livepost.model.consent import is_signal
from livepost.model.hours import zones

MAX_PURPOSES = 64
MAX_WORD_CHARS = 100
CACHED_WORDS = 4_096
"""Words remembered as plain or not: a shop's events carry the same few over and over."""
CACHED_OPENINGS, CACHED_BYTES = 4_096, 512
"""So many openings are remembered, each by what was told as JSON, if that is so short: clients tell the same over and
over.
"""
CONSENT_EVENT = "Segment Consent Preference Updated"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_PURPOSE = re.compile(r"[\w .:/+-]{1,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_CAMPAIGN_WORD = re.compile(r"[\w .,:;+%|/()&!-]{1,100}")
_LIBRARY_WORD = re.compile(r"[\w@/.: +-]{1,64}", re.ASCII)
_CAMPAIGN_KEYS = frozenset({"id", "name", "source", "medium", "term", "content"})
_LIBRARY_KEYS = frozenset({"name", "version"})


class Opening(msgspec.Struct, frozen=True):
    """What of a context stands open, and the facets of it; all contexts that tell the same share one: read it only.

    `whole` names the parts of which nothing is left to be sealed.
    """

    parts: dict[str, Any]
    facets: dict[str, str]
    whole: frozenset[str]


def split_context(context: dict[str, Any]) -> tuple[Opening, dict[str, Any]]:
    """Return (open, rest): the parts that have the declared form, and all others as they were told."""
    told = _encode({key: context[key] for key in filter(_OPENERS.__contains__, context)})
    opening = _remembered(told) if len(told) <= CACHED_BYTES else _opening(told)
    whole = opening.whole
    return opening, {key: value for key, value in context.items() if key not in whole}


def consent_in(told: dict[str, Any]) -> dict[str, bool] | None:
    """Return the consent that the properties of a preference event carry, or None.

    The event's documented place is `context.consent`; forms send the same object in the properties.
    """
    return _consent(told.get("consent")) or _consent(told)


def _opening(told: bytes) -> Opening:
    """Return what is open of those parts of a context that can be; they come as JSON."""
    values = _decode(told)
    parts = {key: part for key, value in values.items() if (part := _OPENERS[key](value)) is not None}
    whole = {key for key in parts if key != "consent" or len(values[key]) == 1}
    return Opening(parts, facets_of(None, parts), frozenset(whole))


_remembered = lru_cache(CACHED_OPENINGS)(_opening)


def _consent(value: Any) -> dict[str, bool] | None:
    """Return purpose (casefolded) -> allowed, or None. Fails closed: only `true` allows, and where two
    spellings of a purpose differ the stricter holds. A null says nothing.
    """
    preferences = value.get("categoryPreferences") if isinstance(value, dict) else None
    if not isinstance(preferences, dict) or len(preferences) > MAX_PURPOSES:
        return None
    consent: dict[str, bool] = {}
    for name, allowed in preferences.items():
        purpose = _purpose(name) if len(name) <= MAX_WORD_CHARS else None
        if allowed is not None and purpose is not None:
            consent[purpose] = allowed is True and consent.get(purpose, True)
    return consent or None


@lru_cache(CACHED_WORDS)
def _purpose(name: str) -> str | None:
    """Return a purpose by its one spelling; None for what is none, and for what only the house itself may say."""
    purpose = name.casefold() if _PURPOSE.fullmatch(name) is not None else ""
    return purpose if purpose and not is_signal(purpose) else None


def _locale(value: Any) -> str | None:
    return _locale_word(value) if isinstance(value, str) and len(value) <= MAX_WORD_CHARS else None


@lru_cache(CACHED_WORDS)
def _locale_word(word: str) -> str | None:
    return word.replace("_", "-") if _LOCALE.fullmatch(word) is not None else None


def _timezone(value: Any) -> str | None:
    return value if isinstance(value, str) and value in zones() else None


def _campaign(value: Any) -> dict[str, str] | None:
    return _words(value, _CAMPAIGN_KEYS, _campaign_word)


def _library(value: Any) -> dict[str, str] | None:
    return _words(value, _LIBRARY_KEYS, _library_word)


@lru_cache(CACHED_WORDS)
def _campaign_word(word: str) -> bool:
    return _CAMPAIGN_WORD.fullmatch(word) is not None


@lru_cache(CACHED_WORDS)
def _library_word(word: str) -> bool:
    return _LIBRARY_WORD.fullmatch(word) is not None


def _words(value: Any, keys: frozenset[str], is_plain: Callable[[str], bool]) -> dict[str, str] | None:
    """Return `value` if it is an object of nothing but expected keys with short plain words, else None."""
    if not isinstance(value, dict):
        return None
    for key, one in value.items():
        if key not in keys or type(one) is not str or len(one) > MAX_WORD_CHARS or not is_plain(one):
            return None
    return value


_OPENERS: dict[str, Callable[[Any], Any]] = {
    "consent": _consent,
    "locale": _locale,
    "timezone": _timezone,
    "campaign": _campaign,
    "library": _library,
}
