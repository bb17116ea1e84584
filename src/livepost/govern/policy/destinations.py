"""Rules about what goes out: to whom, for what, where to, by which hosts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from livepost.govern.policy.finding import Found
from livepost.govern.policy.given import Given
from livepost.govern.policy.outgoing import SETTING, Outgoing, is_here
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.project.purposes import CAMPAIGN
from livepost.settings.audience import Audience
from livepost.settings.policy import DestinationPolicy

WILD = ("*", "?", "all", "any")


def no_wildcard(given: Given) -> Iterator[Found]:
    """PC05: what goes to a destination is named, field by field."""
    for name, one in given.policy.destinations.items():
        for field in one.fields:
            if field.lower() in WILD or "*" in field or field.endswith("."):
                yield Found(
                    f"the destination {name} may have {field!r}, which is more than anybody looked at; "
                    "name each field by itself",
                    given.in_policy(f"destinations.{name}", field),
                )
    for audience in given.settings.audiences:
        for field in (*audience.fields, *audience.segments):
            if "*" in field:
                yield Found(
                    f"the audience {audience.name} asks for {field!r}; name each by itself",
                    given.in_settings("audiences", audience.name),
                )


def within_purposes(given: Given) -> Iterator[Found]:
    """PC06: destinations get, and campaigns use, what their purposes reach and nothing else."""
    for one in given.outgoing:
        if not one.takes_people:
            continue
        declared = given.policy.destinations.get(one.name)
        if declared is None:
            yield Found(
                f"nothing is promised of the {one.kind} {one.name}, so nothing goes there; add "
                f"[destinations.{one.name}] with its purposes and fields to policy.toml",
                given.in_settings(SETTING[one.kind], one.name),
            )
        else:
            yield from _destination(given, one, declared)
    names = [one.name for one in given.outgoing]
    for name in given.policy.destinations:
        if name not in names:
            yield Found(
                f"no audience, webhook or sender of livepost.toml is called {name}; drop it, or rename it",
                given.in_policy(f"destinations.{name}"),
                "warning",
            )
    yield from _campaigns(given)


def region(given: Given) -> Iterator[Found]:
    """PC13: it is said where data is kept, and that is where it may be."""
    policy = given.policy
    if not policy.home or policy.home not in policy.regions:
        told = f"home is {policy.home!r}" if policy.home else "home is not said"
        yield Found(
            f"{told}, expected one of regions ({', '.join(policy.regions) or 'none'}); say where the house runs",
            given.in_policy("home"),
        )
    for name in (one.name for one in given.outgoing if one.takes_people):
        declared = policy.destinations.get(name)
        if declared is not None and declared.region not in policy.regions:
            told = f"keeps data in {declared.region!r}" if declared.region else "says no region"
            yield Found(
                f"the destination {name} {told}, expected one of regions ({', '.join(policy.regions) or 'none'}); "
                "allow the region, or send nothing there",
                given.in_policy(f"destinations.{name}", "region"),
            )


def hosts(given: Given) -> Iterator[Found]:
    """PC16: every host that is asked is allowed by name."""
    for allowed in given.policy.hosts:
        if not allowed.strip("*."):
            yield Found(f"hosts has {allowed!r}, which is every host; name them", given.in_policy("hosts"))
    for one in given.outgoing:
        if is_here(one.host) or one.host.startswith("/"):
            continue
        where = given.in_settings(SETTING[one.kind] or one.name, one.name)
        if not one.host:
            yield Found(f"the host of the {one.kind} {one.name} cannot be told; write its url out", where)
        elif not any(_covers(allowed, one.host) for allowed in given.policy.hosts):
            yield Found(f"the {one.kind} {one.name} asks {one.host}, which is none of hosts; add it", where)


def _destination(given: Given, one: Outgoing, declared: DestinationPolicy) -> Iterator[Found]:
    where = given.in_policy(f"destinations.{one.name}")
    if not declared.purposes:
        yield Found(f"the destination {one.name} has no purpose, so nothing goes there; say purposes = [...]", where)
    for word in declared.purposes:
        if word not in given.policy.purposes:
            yield Found(f"the destination {one.name} is for {word}, which is none of [purposes]; declare it", where)
    for field in declared.fields:
        yield from _field(given, one, declared, field)
    for audience in given.settings.audiences:
        if audience.name == one.name and one.kind == "audience":
            yield from _audience(given, audience, declared)
    if one.kind == "sender":
        yield from _sender(given, one, declared)


def _field(given: Given, one: Outgoing, declared: DestinationPolicy, field: str) -> Iterator[Found]:
    where = given.in_policy(f"destinations.{one.name}", field)
    if field not in given.purposes.names:
        if "*" not in field:  # that is PC05
            near = difflib.get_close_matches(field, given.purposes.names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "drop it"
            yield Found(f"the destination {one.name} may have {field}, which this project does not have; {hint}", where)
        return
    for word in declared.purposes if one.kind != "sender" else ():
        if word in given.policy.purposes and word not in given.purposes.of(field):
            yield Found(f"{field} may not go to {one.name}: {_way(given, field, word)}", where)


def _audience(given: Given, audience: Audience, declared: DestinationPolicy) -> Iterator[Found]:
    where = given.in_settings("audiences", audience.name)
    if audience.purpose not in declared.purposes:
        yield Found(
            f"the audience {audience.name} asks for consent to {audience.purpose}, and policy.toml has it for "
            f"{', '.join(declared.purposes)}; say the same in both",
            where,
        )
    ident = given.purposes.address if audience.ident == "email" else "user_id"
    asked = (ident, *map(given.purposes.feature, (*audience.segments, *audience.fields)))
    for field in dict.fromkeys(asked):
        if field not in declared.fields:
            yield Found(
                f"the audience {audience.name} asks for {field}, which policy.toml does not let go there; add it to "
                f"the fields of [destinations.{audience.name}], or take it out of the audience",
                where,
            )


def _sender(given: Given, one: Outgoing, declared: DestinationPolicy) -> Iterator[Found]:
    where = given.in_policy(f"destinations.{one.name}")
    for purpose in dict.fromkeys(mail.purpose for mail in given.mails):
        if purpose not in declared.purposes:
            yield Found(f"mails for {purpose} go by {one.name}, which is not for that; add it to its purposes", where)
    used = {given.purposes.feature(ADDRESS_FEATURE): ""}
    for mail in given.mails:
        for feature, place in given.used(mail).items():
            if feature in given.personal_features:
                used.setdefault(given.purposes.feature(feature), place)
    for field, place in used.items():
        if field not in declared.fields:
            yield Found(
                f"mails by {one.name} carry {field}, which policy.toml does not let go there; add it", place or where
            )


def _campaigns(given: Given) -> Iterator[Found]:
    for campaign in given.compiled.campaigns:
        name = CAMPAIGN + campaign.name
        where = given.lines.get(name, "")
        if campaign.purpose not in given.policy.purposes:
            known = ", ".join(given.policy.purposes)
            yield Found(f"{campaign.name} is for {campaign.purpose}, which is none of [purposes] ({known})", where)
        elif given.purposes.path(name, campaign.purpose) and given.purposes.parts(name):
            yield Found(f"{campaign.name} uses what it may not: {_way(given, name, campaign.purpose)}", where)
        elif campaign.purpose not in given.purposes.of(given.purposes.address):
            yield Found(
                f"{campaign.name} writes to people, and {_way(given, given.purposes.address, campaign.purpose)}", where
            )
    for mail in given.mails:
        if mail.purpose not in given.policy.purposes:
            continue
        for feature, place in given.used(mail).items():
            name = given.purposes.feature(feature)
            if given.purposes.path(name, mail.purpose):
                yield Found(
                    f"{feature} will be empty in the mail {mail.template} of {mail.campaign}: "
                    f"{_way(given, name, mail.purpose)}",
                    place,
                    "warning",
                )


def _way(given: Given, name: str, purpose: str) -> str:
    """Say what stands in the way of a purpose, and how it comes there."""
    path = given.purposes.path(name, purpose)
    last = path[-1]
    table = "[events]" if last in given.policy.events or "." not in last else "[fields]"
    told = f"{last} may not be used for {purpose}"
    by = f" ({' <- '.join(path)})" if len(path) > 1 else ""
    return f"{told}{by}; allow it in {table} of policy.toml, or do without"


def _covers(allowed: str, host: str) -> bool:
    """Say whether an entry of hosts is for a host.

    >>> _covers("*.example.com", "a.example.com"), _covers("*.example.com", "example.com"), _covers("a.b", "a.b")
    (True, False, True)
    """
    if allowed.startswith("*."):
        return bool(allowed.strip("*.")) and host.endswith(allowed[1:].lower())
    return host == allowed.lower()
