"""What a changed `policy.toml` allows that the one before did not: to be approved by a second person.

In: two policies. Out: a sentence for each thing that is wider. Promised: pure; what only forbids more is none. A page
that is new altogether relaxes nothing: before it nothing was promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from livepost.govern.access.mask import STRICTNESS
from livepost.settings.policy import DestinationPolicy, EventPolicy, FieldPolicy, Policy, Purpose


def relaxations(old: Policy, new: Policy) -> list[str]:
    """Return what `new` allows and `old` did not, in words, in the order of the page."""
    return [
        *_purposes(old.purposes, new.purposes),
        *_fields(old, new),
        *_events(old.events, new.events),
        *_destinations(old.destinations, new.destinations),
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


def _events(old: Mapping[str, EventPolicy], new: Mapping[str, EventPolicy]) -> Iterator[str]:
    for name, event in new.items():
        yield from _added(f"events.{name}.purposes", old.get(name, EventPolicy()).purposes, event.purposes)


def _destinations(old: Mapping[str, DestinationPolicy], new: Mapping[str, DestinationPolicy]) -> Iterator[str]:
    for name, one in new.items():
        before = old.get(name)
        if before is None:
            yield f"destinations: {name} is new"
            continue
        yield from _added(f"destinations.{name}.purposes", before.purposes, one.purposes)
        yield from _added(f"destinations.{name}.fields", before.fields, one.fields)
        if one.region != before.region:
            yield f"destinations.{name}: its region is {one.region or 'not said'}, was {before.region or 'not said'}"


def _added(where: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    known = set(before)
    return (f"{where}: {one} is added" for one in now if one not in known)
