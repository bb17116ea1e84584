"""Records of processing activities (GDPR art. 30 (1) a to g) and the map of personal data, from the project alone.

In: a project with its policy. Out: a struct, and the same as Markdown. Promised: the same project gives the same bytes:
no time, no machine, no count of people is in them, and everything is in alphabetical order but purposes, which are in
the policy's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from livepost.govern.policy.given import Given
from livepost.project.purposes import CAMPAIGN
from livepost.settings.kek import read_kek_reference

FILE_NAME = "ropa.md"

BASES = {
    "consent": "consent (art. 6 (1) a)",
    "contract": "contract (art. 6 (1) b)",
    "legal_obligation": "legal obligation (art. 6 (1) c)",
    "vital_interests": "vital interests (art. 6 (1) d)",
    "public_task": "public task (art. 6 (1) e)",
    "legitimate_interests": "legitimate interests (art. 6 (1) f)",
}

MEASURES = (
    "Each personal value is sealed with AES-GCM under a key of its person before it is written to a disk.",
    "Logs, metrics, keys of records and paths carry random ids of subjects, never a person's own ids.",
    "Consent and objections are looked at again in the transaction in which a mail is claimed.",
    "Who saw a person's data and who changed what is kept in a chain of hashes with signed heads.",
    "Forgetting a person destroys their keys.",
)
"""What holds in every workspace (art. 32 (1))."""

KEK_PLACES = {"file": "in a file", "env": "in a variable", "aws-kms": "in AWS KMS", "transit": "in HashiCorp Vault"}


class PurposeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Why data is used (b), how long it may be kept for that (f), of which data (c), by what."""

    name: str
    text: str
    basis: str
    retention: str
    fields: Sequence[str]
    campaigns: Sequence[str]


class FieldRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A personal field (c): its promises, and where its values go."""

    name: str
    purposes: Sequence[str]
    retention: str
    mask: str
    owner: str
    special: str
    features: Sequence[str]
    destinations: Sequence[str]


class RecipientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets data (d), where they keep it (e), and what."""

    name: str
    kind: str
    host: str
    region: str
    abroad: bool
    purposes: Sequence[str]
    fields: Sequence[str]


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """All of art. 30 (1); `people` are the categories of those whom data is about (c), `measures` are those of (g)."""

    controller: str
    contact: str
    officer: str
    people: Sequence[str]
    home: str
    log_days: int
    purposes: Sequence[PurposeRecord]
    fields: Sequence[FieldRecord]
    recipients: Sequence[RecipientRecord]
    measures: Sequence[str]


def records_of(given: Given) -> Records:
    """Return the records of a project."""
    policy = given.policy
    return Records(
        controller=policy.controller.name,
        contact=policy.controller.contact,
        officer=policy.controller.officer,
        people=sorted(policy.people),
        home=policy.home,
        log_days=given.settings.retention_days,
        purposes=[_purpose(given, name) for name in policy.purposes],
        fields=[_field(given, name) for name in given.purposes.personal],
        recipients=sorted(_recipients(given), key=lambda one: (one.kind, one.name)),
        measures=[
            *MEASURES,
            f"The key that wraps them is kept {KEK_PLACES[read_kek_reference(given.settings.kek, '').place]}.",
        ],
    )


def written(records: Records) -> str:
    """Return the records as Markdown, a line at its end."""
    lines = [
        "# Records of processing",
        "",
        "GDPR art. 30 (1). Written by `livepost ropa` from this project; change the project and write them anew.",
        "",
        "## Controller (a)",
        "",
        f"{records.controller}, {records.contact}"
        + (f"; data protection officer: {records.officer}" if records.officer else ""),
        "",
        "## Purposes (b) and how long data may be kept for them (f)",
        "",
        *_table(
            ("purpose", "what for", "basis", "at most", "campaigns"),
            ((one.name, one.text, BASES[one.basis], one.retention, _all(one.campaigns)) for one in records.purposes),
        ),
        "",
        f"Events are in the log for {records.log_days} days.",
        "",
        "## People and data (c)",
        "",
        f"People: {', '.join(records.people)}.",
        "",
        *_table(
            ("data", "purposes", "kept for", "who may not see it sees", "answers for it", "special category"),
            ((one.name, _all(one.purposes), one.retention, one.mask, one.owner, one.special) for one in records.fields),
        ),
        "",
        "## Recipients (d) and where they keep data (e)",
        "",
        *_recipients_told(records),
        "",
        "## Security (g)",
        "",
        *(f"- {measure}" for measure in records.measures),
        "",
        "## Map of personal data",
        "",
        *_table(
            ("data", "becomes", "goes to"),
            ((one.name, _all(one.features), _all(one.destinations)) for one in records.fields),
        ),
    ]
    return "\n".join(lines) + "\n"


def _purpose(given: Given, name: str) -> PurposeRecord:
    one = given.policy.purposes[name]
    return PurposeRecord(
        name=name,
        text=one.text,
        basis=one.basis,
        retention=one.retention,
        fields=[field for field in given.purposes.personal if name in given.purposes.of(field)],
        campaigns=sorted(campaign.name for campaign in given.compiled.campaigns if campaign.purpose == name),
    )


def _field(given: Given, name: str) -> FieldRecord:
    one = given.policy.of_field(name)
    made = (other for other in given.purposes.names if other not in (name,) and name in given.purposes.leaves(other))
    features = sorted(other for other in made if not other.startswith((CAMPAIGN, "topic.")))
    return FieldRecord(
        name=name,
        purposes=sorted(one.purposes),
        retention=one.retention,
        mask=one.mask,
        owner=one.owner,
        special=one.special,
        features=features,
        destinations=sorted(
            to for to, where in given.policy.destinations.items() if {name, *features} & {*where.fields}
        ),
    )


def _recipients(given: Given) -> Iterator[RecipientRecord]:
    for one in given.outgoing:
        declared = given.policy.destinations.get(one.name) if one.takes_people else None
        if declared is not None:
            yield RecipientRecord(
                name=one.name,
                kind=one.kind,
                host=one.host,
                region=declared.region,
                abroad=declared.region != given.policy.home,
                purposes=sorted(declared.purposes),
                fields=sorted(declared.fields),
            )


def _recipients_told(records: Records) -> list[str]:
    if not records.recipients:
        return [f"Nobody: data stays in {records.home or 'the house'}."]
    return _table(
        ("recipient", "what it is", "host", "keeps data in", "for", "gets"),
        (
            (
                one.name,
                one.kind,
                one.host,
                one.region + (f" (not {records.home})" if one.abroad else ""),
                _all(one.purposes),
                _all(one.fields),
            )
            for one in records.recipients
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    told = " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {told} |"


def _all(names: Sequence[str]) -> str:
    return ", ".join(names)
