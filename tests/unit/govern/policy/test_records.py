"""Records of processing: what art. 30 (1) asks for, the same bytes for the same project."""

from __future__ import annotations

from pathlib import Path

import msgspec

from livepost.govern.policy.records import BASES, records_of, written
from tests.unit.govern.policy.shop import POLICY, given_of


def test_the_same_project_gives_the_same_bytes_whatever_the_order_of_its_policy(tmp_path: Path) -> None:
    text = written(records_of(given_of(tmp_path)))
    assert text == written(records_of(given_of(tmp_path)))
    email, name = (line for line in POLICY.splitlines() if line.startswith('"Identified.'))
    assert text == written(
        records_of(given_of(tmp_path, policy=POLICY.replace(f"{email}\n{name}", f"{name}\n{email}")))
    )
    erp = POLICY[POLICY.index("[destinations.erp]") : POLICY.index("[pipelines]")]
    moved = POLICY.replace(erp, "").replace("[destinations.crm]", erp + "[destinations.crm]")
    assert text == written(records_of(given_of(tmp_path, policy=moved)))


def test_every_letter_of_the_article_is_answered(tmp_path: Path) -> None:
    records = records_of(given_of(tmp_path))
    text = written(records)
    for letter in "abcdefg":
        assert f"({letter})" in text
    assert (records.controller, records.home) == ("A shop", "eu")
    [marketing] = [one for one in records.purposes if one.name == "marketing"]
    assert list(marketing.fields) == ["Identified.email", "Identified.first_name"]
    assert list(marketing.campaigns) == ["reminder"]
    assert [(one.name, one.kind, one.host, one.region, one.abroad) for one in records.recipients] == [
        ("crm", "audience", "a.klaviyo.com", "us", True),
        ("erp", "webhook", "hooks.example.com", "eu", False),
    ]
    [email] = [one for one in records.fields if one.name == "Identified.email"]
    assert list(email.destinations) == ["crm"]
    assert [one.features for one in records.fields if one.name == "Identified.first_name"] == [["Shopper.first_name"]]
    assert "| crm | audience | a.klaviyo.com | us (not eu) | marketing |" in text


def test_what_changes_for_people_changes_the_records(tmp_path: Path) -> None:
    text = written(records_of(given_of(tmp_path)))
    for old, new in (('"365d"', '"300d"'), ('"Letters"', '"Newsletters"'), ('region = "us"', 'region = "eu"')):
        assert written(records_of(given_of(tmp_path, policy=POLICY.replace(old, new)))) != text
    assert written(records_of(given_of(tmp_path, settings={"retention_days": 31}))) != text


def test_a_word_with_a_bar_does_not_break_the_table(tmp_path: Path) -> None:
    text = written(records_of(given_of(tmp_path, policy=POLICY.replace('"Letters"', '"Letters | news"'))))
    assert "| marketing | Letters \\| news |" in text


def test_every_basis_has_its_article() -> None:
    assert len(BASES) == 6
    assert all("art. 6 (1)" in told for told in BASES.values())


def test_the_records_are_data_too(tmp_path: Path) -> None:
    assert msgspec.json.decode(msgspec.json.encode(records_of(given_of(tmp_path))))["log_days"] == 90
