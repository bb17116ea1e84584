"""What a changed `policy.toml` allows that the one before did not: to be approved by a second person.

In: two policies. Out: a sentence for each thing that is wider. Promised: pure; what only forbids more is none. A page
that is new altogether relaxes nothing: before it nothing was promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from livepost.govern.access.mask import STRICTNESS
from livepost.settings.policy import DestinationPolicy, FieldPolicy, Policy, Purpose


def relaxations(old: Policy, new: Policy) -> list[str]:
    """Return what `new` allows and `old` did not, in words, in the order of the page."""
    return [
        *_purposes(old.purposes, new.purposes),
        *_fields(old, new),
        *_events(old, new),
        *_destinations(old.destinations, new.destinations),
        *_home(old.home, new.home),
        *_added("regions", old.regions, new.regions),
        *_added("hosts", old.hosts, new.hosts),
    ]


def _purposes(old: Mapping[str, Purpose], new: Mapping[str, Purpose]) -> Iterator[str]:
    for name, purpose in new.items():
        before = old.get(name)
        if before is None:
            yield f"purposes: {name} is new"
            continue
        if purpose.basis != before.basis:
            yield f"purposes.{name}: its basis is {purpose.basis}, was {before.basis}"
        if purpose.retention_ms > before.retention_ms:
            yield f"purposes.{name}: it keeps data for {purpose.retention}, was {before.retention}"
        yield from _added(f"purposes.{name}.compatible", before.compatible, purpose.compatible)
        if before.sale and not purpose.sale:
            yield f"purposes.{name}: it is not said to be a sale any more"
        if before.valid_ms is not None and (purpose.valid_ms is None or purpose.valid_ms > before.valid_ms):
            yield f"purposes.{name}: a consent is good for {purpose.valid or 'as long as it is'}, was {before.valid}"
        for one in before.tcf:
            if one not in purpose.tcf:
                yield f"purposes.{name}.tcf: {one} is not asked for any more"


def _fields(old: Policy, new: Policy) -> Iterator[str]:
    yield from _field("defaults", old.defaults, new.defaults)
    for name in dict.fromkeys((*old.fields, *new.fields)):
        yield from _field(f"fields.{name}", old.of_field(name), new.of_field(name))


def _field(where: str, before: FieldPolicy, now: FieldPolicy) -> Iterator[str]:
    yield from _added(f"{where}.purposes", before.purposes, now.purposes)
    if before.retention_ms and (not now.retention_ms or now.retention_ms > before.retention_ms):
        yield f"{where}: it is kept for {now.retention or 'as long as its purposes say'}, was {before.retention}"
    if STRICTNESS.index(now.mask or "hide") < STRICTNESS.index(before.mask or "hide"):
        yield f"{where}: its mask is {now.mask}, was {before.mask or 'hide'}"
    if before.special and now.special != before.special:
        yield f"{where}: it is {now.special or 'of no special category'}, was {before.special}"


def _events(old: Policy, new: Policy) -> Iterator[str]:
    """Compare what holds of each event: one that is not said any more has what `[defaults]` say."""
    for name in dict.fromkeys((*old.events, *new.events)):
        yield from _added(f"events.{name}.purposes", old.of_event(name), new.of_event(name))


def _home(before: str, now: str) -> Iterator[str]:
    if before != now:
        yield f"home: it is {now or 'not said'}, was {before or 'not said'}"


def _destinations(old: Mapping[str, DestinationPolicy], new: Mapping[str, DestinationPolicy]) -> Iterator[str]:
    for name, one in new.items():
        before = old.get(name)
        if before is None:
            yield f"destinations: {name} is new"
            continue
        yield from _added(f"destinations.{name}.purposes", before.purposes, one.purposes)
        yield from _taken(f"destinations.{name}.purposes", before.purposes, one.purposes)
        yield from _added(f"destinations.{name}.fields", before.fields, one.fields)
        if one.region != before.region:
            yield f"destinations.{name}: its region is {one.region or 'not said'}, was {before.region or 'not said'}"


def _taken(where: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    """Yield what need not be allowed any more: all purposes of a destination have to be."""
    left = set(now)
    return (f"{where}: {one} need not be allowed any more" for one in before if one not in left)


def _added(where: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    known = set(before)
    return (f"{where}: {one} is added" for one in now if one not in known)
