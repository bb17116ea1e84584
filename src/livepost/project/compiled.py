"""The compiled project: declarations as data (`livepost.model.compiled`), each with its hash as version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from livepost.errors import ProjectError
from livepost.expr import tree
from livepost.ids import digest
from livepost.model.compiled import (
    ADDRESS_FEATURE,
    DISTINCT_MAX,
    CampaignSpec,
    CapSpec,
    Compiled,
    FeatureSpec,
    SegmentSpec,
    StepSpec,
    Tree,
)
from livepost.model.hours import QuietHours
from livepost.project.calendar import Calendar, calendar_spec
from livepost.project.campaign import Campaign, Step
from livepost.project.condition import Condition
from livepost.project.counted import with_currency
from livepost.project.declarations import Declarations
from livepost.project.duration import in_ms
from livepost.project.event import Event, event_name, event_spec
from livepost.project.feature import Definition, Feature
from livepost.project.hours import minute_of, quiet_hours
from livepost.project.problem import Problem
from livepost.project.profile import Profile, features_of, segments_of
from livepost.project.segment import Segment
from livepost.project.translation import segment_reader, translate, where_reader

S = TypeVar("S", FeatureSpec, SegmentSpec, CampaignSpec)
R = TypeVar("R")

GRIDS = (
    (timedelta(hours=1), timedelta(seconds=1)),
    (timedelta(hours=24), timedelta(minutes=5)),
    (timedelta(days=7), timedelta(hours=1)),
)
LONGEST_GRID = timedelta(days=1)
"""The default grid of a window up to each length, and of longer ones (SEMANTICS, "Windows")."""
FRESH = timedelta(hours=1)
"""How late a trigger or step may be where neither campaign nor settings say (FORMATS, "Origin")."""


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of all campaigns: the zone of people of whom none is known, hours without marketing, and
    caps on what a person gets of all marketing together.
    """

    zone: str = "UTC"
    quiet: QuietHours | None = None
    caps: tuple[CapSpec, ...] = ()


_SENDING = Sending()


def compile_project(
    project: Declarations, *, currency: str = "USD", fresh: timedelta = FRESH, sending: Sending = _SENDING
) -> Compiled:
    """Return a project as data; `ProjectError` for the first thing that cannot be compiled.

    `currency`, `fresh` and `sending` are the settings': plain numbers compared with money are in that currency.
    `check_project` names every problem at once, among them those that compile but cannot be meant.
    """
    compiled, problems = compile_what_can(project, currency, fresh, sending)
    if problems:
        raise ProjectError(problems[0].sentence, problems[0].where or None)
    return compiled


def compile_what_can(
    project: Declarations, currency: str, fresh: timedelta = FRESH, sending: Sending = _SENDING
) -> tuple[Compiled, list[Problem]]:
    """Return the part of a project that compiles, and a problem for each declaration that does not."""
    problems: list[Problem] = []
    events = sorted(_attempts(tracking_plan(project), event_spec, problems), key=lambda event: event.name)
    profile = _Profile(project.profile, currency)
    segments = tuple(_attempts(profile.segments.values(), profile.segment_spec, problems))
    features = _attempts(profile.features.items(), lambda item: profile.feature_spec(*item), problems)
    known = (*features, *profile.inline.values(), _address_feature())
    campaigns = tuple(
        _attempts(project.campaigns, lambda campaign: _campaign_spec(campaign, currency, fresh, sending), problems)
    )
    compiled = Compiled(
        profile=project.profile.__name__ if project.profiles else "",
        currency=currency,
        events=with_currency(events, known, segments, campaigns, currency),
        features=known,
        segments=segments,
        campaigns=campaigns,
    )
    return compiled, list(dict.fromkeys(problems))


def tracking_plan(project: Declarations) -> list[type[Event]]:
    """Return the events of a project; of a class and its subclass under one name, the subclass alone."""
    return [event for event in project.events if not any(_extends(other, event) for other in project.events)]


def grid_of(definition: Definition) -> timedelta | None:
    """Return the grid of a window: the author's, else the default of its length; None for the calendar and all time."""
    over = definition.over
    if definition.grid is not None or not isinstance(over, timedelta):
        return definition.grid
    return next((grid for longest, grid in GRIDS if over <= longest), LONGEST_GRID)


class _Profile:
    """A profile under compilation: its features and segments by name, and the features met inside conditions."""

    def __init__(self, profile: type[Profile], currency: str) -> None:
        self.profile = profile
        self.currency = currency
        self.features = features_of(profile)
        self.segments = segments_of(profile)
        self.inline: dict[str, FeatureSpec] = {}
        self._reader = segment_reader(self._name_of, self._segment_name_of, currency)
        self._specs: dict[str, SegmentSpec] = {}

    def feature_spec(self, name: str, feature: Feature[Any]) -> FeatureSpec:
        """Return a feature as data, under its name in the profile."""
        try:
            return _versioned(_feature_spec(feature.definition, name, self.currency))
        except ProjectError as error:
            raise error if error.where else ProjectError(str(error), feature.line) from None

    def segment_spec(self, segment: Segment) -> SegmentSpec:
        """Return a segment as data; its version has the versions of what it uses instead of their names (ADR 0020)."""
        if segment.name not in self._specs:
            self._specs[segment.name] = self._new_segment_spec(segment)
        return self._specs[segment.name]

    def _new_segment_spec(self, segment: Segment) -> SegmentSpec:
        condition = translate(segment.condition, self._reader)
        as_data = _tree(condition)
        version = digest(msgspec.json.encode(self._by_version(as_data), order="deterministic")).hex()
        return SegmentSpec(name=segment.name, condition=as_data, text=segment.condition.text, version=version)

    def _name_of(self, feature: Feature[Any]) -> str:
        if feature.name is None:
            spec = self.feature_spec(feature.text, feature)
            self.inline[spec.name] = msgspec.structs.replace(spec, anonymous=True)
        elif self.features.get(feature.name) is not feature:
            raise self._foreign("feature", feature.name)
        return feature.text

    def _segment_name_of(self, segment: Segment) -> str:
        if self.segments.get(segment.name) is not segment:
            raise self._foreign("segment", segment.name)
        return segment.name

    def _foreign(self, what: str, name: str) -> ProjectError:
        return ProjectError(
            f"expected a {what} of {self.profile.__name__}, got {name} of another class; "
            "a project has one profile, so declare it there"
        )

    def _by_version(self, node: Any) -> Any:
        """Return a condition's tree with features and segments named by their versions."""
        if isinstance(node, list):
            return [self._by_version(part) for part in node]
        if not isinstance(node, dict):
            return node
        if node.get("type") == "feature":
            return {**node, "name": self._version_of(node["name"])}
        if node.get("type") == "segment":
            return {**node, "name": self.segment_spec(self.segments[node["name"]]).version}
        return {key: self._by_version(part) for key, part in node.items()}

    def _version_of(self, name: str) -> str:
        known = self.inline.get(name) or self.feature_spec(name, self.features[name])
        return known.version


def _feature_spec(definition: Definition, name: str, currency: str) -> FeatureSpec:
    over, grid = definition.over, grid_of(definition)
    return FeatureSpec(
        name=name,
        kind=definition.kind,
        event=event_name(definition.event),
        field=definition.field.name if definition.field is not None else None,
        where=_where(definition.where, definition.event, currency),
        over_ms=in_ms(over) if isinstance(over, timedelta) else None,
        grid_ms=in_ms(grid) if grid is not None and isinstance(over, timedelta) else None,
        calendar=calendar_spec(over) if isinstance(over, Calendar) else None,
        n=definition.n,
        cap=None if definition.cap == DISTINCT_MAX else definition.cap,
        type=definition.value_type,
        personal=definition.personal,
    )


def _address_feature() -> FeatureSpec:
    return _versioned(
        FeatureSpec(
            name=ADDRESS_FEATURE,
            kind="latest",
            event="$identify",
            field="email",
            type="str",
            personal=True,
            secret_only=True,
        )
    )


def _campaign_spec(campaign: Campaign[Any], currency: str, fresh: timedelta, sending: Sending) -> CampaignSpec:
    rules = campaign.rules
    quiet, at = _hours(campaign, sending), _minute(rules.at, campaign.line)
    steps = tuple(_step_spec(step) for step in campaign.steps)
    zoned = quiet is not None or any(minute is not None for minute in (at, *(step.at for step in steps)))
    return _versioned(
        CampaignSpec(
            name=campaign.name,
            audience=campaign.audience.name if campaign.audience is not None else None,
            on=event_name(rules.on) if rules.on is not None else None,
            where=_where(rules.where, rules.on, currency) if rules.on is not None else None,
            wait_ms=in_ms(rules.wait),
            until=tuple(event_name(event) for event in rules.until),
            purpose=rules.purpose,
            cap=CapSpec(rules.cap.times, in_ms(rules.cap.per)) if rules.cap else None,
            holdout=float(rules.holdout),
            class_=rules.class_,
            lane=rules.lane,
            exit=rules.exit,
            reentry_ms=None if rules.reentry is None else in_ms(rules.reentry),
            fresh_ms=in_ms(fresh if rules.fresh is None else rules.fresh),
            at=at,
            quiet=quiet,
            zone=sending.zone if zoned else "UTC",
            priority=rules.priority,
            overall=sending.caps if rules.class_ == "marketing" else (),
            steps=steps,
            broadcast=rules.broadcast,
            over_ms=in_ms(rules.over),
            topic=rules.topic or "",
        )
    )


def _step_spec(step: Step[Any]) -> StepSpec:
    return StepSpec(name=step.name, wait_ms=in_ms(step.wait), at=_minute(step.at, step.line))


def _hours(campaign: Campaign[Any], sending: Sending) -> QuietHours | None:
    """Return a campaign's quiet hours; the settings' are for marketing."""
    quiet = campaign.rules.quiet
    if isinstance(quiet, bool):
        return sending.quiet if quiet and campaign.rules.class_ == "marketing" else None
    return _at_line(lambda: quiet_hours(quiet), campaign.line)


def _minute(time: str | None, line: str) -> int | None:
    return None if time is None else _at_line(lambda: minute_of(time), line)


def _at_line(make: Callable[[], R], line: str) -> R:
    try:
        return make()
    except ProjectError as error:
        raise ProjectError(str(error), line) from None


def _where(where: Condition | None, event: type[Event], currency: str) -> Tree | None:
    return None if where is None else _tree(translate(where, where_reader(event, currency)))


def _tree(node: tree.Expr) -> Tree:
    data: Tree = msgspec.json.decode(msgspec.json.encode(node))
    return data


def _versioned(spec: S) -> S:
    """Return a definition with the hash of all but its name as version."""
    bare = msgspec.structs.replace(spec, name="", version="")
    version = digest(msgspec.json.encode(bare, order="deterministic")).hex()
    return msgspec.structs.replace(spec, version=version)


def _extends(other: type[Event], event: type[Event]) -> bool:
    return other is not event and issubclass(other, event) and event_name(other) == event_name(event)


def _attempts(items: Iterable[Any], make: Callable[[Any], R], problems: list[Problem]) -> list[R]:
    made: list[R] = []
    for item in items:
        try:
            made.append(make(item))
        except ProjectError as error:
            problems.append(Problem.of(error))
    return made
