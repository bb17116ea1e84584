from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.govern.policy.every import without_policy
from livepost.govern.policy.finding import Finding, Outcome, Report
from livepost.govern.policy.records import FieldRecord, PurposeRecord, RecipientRecord, Records
from tests.unit.console.told import Browser, ToldHouse

BAD = Finding(rule="PC02", sentence="email: <no retention>", where="policy.toml:3")
REPORT = Report(
    outcomes=[
        Outcome(rule="PC01", title="each personal field has a purpose", state="holds"),
        Outcome(rule="PC02", title="each personal field has a retention", state="broken", findings=[BAD]),
        Outcome(rule="PC09", title="no column statistics", state="not_yet", note="there is no lake"),
    ]
)
RECORDS = Records(
    controller="A shop",
    contact="privacy@shop.example",
    officer="",
    people=["customers"],
    home="eu",
    log_days=90,
    purposes=[
        PurposeRecord(
            name="marketing",
            text="Letters",
            basis="legitimate_interests",
            retention="365d",
            fields=[],
            campaigns=["hello"],
        )
    ],
    fields=[
        FieldRecord(
            name="Identified.email",
            purposes=["marketing"],
            retention="",
            mask="partial",
            owner="",
            special="health",
            features=["Shopper.email"],
            destinations=["crm"],
        )
    ],
    recipients=[
        RecipientRecord(
            name="crm",
            kind="audience",
            host="a.klaviyo.com",
            region="us",
            abroad=True,
            purposes=["marketing"],
            fields=["Identified.email"],
        )
    ],
    measures=[],
)


def shown(report: Report = REPORT, records: Records | None = RECORDS, relaxed: Sequence[str] = ()) -> str:
    return Browser(ToldHouse(policies=(report, records), relaxed=list(relaxed))).get("/policies").text


def test_each_rule_has_its_result_and_what_was_found_with_its_place() -> None:
    text = shown()
    assert '<span class="tag bad">broken</span>' in text
    assert '<span class="good">holds</span>' in text
    assert '<span class="bad">broken</span>' in text
    assert "policy.toml:3: email: &lt;no retention&gt;" in text
    assert '<span class="soft">nothing to look at yet</span>: there is no lake' in text


def test_purposes_fields_and_destinations_are_told_and_what_is_not_said_is_said() -> None:
    text = shown()
    assert "legitimate interests" in text
    assert "Identified.email (health)" in text
    assert "not said" in text
    assert "nobody" in text
    assert "a.klaviyo.com" in text


def test_a_project_that_keeps_all_says_so_and_one_without_destinations_too() -> None:
    kept = Report(outcomes=[msgspec.structs.replace(REPORT.outcomes[0])])
    text = shown(kept, msgspec.structs.replace(RECORDS, recipients=[]))
    assert '<span class="tag good">kept</span>' in text
    assert "Nobody outside gets data of people." in text


def test_a_project_without_a_policy_is_told_what_to_write() -> None:
    text = shown(without_policy(), None)
    assert "there is no policy.toml" in text
    assert "write <code>policy.toml</code>" in text


def test_a_page_that_waits_is_told_with_what_is_wider_and_one_that_does_not_is_not() -> None:
    text = shown(relaxed=["hosts: crm.example is added"])
    assert "Another page waits" in text
    assert "<li>hosts: crm.example is added</li>" in text
    assert "Another page waits" not in shown()
