"""All rules, in their order, and what asks them."""

from __future__ import annotations

from collections.abc import Iterator

from livepost.govern.policy import destinations, fields, mails, upkeep
from livepost.govern.policy.finding import Finding, Found, Outcome, Report, Rule
from livepost.govern.policy.given import Given


def _no_lake(given: Given) -> Iterator[Found]:
    """PC09: there is no lake yet, and so no table whose columns could have statistics."""
    yield from ()


RULES: tuple[Rule, ...] = (
    Rule("PC01", "each personal field has a purpose", fields.purpose),
    Rule("PC02", "each personal field has a retention", fields.retention),
    Rule("PC03", "each personal field has a mask", fields.mask),
    Rule("PC04", "each personal field has an owner", fields.owner),
    Rule("PC05", "no wildcard goes to a destination", destinations.no_wildcard),
    Rule("PC06", "destinations and campaigns get what their purposes reach", destinations.within_purposes),
    Rule("PC07", "no special category in a subject or a template", mails.no_special),
    Rule("PC08", "no personal value as key, path, label, log field or URL", mails.no_value_as_name),
    Rule(
        "PC09",
        "no column statistics on personal columns",
        _no_lake,
        not_yet="there is no lake in this version, so there are no columns to look at",
    ),
    Rule("PC10", "marketing has unsubscribe and a postal address", mails.unsubscribe),
    Rule("PC11", "whoever is watched is watched for a purpose", mails.tracking),
    Rule("PC12", "what is joined has a compatible purpose", fields.joins),
    Rule("PC13", "data stays in regions that are allowed", destinations.region),
    Rule("PC14", "nothing is kept for longer than its purposes allow", fields.maximum),
    Rule("PC15", "no plain hash of an identifier", upkeep.no_plain_hash),
    Rule("PC16", "hosts that are asked are allowed by name", destinations.hosts),
    Rule("PC17", "write keys can only add events", upkeep.key_scopes),
    Rule("PC18", "each pipeline has an owner and an alarm, its dead letters too", upkeep.pipelines),
    Rule("PC19", "secrets are named, never written", upkeep.no_secrets),
    Rule("PC20", "records of processing and data map are current", upkeep.records_current),
)
"""Every rule; a rule that is not in here is not asked."""

NO_POLICY = Rule("PC00", "the project has a policy", _no_lake)


def check(given: Given, rules: tuple[Rule, ...] = RULES) -> Report:
    """Return how a project fares under the rules."""
    return Report(outcomes=[_outcome(rule, given) for rule in rules])


def without_policy() -> Report:
    """Return the report on a project that promises nothing."""
    told = Finding(
        rule=NO_POLICY.id,
        sentence="there is no policy.toml, so nothing is promised about people's data and no rule can be looked at; "
        "docs/reference/policy.md has one to begin with",
        where="policy.toml",
    )
    return Report(outcomes=[Outcome(rule=NO_POLICY.id, title=NO_POLICY.title, state="broken", findings=[told])])


def _outcome(rule: Rule, given: Given) -> Outcome:
    found = [
        Finding(rule=rule.id, sentence=one.sentence, where=one.where, severity=one.severity)
        for one in dict.fromkeys(rule.look(given))
    ]
    if rule.not_yet:
        return Outcome(rule=rule.id, title=rule.title, state="not_yet", note=rule.not_yet, findings=found)
    errors = any(one.severity == "error" for one in found)
    state = "broken" if errors else "warned" if found else "holds"
    return Outcome(rule=rule.id, title=rule.title, state=state, findings=found)  # type: ignore[arg-type]
