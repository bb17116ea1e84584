"""The words of the pages that people see who get mails: ours in some languages, the shop's over them.

In: `words/LANGUAGE.toml`, the shop's files of the same form, what a browser asks for. Out: sentences. Promised: a
language is whole: what a shop's file leaves out is said in ours, or in English; a word with a gap that nobody fills is
refused where it is read, never where it is shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from livepost.errors import LivepostError

FALLBACK = "en"
MAX_WORDS_CHARS = 1_000
MAX_ASKED = 20
"""Languages of a browser that are looked at."""

TABLES = ("purpose_names", "topic_names")
"""Tables of a file: what purposes and topics are called."""

_GAP = re.compile(r"\{(\w*)\}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class WordsError(LivepostError):
    """A shop's words cannot be used."""


class Words(msgspec.Struct, frozen=True):
    """The words of one language; `direction` is that of its script."""

    language: str
    said: Mapping[str, str]
    purpose_names: Mapping[str, str] = {}
    topic_names: Mapping[str, str] = {}

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.said["dir"]

    def say(self, key: str, **gaps: object) -> str:
        """Return a sentence with its gaps filled.

        >>> ours("en").say("preferences", shop="Tea & Co")
        'Your mails from Tea & Co'
        """
        return _GAP.sub(lambda gap: str(gaps.get(gap[1], gap[0])), self.said[key])

    def purpose(self, name: str) -> str:
        """Return what a purpose is called."""
        return self.purpose_names.get(name, name)


def languages() -> tuple[str, ...]:
    """Return the languages that come with the house."""
    found = (files("livepost.api") / "words").iterdir()
    return tuple(sorted(path.name.removesuffix(".toml") for path in found if path.name.endswith(".toml")))


@cache
def ours(language: str) -> Words:
    """Return the words that come with the house; KeyError for a language that does not."""
    if language not in languages():
        raise KeyError(language)
    told = tomllib.loads((files("livepost.api") / "words" / f"{language}.toml").read_text("utf-8"))
    tables = {name: told.pop(name, {}) for name in TABLES}
    return Words(language, told, **tables)


def with_shops(language: str, text: str, place: str) -> Words:
    """Return a language with a shop's words over ours; raise WordsError with the place for what cannot be said."""
    base = ours(language if language in languages() else FALLBACK)
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WordsError(f"{place}: expected TOML, got something else ({error}); mend that line") from error
    tables = {name: {**getattr(base, name), **_table(told.pop(name, {}), f"{place} [{name}]")} for name in TABLES}
    said = _table(told, place)
    for key, words in said.items():
        _check(key, words, base.said, place)
    return Words(language, {**base.said, **said}, **tables)


def chosen(asked: str, offered: Sequence[str]) -> str:
    """Return which offered language a browser's Accept-Language asks for first; the first offered where it is none.

    >>> chosen("fr-CH, fr;q=0.9, de;q=0.8", ("en", "de"))
    'de'
    """
    wanted = []
    for place, part in enumerate(asked.split(",")[:MAX_ASKED]):
        tag, _, quality = part.strip().partition(";q=")
        wanted.append((-_weight(quality), place, tag.split("-")[0].casefold()))
    return next((tag for weight, _, tag in sorted(wanted) if weight and tag in offered), offered[0])


def _weight(quality: str) -> float:
    try:
        return min(max(float(quality), 0.0), 1.0) if quality else 1.0
    except ValueError:
        return 0.0


def _table(told: Any, place: str) -> dict[str, str]:
    try:
        return msgspec.convert(told, dict[str, str])
    except msgspec.ValidationError as error:
        raise WordsError(f"{place}: expected words in quotes, got something else ({error}); quote them") from error


def _check(key: str, words: str, base: Mapping[str, str], place: str) -> None:
    if key not in base:
        raise WordsError(f"{place}: expected one of {', '.join(base)}, got {key}; correct the name")
    if len(words) > MAX_WORDS_CHARS:
        raise WordsError(
            f"{place}: expected at most {MAX_WORDS_CHARS} characters in {key}, got {len(words)}; shorten it"
        )
    if key == "dir" and words not in ("ltr", "rtl"):
        raise WordsError(f'{place}: expected dir = "ltr" or "rtl", got {words!r}; choose one')
    unknown = set(_GAP.findall(words)) - set(_GAP.findall(base[key]))
    if unknown:
        known = ", ".join(f"{{{gap}}}" for gap in sorted(set(_GAP.findall(base[key])))) or "none"
        raise WordsError(f"{place}: expected no other gaps in {key} than {known}, got {{{min(unknown)}}}; correct it")
