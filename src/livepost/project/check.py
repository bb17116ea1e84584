"""The check of a project: every problem at once, each a sentence that says what to do, with its line.

Rules look at declarations and never at a store; `RULES` is their order. Which templates exist is told by the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any, TypeAlias, get_args

from livepost.errors import ProjectError
from livepost.model.compiled import Class, Lane
from livepost.model.journal import WATCH_MS
from livepost.project.calendar import Calendar
from livepost.project.campaign import Campaign, Step
from livepost.project.compiled import compile_what_can, grid_of, tracking_plan
from livepost.project.condition import Condition
from livepost.project.declarations import Declarations, operands, written
from livepost.project.duration import spoken
from livepost.project.event import event_line, event_name, event_spec
from livepost.project.feature import AMOUNT_WORD, Feature
from livepost.project.fraction import fractions_compared
from livepost.project.problem import Problem
from livepost.project.profile import features_of, formulas_of, segments_of

Problems: TypeAlias = Iterator[Problem]

MAX_ITEMS = 100
"""How many values `recent` and `top` may keep."""
MAX_CAP = 10_000
"""How many different values `top` and `distinct` may tell apart: each is kept per person and tile."""
MAX_STEPS = 100
"""How many mails a campaign may have: a person has one journey through all of them."""

LONGEST_OVER = timedelta(milliseconds=WATCH_MS // 2)
"""How long a broadcast may be spread over. `until` and leaving the audience cancel a mail for twice as long: one that
comes into quiet hours at the end can wait for theirs.
"""
MAX_TILES = 10_000
"""How many tiles a window may have before a coarser grid is advised: each is kept per person."""
TILE = timedelta(seconds=1)
"""The finest grid."""
SUMMABLE = ("int", "float", "money")
ORDERED = (*SUMMABLE, "datetime")
COUNTABLE = ("str", "int", "bool")
OF_WHAT: dict[str, tuple[Collection[str], str, str]] = {
    "total": (SUMMABLE, "a number or money", "use count() or top()"),
    "mean": (SUMMABLE, "a number or money", "use count() or top()"),
    "minimum": (ORDERED, "a number, money or a datetime", "use first() or latest()"),
    "maximum": (ORDERED, "a number, money or a datetime", "use first() or latest()"),
    "top": (COUNTABLE, "text or whole numbers", "use recent()"),
    "distinct": (COUNTABLE, "text or whole numbers", "use count()"),
}
"""The types of field that a word takes, how they are spoken of, and what to write instead; any other word takes all."""


def check_project(
    project: Declarations,
    *,
    currency: str = "USD",
    templates: Collection[str] | None = None,
    topics: Collection[str] | None = None,
) -> list[Problem]:
    """Return all problems of a project; none means that it can be applied.

    `templates` are the names of the templates that exist, `topics` those of the setting (None: they are not checked).
    Each campaign's function is tried once with a person of whom nothing is known.
    """
    problems = compile_what_can(project, currency)[1] if _is_currency(currency) else []
    problems += _currency(currency)
    for rule in RULES:
        problems += _told_by(rule, project)
    if templates is not None:
        problems += _templates(project, templates)
    if topics is not None:
        problems += _topics(project, topics)
    return list(dict.fromkeys(problems))


def _told_by(rule: Callable[[Declarations], Problems], project: Declarations) -> list[Problem]:
    try:
        return list(rule(project))
    except ProjectError as error:  # an event that does not compile: told already, and the rule cannot go on
        return [Problem.of(error)]


def _currency(currency: str) -> Problems:
    if not _is_currency(currency):
        yield Problem(f"expected the project's currency as three capitals such as EUR, got {currency!r}")


def _is_currency(currency: str) -> bool:
    return len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()


def _one_profile(project: Declarations) -> Problems:
    if len(project.profiles) > 1:
        names = " and ".join(profile.__name__ for profile in project.profiles)
        yield Problem(f"expected one profile in a project, got {names}; put all features into one class")


def _event_names(project: Declarations) -> Problems:
    plan = tracking_plan(project)
    for name, times in Counter(map(event_name, plan)).items():
        if times > 1:
            classes = [event for event in plan if event_name(event) == name]
            told = " and ".join(f"{event.__module__}.{event.__name__}" for event in classes)
            yield Problem(
                f"expected one class for the event {name!r}, got {told}; keep one, or let it extend the other",
                event_line(classes[-1]),
            )


def _event_keys(project: Declarations) -> Problems:
    for event in project.events:
        keys = Counter(key for field in event_spec(event).fields for key in field.keys)
        for key in [key for key, times in keys.items() if times > 1]:
            yield Problem(
                f"expected one field of {event.__name__} to be read from {key!r}, got several; rename one",
                event_line(event),
            )


def _feature_names(project: Declarations) -> Problems:
    for name, feature in features_of(project.profile).items():
        if feature.name != name:
            yield Problem(
                f"expected one name for a feature, got {name} and {feature.name}; write its definition twice",
                feature.line,
            )
        if name.startswith("_"):
            yield Problem(f"expected a feature's name to begin with a letter, got {name}; rename it", feature.line)


def _segment_names(project: Declarations) -> Problems:
    for name, segment in segments_of(project.profile).items():
        if segment.name != name:
            yield Problem(
                f"expected one name for a segment, got {name} and {segment.name}; write segment({name}) for the second",
                segment.line,
            )


def _formulas(project: Declarations) -> Problems:
    for name, formula in formulas_of(project.profile).items():
        yield Problem(
            f"{name}: expected a feature or a segment, got arithmetic ({formula.text}), which takes no name yet; "
            "put it into the segment",
            formula.line,
        )


def _windows(project: Declarations) -> Problems:
    for feature in _all_features(project):
        over, grid = feature.definition.over, grid_of(feature.definition)
        if grid is None:
            continue
        if over is None:
            yield _at(feature, "expected over= beside grid=, got grid= alone; give the window or drop the grid")
        elif isinstance(over, Calendar):
            yield _at(feature, f"expected no grid= beside {over.text}, which moves by its own units; drop the grid")
        elif over <= timedelta(0) or grid < TILE or grid % TILE or over % grid:
            yield _at(
                feature,
                f"expected a window that is a multiple of its grid of {spoken(grid)}, got {spoken(over)}; "
                "choose another window, or give grid= in whole seconds that divides it",
            )
        elif over / grid > MAX_TILES:
            told = f"expected at most {MAX_TILES:,} tiles in a window, got {over // grid:,}; give a coarser grid="
            yield Problem(f"{feature.text}: {told}", feature.line, "warning")


def _aggregations(project: Declarations) -> Problems:
    for feature in _all_features(project):
        kind, field = feature.definition.kind, feature.definition.field
        if field is None or kind in ("latest", "first"):
            continue
        given = feature.definition.field_type
        types, spoken_of, instead = OF_WHAT.get(kind, ((given,), "", ""))
        if feature.definition.personal:
            yield _at(feature, f"expected an open field, got {field.text}, which is personal; use latest() or first()")
        elif given not in types:
            yield _at(feature, f"expected {spoken_of}, got {field.text}, which is {given}; {instead}")


def _item_counts(project: Declarations) -> Problems:
    for feature in _all_features(project):
        kind, n = feature.definition.kind, feature.definition.n
        if kind in AMOUNT_WORD and (not isinstance(n, int) or not 1 <= n <= MAX_ITEMS):
            yield _at(feature, f"expected {AMOUNT_WORD[kind]}= between 1 and {MAX_ITEMS}, got {n}; keep fewer values")


def _caps(project: Declarations) -> Problems:
    for feature in _all_features(project):
        cap, n = feature.definition.cap, feature.definition.n
        if cap is None:
            continue
        if isinstance(cap, bool) or not isinstance(cap, int) or not 1 <= cap <= MAX_CAP:
            yield _at(feature, f"expected cap= between 1 and {MAX_CAP:,}, got {cap}; a person beyond it is unknown")
        elif isinstance(n, int) and cap < n:
            yield _at(feature, f"expected cap= of at least k={n}, got {cap}; tell more values apart, or show fewer")


def _equalities(project: Declarations) -> Problems:
    for segment in segments_of(project.profile).values():
        for text, line in fractions_compared(segment.condition):
            yield Problem(
                f"expected < or > around {text}, which may have fractions, got an equality, which holds of the "
                "very same number only; write (... >= 3.3) & (... < 3.4)",
                line,
                "warning",
            )


def _campaign_names(project: Declarations) -> Problems:
    names = Counter(campaign.name for campaign in project.campaigns)
    for campaign in project.campaigns:
        if names[campaign.name] > 1:
            yield _of(campaign, f"expected one campaign of the name, got {names[campaign.name]}; rename one")


def _triggers(project: Declarations) -> Problems:
    segments = segments_of(project.profile)
    for campaign in project.campaigns:
        audience, rules = campaign.audience, campaign.rules
        if rules.broadcast and audience is None:
            yield _of(
                campaign, "expected audience= to be a segment, got None; a broadcast goes to those who are in one"
            )
        elif (audience is None) == (rules.on is None):
            got = "neither" if audience is None else "both"
            yield _of(campaign, f"expected audience= or on=, got {got}; say once what starts a journey")
        if rules.where is not None and rules.on is None:
            yield _of(campaign, "expected where= beside on=, got it alone; put the condition into the segment")
        if audience is not None and segments.get(audience.name) is not audience:
            known = ", ".join(segments) or "none"
            yield _of(
                campaign,
                f"expected audience= to be a segment of {project.profile.__name__} ({known}), "
                f"got {audience.name or 'one without a name'}; declare it in the profile's class",
            )


def _rates(project: Declarations) -> Problems:
    for campaign in project.campaigns:
        rules = campaign.rules
        if not 0 <= rules.holdout <= 1:
            yield _of(campaign, f"expected holdout= between 0 and 1, got {rules.holdout}; 5 % is 0.05")
        if rules.cap is not None and (rules.cap.times < 1 or rules.cap.per <= timedelta(0)):
            yield _of(campaign, f"expected a cap such as Cap(2, per=days(7)), got {rules.cap}; allow at least one")
        for word, length in (("wait", rules.wait), ("reentry", rules.reentry), ("fresh", rules.fresh)):
            if length is not None and length < timedelta(0):
                yield _of(campaign, f"expected {word}= to be no less than nothing, got {length}; time runs forward")
        if not timedelta(0) <= rules.over <= LONGEST_OVER:
            yield _of(campaign, f"expected over= to be at most 12 hours, got {rules.over}; broadcast to parts of them")
        if isinstance(rules.priority, bool) or not isinstance(rules.priority, int):
            yield _of(campaign, f"expected priority= to be a whole number, got {rules.priority!r}; 0 is the plain one")


def _steps(project: Declarations) -> Problems:
    for campaign in project.campaigns:
        for step in campaign.steps:
            if step.wait <= timedelta(0):
                sentence = (
                    f"expected wait= to be more than nothing, got {step.wait}; say how long after the mail before"
                )
                yield Problem(f"{step.name}: {sentence}", step.line)
        if len(campaign.steps) >= MAX_STEPS:
            got = len(campaign.steps) + 1
            yield _of(campaign, f"expected at most {MAX_STEPS} mails, got {got}; begin another campaign")


def _classes(project: Declarations) -> Problems:
    for campaign in project.campaigns:
        rules = campaign.rules
        for word, given, known in (("class_", rules.class_, get_args(Class)), ("lane", rules.lane, get_args(Lane))):
            if given not in known:
                yield _of(campaign, f"expected {word}= to be one of {', '.join(known)}, got {given!r}; choose one")
        if not rules.purpose or rules.purpose != rules.purpose.casefold():
            yield _of(campaign, f"expected purpose= in small letters, got {rules.purpose!r}; write 'marketing'")


def _templates(project: Declarations, templates: Collection[str]) -> Problems:
    for mail in _mails(project):
        try:
            template = written(mail, project.profile.never()).template
        except Exception as error:  # an author's function may raise anything
            yield _of(
                mail,
                f"expected a mail for a person of whom nothing is known yet, got {type(error).__name__} ({error}); "
                "values are None, 0 or [] until something happened",
            )
        else:
            if template not in templates:
                known = ", ".join(sorted(templates)) or "none"
                yield _of(mail, f"expected one of the templates ({known}), got {template!r}; add {template}.mjml")


def _topics(project: Declarations, topics: Collection[str]) -> Problems:
    for campaign in project.campaigns:
        topic, class_ = campaign.rules.topic, campaign.rules.class_
        if topic is None:
            continue
        if topic not in topics:
            known = ", ".join(topics) or "none"
            yield _of(
                campaign,
                f"expected topic= to be one of the setting `topics` ({known}), got {topic!r}; "
                f'write {topic} = "what people read" below [topics] in livepost.toml',
            )
        if class_ == "transactional":
            yield _of(campaign, "expected no topic= on a transactional campaign, which nobody can switch off; drop it")


def _mails(project: Declarations) -> Iterator[Campaign[Any] | Step[Any]]:
    """Yield whatever writes a mail."""
    for campaign in project.campaigns:
        yield campaign
        yield from campaign.steps


def _all_features(project: Declarations) -> Iterator[Feature[Any]]:
    """Yield the profile's features and those written inside its segments' conditions."""
    yield from features_of(project.profile).values()
    for segment in segments_of(project.profile).values():
        yield from _inline(segment.condition)


def _inline(condition: Condition) -> Iterator[Feature[Any]]:
    for operand in operands(condition):
        if isinstance(operand, Feature) and operand.name is None:
            yield operand


def _at(feature: Feature[Any], sentence: str) -> Problem:
    return Problem(f"{feature.text}: {sentence}", feature.line)


def _of(mail: Campaign[Any] | Step[Any], sentence: str) -> Problem:
    return Problem(f"{mail.name}: {sentence}", mail.line)


RULES: tuple[Callable[[Declarations], Problems], ...] = (
    _one_profile,
    _event_names,
    _event_keys,
    _feature_names,
    _segment_names,
    _formulas,
    _windows,
    _aggregations,
    _item_counts,
    _caps,
    _equalities,
    _campaign_names,
    _triggers,
    _rates,
    _steps,
    _classes,
)
"""Every rule, in the order in which its problems are told."""
