"""Personal fields that nothing read for a while: what a shop could do without (GDPR art. 5 (1) c).

In: a project, and when each campaign last decided a mail. Out: fields with what could read them. Promised: nothing is
counted where events come in; a field is read while a destination gets it, or a campaign that lives uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from livepost.govern.policy.given import Given
from livepost.govern.policy.records import records_of
from livepost.project.purposes import CAMPAIGN

IDS = ("anonymous_id", "user_id")
"""What tells people apart is read by every event."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A personal field that nothing read.

    purposes   for what it may be used
    features   what is made of it
    campaigns  those that would use it, and decided no mail for so long
    """

    field: str
    purposes: tuple[str, ...]
    features: tuple[str, ...]
    campaigns: tuple[str, ...]


def unread(given: Given, decided: Mapping[str, int], since: int) -> list[Unread]:
    """Return the fields that nothing read since a time (ms); `decided` is when each campaign last decided a mail."""
    used = _campaigns(given)
    return [
        Unread(
            field=one.name,
            purposes=tuple(one.purposes),
            features=tuple(one.features),
            campaigns=tuple(sorted(used.get(one.name, ()))),
        )
        for one in records_of(given).fields
        if one.name not in IDS
        and not one.destinations
        and all(decided.get(campaign, -1) < since for campaign in used.get(one.name, ()))
    ]


def _campaigns(given: Given) -> dict[str, set[str]]:
    """Return by field the campaigns that use it: in a mail, as its address, or to decide."""
    found: dict[str, set[str]] = {}
    for campaign, field in _uses(given):
        found.setdefault(field, set()).add(campaign)
    return found


def _uses(given: Given) -> Iterator[tuple[str, str]]:
    for mail in given.mails:
        yield mail.campaign, given.purposes.address
        for feature in given.used(mail):
            for field in given.purposes.leaves(given.purposes.feature(feature)):
                yield mail.campaign, field
        for field in given.purposes.leaves(CAMPAIGN + mail.campaign):
            yield mail.campaign, field
