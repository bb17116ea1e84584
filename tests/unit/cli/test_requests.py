from __future__ import annotations

import re
from contextlib import closing

import msgspec

from livepost.audit.head import Signer
from livepost.control import erasures
from livepost.control.erasures import Erasure
from livepost.govern.rights.receipt import Receipt, StoreReceipt, signed
from livepost.runtime.data.audits import PURPOSE
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def test_a_request_is_entered_extended_answered_and_shown(livepost: Command, house: StillHouse) -> None:
    assert livepost("requests", "list").out == "No request waits for an answer.\n"
    one = livepost("requests", "enter", "access", "ada", "--verified", "by a call back", "--json").json()
    assert (one["kind"], one["state"], one["way"]) == ("access", "pending", "cli")
    assert one["id"][:8] in livepost("requests", "list").out
    assert livepost("requests", "extend", one["id"][:8], "--why", "many letters").code == 0
    assert "answered, or was extended" in livepost("requests", "extend", one["id"][:8], "--why", "again").err
    assert livepost("requests", "answer", one["id"][:8], "--told", "sent by letter").code == 0
    assert "is completed already" in livepost("requests", "answer", one["id"][:8], "--told", "again").err
    shown = livepost("requests", "show", one["id"][:8], "--json").json()
    assert [step["told"] for step in shown["steps"]] == [
        "it came in",
        "its time was extended: many letters",
        "sent by letter",
    ]
    assert not re.search(r"\bada\b", livepost("requests", "show", one["id"][:8]).out)  # ids are drawn: one may spell it
    assert livepost("requests", "list", "--json").json() == []
    assert len(livepost("requests", "list", "--all", "--json").json()) == 1
    assert "got 0 that begin with ffff" in livepost("requests", "show", "ffff").err


def test_a_restriction_holds_from_the_next_claim_on_until_it_is_lifted(livepost: Command, house: StillHouse) -> None:
    assert livepost("requests", "restrict", "ada", "--verified", "by a call back").code == 0
    with closing(house.folder.ledger()) as ledger:
        [person] = [one.person for one in ledger.deliveries(limit=10)]
        assert [one.kind for one in ledger.limits(person)] == ["restricted"]
        assert livepost("requests", "unrestrict", "ada", "--told", "by a letter of 3 May").code == 0
        assert ledger.limits(person) == []
    assert "is not restricted" in livepost("requests", "unrestrict", "ada", "--told", "again").err


def test_an_objection_is_noted_for_a_purpose_or_for_all(livepost: Command, house: StillHouse) -> None:
    assert (
        "marketing is off for good"
        in livepost("requests", "object", "ada", "--verified", "x", "--purpose", "marketing").out
    )
    done = livepost("requests", "object", "ada", "--verified", "x", "--json").json()
    assert (done["kind"], done["state"]) == ("objection", "completed")
    with closing(house.folder.ledger()) as ledger:
        [person] = [one.person for one in ledger.deliveries(limit=10)]
        assert sorted(one.purpose for one in ledger.limits(person)) == ["*", "marketing"]


def test_receipts_of_erasures_are_listed_and_shown_with_their_signature(livepost: Command, house: StillHouse) -> None:
    assert livepost("requests", "receipts").out == "Nobody was erased yet.\n"
    made = Receipt(
        id="ab" * 16,
        workspace="shop",
        by="command:me",
        asked_at=0,
        live_at=83,
        done_at=1_109,
        position=7,
        subjects=4,
        stores=(StoreReceipt(store="vault.db", done="rows are deleted", at=0, rows={"keys": 4}),),
        signature="",
    )
    with closing(house.folder.vault(readonly=True)) as vault:
        ours = signed(made, Signer(vault.secret(PURPOSE)))
    forged = msgspec.structs.replace(ours, id="cd" * 16)
    with closing(house.folder.control()) as control:
        for one in (ours, forged):
            id = bytes.fromhex(one.id)
            erasure = Erasure(id=id, by=one.by, asked_at=0, erased_at=0, subjects=(), hashes=())
            erasures.begin(control, erasure)
            erasures.end(control, id, msgspec.json.encode(one))
    listed = livepost("requests", "receipts").out
    assert ours.id[:8] in listed and "83 ms" in listed and "1,109 ms" in listed
    assert msgspec.convert(livepost("requests", "receipts", "--json").json(), list[Receipt])[0] in (ours, forged)
    shown = livepost("requests", "receipt", "abab")
    assert (shown.code, "rows are deleted (4 keys)" in shown.out) == (0, True)
    assert "signature is this workspace's" in shown.out
    assert livepost("requests", "receipt", "cdcd").code == 1
    _checks_files(livepost, house, ours, forged)
    assert "got 0 that begin with ff" in livepost("requests", "receipt", "ff").err


def _checks_files(livepost: Command, house: StillHouse, ours: Receipt, forged: Receipt) -> None:
    """A receipt that was handed out is checked from its file, with a key alone."""
    with closing(house.folder.vault(readonly=True)) as vault:
        key = Signer(vault.secret(PURPOSE)).public.hex()
    file = house.folder.path.parent / "receipt.json"
    file.write_bytes(msgspec.json.encode(ours))
    for more in ((), ("--key", key)):
        assert livepost("requests", "receipt", "--check", str(file), *more).code == 0
    assert livepost("requests", "receipt", "--check", str(file), "--key", "00" * 32).code == 1
    assert "64 hex digits" in livepost("requests", "receipt", "--check", str(file), "--key", "abc").err
    file.write_bytes(msgspec.json.encode(forged))
    assert livepost("requests", "receipt", "--check", str(file), "--key", key).code == 1
    file.write_text("ada")
    assert "cannot be read" in livepost("requests", "receipt", "--check", str(file)).err


def test_an_opt_out_without_a_policy_waits_and_has_no_more_time(livepost: Command, house: StillHouse) -> None:
    out = livepost("requests", "opt-out", "ada", "--json").json()
    assert (out["kind"], out["regulation"], out["way"]) == ("opt_out_of_sale", "ccpa", "cli")
    assert out["state"] == "pending", "without a policy nothing says what a sale is"
    assert "no more time" in livepost("requests", "extend", out["id"][:8], "--why", "many letters").err
