"""Pseudonyms: stable at one destination, of no use beside another's, and looked up only by who has the vault."""

from __future__ import annotations

import hmac
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.kek.rotation import begin, steps
from livepost.vault.memory import MemoryVault
from livepost.vault.pseudonym import PURPOSE, Pseudonyms
from livepost.vault.sqlite import SqliteVault

SECRET = bytes(range(32))
people = st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=50, unique=True)
names = st.text(min_size=1, max_size=20)


class OneKeyForAll(Pseudonyms):
    """The fault of the negative control: what names the destination does not go into its key."""

    def __init__(self, secret: bytes, destination: str) -> None:
        super().__init__(secret, "")


def joined(kind: type[Pseudonyms], one: str, other: str, subjects: list[bytes]) -> int:
    """Return how many people two destinations find in both their tables."""
    return len({kind(SECRET, one).of(who) for who in subjects} & {kind(SECRET, other).of(who) for who in subjects})


@given(people, names, names)
def test_two_destinations_cannot_join_and_one_can_with_itself(subjects: list[bytes], one: str, other: str) -> None:
    assert joined(Pseudonyms, one, one, subjects) == len(subjects)
    if one != other:
        assert joined(Pseudonyms, one, other, subjects) == 0


@given(people)
def test_no_pseudonym_is_an_id(subjects: list[bytes]) -> None:
    assert not {Pseudonyms(SECRET, "webhook:crm").of(who) for who in subjects} & {*subjects}


def test_the_check_sees_destinations_that_share_a_key() -> None:
    """The negative control."""
    assert joined(OneKeyForAll, "webhook:crm", "webhook:ads", [bytes(16)]) == 1


def test_they_are_hmac_under_a_key_by_hkdf() -> None:
    """Fixed for good: whoever was told them keeps them. Reckoned apart, by RFC 5869 and RFC 2104."""
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    key = hmac.digest(extracted, b"livepost pseudonyms of webhook:crm\x01", "sha256")
    assert Pseudonyms(SECRET, "webhook:crm").of(bytes(16)) == hmac.digest(key, bytes(16), "sha256")[:16]


def test_whoever_has_the_vault_finds_whom_it_names_until_they_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.vault.pseudonym.AT_ONCE", 2)
    vault = MemoryVault()
    crm = Pseudonyms(vault.secret(PURPOSE), "webhook:crm")
    ads = Pseudonyms(vault.secret(PURPOSE), "webhook:ads")
    subjects = [keys.subject for keys in vault.admit([ExternalId(USER, str(n)) for n in range(5)])]
    assert [crm.subject(vault, crm.of(who)) for who in subjects] == subjects
    assert crm.subject(vault, ads.of(subjects[0])) is None
    vault.forget(subjects[:1])
    assert crm.subject(vault, crm.of(subjects[0])) is None


def test_they_stay_after_a_restart_and_a_rotation(tmp_path: Path) -> None:
    keks = MemoryKeks()
    with closing(SqliteVault(tmp_path / "vault.db", keks)) as vault:
        before = Pseudonyms(vault.secret(PURPOSE), "webhook:crm").of(bytes(16))
        begin(keks)
        [*steps(keks, vault)]
    keks.destroy()
    with closing(SqliteVault(tmp_path / "vault.db", keks)) as vault:
        assert Pseudonyms(vault.secret(PURPOSE), "webhook:crm").of(bytes(16)) == before
