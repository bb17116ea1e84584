"""Rules about personal fields: purpose, retention, mask, owner; what may be joined; how long it is kept."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

from livepost.clock import DAY_MS
from livepost.govern.policy.finding import Found
from livepost.govern.policy.given import Given
from livepost.govern.rights.retention import IN_CONTEXT
from livepost.settings.policy import FieldPolicy

NAMED = 5
"""How many fields are named where the same is to be said of many."""


def purpose(given: Given) -> Iterator[Found]:
    """PC01: each personal field has a purpose, of those that are declared."""
    known = given.policy.purposes
    yield from _without(given, lambda one: not one.purposes, "no purpose", "purposes")
    for name, one in given.policy.fields.items():
        where = given.in_policy("fields", name)
        if name not in given.purposes.names:
            near = difflib.get_close_matches(name, given.purposes.names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "drop it"
            yield Found(
                f"{name} is no field of this project, no facet and none of what is always personal; {hint}", where
            )
        for word in one.purposes:
            if word not in known:
                yield Found(
                    f"{name} is for {word}, which is none of [purposes] ({', '.join(known)}); declare it", where
                )
    for word in given.policy.defaults.purposes:
        if word not in known:
            yield Found(
                f"[defaults] names {word}, which is none of [purposes]; declare it", given.in_policy("defaults")
            )


def retention(given: Given) -> Iterator[Found]:
    """PC02: it is said how long each personal field is kept."""
    yield from _without(given, lambda one: not one.retention, "no retention", "retention")


def mask(given: Given) -> Iterator[Found]:
    """PC03: it is said what whoever may not see a personal field sees."""
    said, otherwise = given.policy.fields, given.policy.defaults.mask
    yield from _without(
        given,
        lambda one: True,
        "no mask",
        "mask",
        lambda name: not otherwise and not said.get(name, FieldPolicy()).mask,
    )


def owner(given: Given) -> Iterator[Found]:
    """PC04: somebody answers for each personal field."""
    yield from _without(given, lambda one: not one.owner.strip(), "no owner", "owner")


def joins(given: Given) -> Iterator[Found]:
    """PC12: what is made of several things may be used for something, and what is given on consent for that alone."""
    purposes = given.purposes
    for name in purposes.names:
        parts = purposes.parts(name)
        if len(parts) > 1 and not purposes.of(name) and all(purposes.of(part) for part in parts):
            told = "; ".join(f"{part} for {', '.join(sorted(purposes.of(part)))}" for part in parts)
            yield Found(
                f"{name} joins what has no purpose in common ({told}); give them one, or declare the one `compatible`",
                given.lines.get(name, ""),
            )
    for name, one in given.policy.purposes.items():
        for other in one.compatible:
            where = given.in_policy(f"purposes.{name}", "compatible")
            if other not in given.policy.purposes:
                yield Found(f"{name} is compatible with {other}, which is none of [purposes]; declare it", where)
            elif given.policy.purposes[other].basis == "consent":
                yield Found(
                    f"{name} takes in what was given on consent for {other}, which no compatibility covers (recital 50 "
                    f"of the GDPR); ask for consent to {name}, and drop `compatible`",
                    where,
                )


def maximum(given: Given) -> Iterator[Found]:
    """PC14: nothing is kept for longer than any of its purposes allows; what retention does not take out of the log by
    itself, facets and ids, for no less than the log keeps it.
    """
    known, log_ms = given.policy.purposes, given.settings.retention_days * DAY_MS
    short: list[str] = []
    by_itself = {*given.purposes.seals.values(), *IN_CONTEXT}
    for name in given.purposes.personal:
        one = given.policy.of_field(name)
        longest = max((known[word].retention_ms for word in one.purposes if word in known), default=0)
        if longest and one.retention_ms > longest:
            yield Found(
                f"{name} is kept for {one.retention}, longer than any of its purposes allows "
                f"({longest // DAY_MS}d); shorten it",
                given.in_policy("fields", name) if name in given.policy.fields else given.in_policy("defaults"),
            )
        if one.retention and one.retention_ms < log_ms and name not in by_itself:
            short.append(name)
    if short:
        yield Found(
            f"the log keeps events for {given.settings.retention_days} days, longer than is promised of "
            f"{_several(short)}; lower retention_days in livepost.toml, or promise what is so",
            given.in_settings("retention_days"),
        )


def _without(
    given: Given,
    lacks: Callable[[FieldPolicy], bool],
    what: str,
    key: str,
    named: Callable[[str], bool] = lambda name: True,
) -> Iterator[Found]:
    """Yield the fields that are without something: each that the policy names, and the others together."""
    missing = [name for name in given.purposes.personal if lacks(given.policy.of_field(name)) and named(name)]
    for name in missing:
        if name in given.policy.fields:
            yield Found(f"the personal field {name} has {what}; say {key} = ...", given.in_policy("fields", name))
    others = [name for name in missing if name not in given.policy.fields]
    if others:
        yield Found(f"{_several(others)}: personal, with {what}; say {key} in [defaults]", given.in_policy("defaults"))


def _several(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
