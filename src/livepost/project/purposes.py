"""Purposes that travel: for what a feature, a segment, a campaign may be used, which is what all it is made of allows.

In: a compiled project and its policy. Out: purposes by name, and the path that says why one is missing. Promised: what
is made of something may never be used for more than that; what is not known has no purpose.

Names are those of `policy.toml`: `Identified.email` and `OrderCompleted.total` for fields, `OrderCompleted` for an
event, `email.domain` for a facet, `Shopper.vip` for features and segments, `campaign.welcome`, `topic.letters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from livepost.expr import tree
from livepost.model.compiled import ADDRESS_FEATURE, CampaignSpec, Compiled, EventSpec, FeatureSpec, Tree
from livepost.model.facet import OF_ANY_EVENT, OF_IDENTIFY, is_facet
from livepost.settings.policy import ALWAYS_PERSONAL, Policy

BUILT_IN = {"$identify": "Identified", "$page": "PageViewed", "$screen": "ScreenViewed"}
"""Events whose fields a policy may name by the class that comes with Livepost, whatever the project's own is called."""

CAMPAIGN, TOPIC = "campaign.", "topic."
"""How names of campaigns and topics begin."""

_CONDITION: type[tree.Expr] = tree.Expr  # type: ignore[assignment]


class Purposes:
    """For what everything of a project may be used; looked up, not computed, when it is asked."""

    def __init__(self, compiled: Compiled, policy: Policy) -> None:
        """Follow each definition down to the fields and events that it is made of."""
        self._policy = policy
        self._all = frozenset(policy.purposes)
        self._plan = {event.name: event for event in compiled.events}
        self._profile = compiled.profile
        self._said: dict[str, frozenset[str]] = {}
        self._parts: dict[str, tuple[str, ...]] = {}
        self._personal: set[str] = set()
        self._seals: dict[tuple[str, str], str] = {}
        self._known: dict[str, frozenset[str]] = {}
        self.address = self._field("$identify", "email")
        self._say(compiled)
        for name in (*self._said, *self._parts):
            self._known[name] = self._reach(name, ())

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that may be asked for, in alphabetical order."""
        return tuple(sorted(self._known))

    @property
    def personal(self) -> tuple[str, ...]:
        """The personal fields of the tracking plan, what is always personal, and facets, in alphabetical order."""
        return tuple(sorted(self._personal))

    @property
    def seals(self) -> Mapping[tuple[str, str], str]:
        """The policy's names of the fields that are sealed one by one, by the event's name and the field's."""
        return self._seals

    def of(self, name: str) -> frozenset[str]:
        """Return for what something may be used; nothing where it is not known.

        What may be used for a purpose may be used for those that it is compatible with, unless it was given on consent.
        """
        return self._known.get(name, frozenset())

    def parts(self, name: str) -> tuple[str, ...]:
        """Return what something is directly made of; nothing for a field or an event."""
        return self._parts.get(name, ())

    def leaves(self, name: str) -> tuple[str, ...]:
        """Return the fields and events that something is made of in the end, each once."""
        return tuple(dict.fromkeys(self._leaves(name, ())))

    def path(self, name: str, purpose: str) -> tuple[str, ...]:
        """Return the way from something down to the first field or event that may not be used for a purpose; () if
        nothing stands in the way.
        """
        if purpose in self.of(name):
            return ()
        for part in self.parts(name):
            if below := self.path(part, purpose):
                return (name, *below)
        return (name,)

    def feature(self, name: str) -> str:
        """Return the policy's name for a feature or a segment; that of the address for the built-in feature."""
        return self.address if name == ADDRESS_FEATURE else f"{self._profile}.{name}"

    def _say(self, compiled: Compiled) -> None:
        for name in (*ALWAYS_PERSONAL, *OF_IDENTIFY, *OF_ANY_EVENT):
            self._say_field(name)
            self._personal.add(name)
        for event in compiled.events:
            self._said[event.cls] = self._purposes(self._policy.of_event(_named(event.cls, event, self._policy.events)))
            for field in event.fields:
                name = self._field(event.name, field.name)
                if field.personal:
                    self._personal.add(name)
                    self._seals[event.name, field.name] = name
        for feature in compiled.features:
            if feature.name == ADDRESS_FEATURE:  # that is the field itself
                continue
            self._parts[self.feature(feature.name)] = tuple(self._of_feature(feature))
        for segment in compiled.segments:
            self._parts[self.feature(segment.name)] = tuple(self._of_condition(segment.condition))
        for campaign in compiled.campaigns:
            self._parts[CAMPAIGN + campaign.name] = tuple(self._of_campaign(campaign))
        for topic in {campaign.topic for campaign in compiled.campaigns if campaign.topic}:
            about = (CAMPAIGN + one.name for one in compiled.campaigns if one.topic == topic)
            self._parts[TOPIC + topic] = tuple(about)

    def _of_feature(self, feature: FeatureSpec) -> Iterator[str]:
        used = [] if feature.field is None else [feature.field]
        yield from self._fields(feature.event, [*used, *_fields_in(feature.where)])

    def _of_condition(self, condition: Tree) -> Iterator[str]:
        nodes = tree.walk(msgspec.convert(condition, _CONDITION))
        named = (node.name for node in nodes if isinstance(node, tree.Feature | tree.Segment))
        yield from dict.fromkeys(self.feature(name) for name in named)

    def _of_campaign(self, campaign: CampaignSpec) -> Iterator[str]:
        """Yield what decides whether somebody gets a mail; what the mail says is for who knows its templates."""
        if campaign.audience:
            yield self.feature(campaign.audience)
        if campaign.on:
            yield from self._fields(campaign.on, _fields_in(campaign.where))
        for event in campaign.until:
            yield from self._fields(event, ())

    def _fields(self, event: str, fields: Iterable[str]) -> Iterator[str]:
        """Yield the names of an event's fields; the event itself where none is named."""
        names = [self._field(event, field) for field in dict.fromkeys(fields)]
        yield from names or [self._class(event)]

    def _class(self, event: str) -> str:
        spec = self._plan.get(event)
        return spec.cls if spec else BUILT_IN.get(event, event)

    def _field(self, event: str, field: str) -> str:
        """Note for what a field may be used; return its name."""
        if is_facet(field):
            return self._say_field(field)
        spec = self._plan.get(event)
        cls = spec.cls if spec else BUILT_IN.get(event, event)
        name = _named(f"{cls}.{field}", spec, self._policy.fields, field)
        sealed = spec is None or next((one.personal for one in spec.fields if one.name == field), True)
        if sealed or name in self._policy.fields:
            return self._say_field(name)
        self._said[name] = self._purposes(self._policy.of_event(_named(cls, spec, self._policy.events)))
        return name

    def _say_field(self, name: str) -> str:
        self._said[name] = self._purposes(self._policy.of_field(name).purposes)
        return name

    def _purposes(self, named: Iterable[str]) -> frozenset[str]:
        """Return purposes that are declared, and those that they are compatible with."""
        given = self._all & {*named}
        more = (
            name
            for name, purpose in self._policy.purposes.items()
            if any(one in given and self._policy.purposes[one].basis != "consent" for one in purpose.compatible)
        )
        return given | {*more}

    def _reach(self, name: str, above: tuple[str, ...]) -> frozenset[str]:
        if name in self._known:
            return self._known[name]
        if name not in self._parts or name in above:
            return self._said.get(name, frozenset())
        reached = self._all
        for part in self._parts[name]:
            reached &= self._reach(part, (*above, name))
        self._known[name] = reached
        return reached

    def _leaves(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        if name not in self._parts or name in above:
            yield name
            return
        for part in self._parts[name]:
            yield from self._leaves(part, (*above, name))


def _fields_in(condition: Tree | None) -> list[str]:
    if condition is None:
        return []
    nodes = tree.walk(msgspec.convert(condition, _CONDITION))
    return [node.name for node in nodes if isinstance(node, tree.Field)]


def _named(name: str, event: EventSpec | None, said: Mapping[str, object], field: str = "") -> str:
    """Return the name that a policy uses: the class of the project, else that which comes with Livepost."""
    built_in = BUILT_IN.get(event.name, "") if event else ""
    other = f"{built_in}.{field}" if field else built_in
    return other if built_in and name not in said and other in said else name
