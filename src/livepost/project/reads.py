"""What mails are made of: which features an author's function reads, and in which variables they end up.

In: declarations. Out: for each mail its template, its lines and its features. Promised: the function is only tried,
with a person of whom nothing is known and with one of whom a single thing is; where it raises then, each of its
variables counts as carrying what it read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from livepost.model.message import EmailDraft
from livepost.project.campaign import Campaign, Step
from livepost.project.declarations import Declarations, written
from livepost.project.feature import Feature
from livepost.project.profile import features_of

PROBES: dict[str, Any] = {
    "int": 48_151,
    "float": 4815.25,
    "bool": True,
    "money": [481_516, "USD"],
    "datetime": 1_000_000,
}
"""What a feature of each type is in a trial; text for the others."""


class MailReads(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of a campaign, and of what it is made; features by name.

    read      what its function reads
    given     variables that its function gives, over the features of the same name
    carried   variable -> features that its value depends on
    """

    campaign: str
    purpose: str
    class_: str
    line: str
    template: str
    subject: str
    preheader: str
    read: frozenset[str]
    given: frozenset[str]
    carried: Mapping[str, frozenset[str]]


class _Noting(dict[str, Any]):
    """Values by feature name, that notes which are asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, and note that it was asked for."""
        self.asked.add(name)
        return super().get(name, default)


def mails_of(project: Declarations) -> list[MailReads]:
    """Return all mails of a project that can be written for a person of whom nothing is known, campaign by campaign."""
    return [found for campaign in project.campaigns for found in _mails(project, campaign)]


def _mails(project: Declarations, campaign: Campaign[Any]) -> Iterator[MailReads]:
    mails: tuple[Campaign[Any] | Step[Any], ...] = (campaign, *campaign.steps)
    for mail in mails:
        never, read = _tried(project, mail, {})
        if never is None:  # `check` says so
            continue
        carried: dict[str, set[str]] = {}
        for name, feature in features_of(project.profile).items():
            draft, asked = _tried(project, mail, {name: _probe(feature)})
            read |= asked
            if name in asked:
                for variable in _changed(never, draft):
                    carried.setdefault(variable, set()).add(name)
        yield MailReads(
            campaign=campaign.name,
            purpose=campaign.rules.purpose,
            class_=campaign.rules.class_,
            line=mail.line,
            template=never.template,
            subject=never.subject,
            preheader=never.preheader,
            read=frozenset(read),
            given=frozenset(never.variables),
            carried={variable: frozenset(names) for variable, names in carried.items()},
        )


def _tried(
    project: Declarations, mail: Campaign[Any] | Step[Any], values: Mapping[str, Any]
) -> tuple[EmailDraft | None, set[str]]:
    """Return what is written of a person with these values, None if the function raises; and which it read."""
    noting = _Noting(values)
    try:
        draft = written(mail, project.profile(noting, {})).draft({})
    except Exception:  # an author's function may raise anything
        return None, noting.asked
    return draft, noting.asked


def _changed(never: EmailDraft, draft: EmailDraft | None) -> list[str]:
    """Return the variables that are others than of nobody; all where nothing was written, or in other lines."""
    if draft is None or (draft.subject, draft.preheader) != (never.subject, never.preheader):
        told = ["subject", "preheader"] if draft is not None else []
        return [*told, *never.variables]
    names = {**never.variables, **draft.variables}
    return [name for name in names if never.variables.get(name) != draft.variables.get(name)]


def _probe(feature: Feature[Any]) -> Any:
    value, item = feature.definition.value_type, feature.definition.field_type
    if feature.definition.kind == "since":
        return timedelta(hours=1) // timedelta(milliseconds=1)
    return [_of(item)] if value == "list" else _of(value)


def _of(kind: str) -> Any:
    return PROBES.get(kind, "probe")
