"""Rows: masked before they are rows, of people who may be there."""

from __future__ import annotations

import msgspec
import pytest

from livepost.errors import SealError
from livepost.ops.sql.rows import Filled, Rows, members
from tests.unit.ops.sql.shop import CANARIES, CANARY, KEY, PLAIN, SILENT, catalog, opened, person, snapshot, values_of


def table(name: str, purpose: str = "study") -> list[dict[str, str | None]]:
    """Return a table's rows."""
    filled: Filled = next(one for one in snapshot(purpose=purpose).tables if one.name == name)
    names = [column for column, _ in filled.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*filled.cells, strict=True)]


def test_values_are_masked_before_they_are_rows() -> None:
    row = table("people")[0]
    assert (row["first_name"], row["birthday"], row["notes"]) == ("hidden", "1980s", '["hidden","hidden"]')
    assert str(row["email"]).startswith("p-") and (row["spent"], row["spent_currency"]) == ("4200", "EUR")
    told = msgspec.json.encode(snapshot()).decode()
    assert not [value for value in CANARIES.values() if value in told]


def test_who_does_not_allow_the_purpose_is_in_no_table() -> None:
    for name in ("people", "memberships", "consents", "deliveries", "events"):
        assert len({row["person"] for row in table(name)}) == 2
    assert len(table("people", "orders")) == 3


def test_both_engine_and_ledger_have_to_say_that_a_person_allows_it() -> None:
    people = [person(one, values_of(one), study=True) for one in (CANARY, PLAIN)] + [person(SILENT, values_of(SILENT))]
    kept = members(people, catalog(), {CANARY: "consent", PLAIN: "", SILENT: ""})
    assert [one.person for one in kept] == [PLAIN]


@pytest.mark.parametrize("purpose", ["study", "orders"])
@pytest.mark.parametrize("reason", ["restricted", "objected"])
def test_who_limited_the_use_of_their_data_is_in_no_table_whatever_the_purpose(purpose: str, reason: str) -> None:
    there = catalog(purpose=purpose)
    people = [person(one, values_of(one), study=True) for one in (CANARY, PLAIN, SILENT)]
    kept = members(people, there, {CANARY: reason, PLAIN: ""})
    assert [one.person for one in kept] == [PLAIN], "and nobody of whom the ledger says nothing"
    kept = members(people, there, dict.fromkeys((CANARY, PLAIN, SILENT), ""))
    assert len(kept) == 3, "the control: without the limit they are in"


def test_a_purpose_that_asks_for_no_consent_has_who_never_said_yes() -> None:
    people = [person(SILENT, values_of(SILENT))]
    assert members(people, catalog(purpose="orders"), {SILENT: "consent"}) == people
    assert members(people, catalog(), {SILENT: "consent"}) == []


def test_a_person_has_another_name_in_each_purpose() -> None:
    assert not {row["person"] for row in table("people")} & {row["person"] for row in table("people", "orders")}


def test_an_event_that_came_twice_is_one_row() -> None:
    rows = table("events")
    assert [row["event"] for row in rows] == ["Bought", "Bought"]
    assert set(msgspec.json.decode(str(rows[0]["properties"]))) == {"sku", "price", "shelf"}


def test_what_nobody_can_open_any_more_is_never() -> None:
    def gone(value: object) -> object:
        raise SealError("gone")

    filled = Rows(catalog(), KEY, gone).filled([person(CANARY, CANARIES, study=True)], [], [])
    names = [name for name, _ in filled[0].columns]
    assert filled[0].cells[names.index("email")] == [None]


def test_without_a_key_there_are_no_rows() -> None:
    with pytest.raises(ValueError, match="pseudonyms"):
        Rows(catalog(), b"", opened)
