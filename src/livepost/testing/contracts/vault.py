"""The contract of a vault: `VaultContract` for every body, `DurableVaultContract` for those that outlive their process.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: a test that looks for what must not
be there also looks for what must be, so that a blind search fails.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Protocol

import pytest

from livepost.errors import SealError, StoreError
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, SubjectKeys, Vault, seal_context

ADA = ExternalId(USER, "ada")


class VaultBench(Protocol):
    """Opens vaults of the body under test."""

    def new(self) -> Vault:
        """Return a new, empty vault with a root secret of its own."""
        ...


class DurableVaultBench(VaultBench, Protocol):
    """Opens vaults that outlive their process."""

    def reopen(self, vault: Vault) -> Vault:
        """Close the vault and return it opened again, with the same key-encryption key."""
        ...

    def reader(self, vault: Vault) -> Vault:
        """Return the vault opened for reading, as another process would."""
        ...

    def on_disk(self, vault: Vault) -> bytes:
        """Return every byte that the open vault has on disk, logs of the store included."""
        ...


class VaultContract:
    """What every vault does. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> VaultBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a VaultBench from it")

    def test_the_same_id_is_the_same_subject_before_and_after_commit(self, bench: VaultBench) -> None:
        vault = bench.new()
        first = admitted(vault, ADA)
        assert len(first.subject) == 16
        assert admitted(vault, ADA).subject == first.subject
        vault.commit()
        assert admitted(vault, ADA).subject == first.subject
        assert vault.keys(first.subject).subject == first.subject

    def test_subjects_are_gone_through_in_order_and_the_forgotten_are_none(self, bench: VaultBench) -> None:
        vault = bench.new()
        made = sorted(keys.subject for keys in vault.admit([ExternalId(USER, str(n)) for n in range(5)]))
        vault.commit()
        first = vault.subjects(b"", 3)
        assert [*first, *vault.subjects(first[-1], 3)] == made
        assert vault.subjects(made[-1], 3) == []
        vault.forget(made[1:2])
        assert vault.subjects(b"", 9) == [made[0], *made[2:]]

    def test_an_id_twice_in_one_call_is_one_subject(self, bench: VaultBench) -> None:
        vault = bench.new()
        bob = ExternalId(USER, "bob")
        subjects = [keys.subject for keys in vault.admit([ADA, bob, ADA])]
        assert subjects[0] == subjects[2] != subjects[1]
        vault.commit()
        assert [keys.subject for keys in vault.admit([bob, ADA])] == [subjects[1], subjects[0]]

    def test_one_value_of_two_kinds_is_two_subjects(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys = vault.admit([ExternalId(kind, "x") for kind in (USER, ANONYMOUS, EMAIL, "loyalty")])
        assert len({k.subject for k in keys}) == 4
        assert [k.kind for k in keys] == [USER, ANONYMOUS, EMAIL, "loyalty"]
        assert [k.known for k in keys] == [True, False, False, True]

    def test_emails_are_one_whatever_their_case_and_the_space_around_them(self, bench: VaultBench) -> None:
        vault = bench.new()
        one, two = vault.admit([ExternalId(EMAIL, " Ada@Example.COM\n"), ExternalId(EMAIL, "ada@example.com")])
        assert one.subject == two.subject
        assert vault.external_ids([one.subject]) == [ExternalId(EMAIL, "ada@example.com")]
        assert vault.find(ExternalId(EMAIL, "ADA@example.com ")) is not None

    def test_other_ids_are_taken_as_they_are(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys = vault.admit([ExternalId(USER, value) for value in ("Ada", "ada", "ada ")])
        assert len({k.subject for k in keys}) == 3

    def test_finding_makes_nothing(self, bench: VaultBench) -> None:
        vault = bench.new()
        assert vault.find(ADA) is None
        assert vault.find(ADA) is None
        keys = admitted(vault, ADA)
        found = vault.find(ADA)
        assert found is not None
        assert found.subject == keys.subject

    def test_an_empty_call_is_no_error(self, bench: VaultBench) -> None:
        vault = bench.new()
        assert (vault.admit([]), vault.external_ids([]), vault.forget([])) == ([], [], 0)
        vault.commit()

    def test_a_seal_opens_in_its_own_context_only(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys, other = vault.admit([ADA, ExternalId(USER, "bob")])
        context = seal_context("shop", "web", keys.subject, "m1", "email")
        seal = keys.seal(b"ada@example.com", context)
        assert vault.keys(keys.subject).open(seal, context) == b"ada@example.com"
        with pytest.raises(SealError):
            keys.open(seal, seal_context("shop", "web", keys.subject, "m1", "phone"))
        with pytest.raises(SealError):
            other.open(seal, context)

    def test_a_seal_with_any_byte_changed_or_cut_does_not_open(self, bench: VaultBench) -> None:
        keys = admitted(bench.new(), ADA)
        seal = keys.seal(b"secret", b"context")
        for place in range(len(seal)):
            changed = seal[:place] + bytes([seal[place] ^ 1]) + seal[place + 1 :]
            for broken in (changed, seal[:place]):
                with pytest.raises(SealError):
                    keys.open(broken, b"context")
        assert keys.open(seal, b"context") == b"secret"

    def test_a_value_sealed_twice_looks_different(self, bench: VaultBench) -> None:
        keys = admitted(bench.new(), ADA)
        assert len({keys.seal(b"same", b"context") for _ in range(1_000)}) == 1_000

    def test_a_keyed_hash_is_stable_for_a_subject_and_differs_between_subjects(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys, other = vault.admit([ADA, ExternalId(USER, "bob")])
        assert keys.keyed_hash(b"x") == vault.keys(keys.subject).keyed_hash(b"x")
        assert len(keys.keyed_hash(b"x")) == 16
        assert len({keys.keyed_hash(b"x"), keys.keyed_hash(b"y"), other.keyed_hash(b"x")}) == 3

    def test_external_ids_are_told_in_order_and_unknown_subjects_left_out(self, bench: VaultBench) -> None:
        vault = bench.new()
        ids = [ADA, ExternalId(EMAIL, "ada@example.com"), ExternalId(ANONYMOUS, "größe 👟")]
        subjects = [keys.subject for keys in vault.admit(ids)]
        assert vault.external_ids([subjects[2], bytes(16), subjects[0]]) == [ids[2], ids[0]]
        vault.commit()
        assert vault.external_ids(subjects) == ids

    def test_an_unknown_subject_has_no_keys(self, bench: VaultBench) -> None:
        with pytest.raises(SealError, match="unknown or was forgotten"):
            bench.new().keys(bytes(16))

    def test_a_forgotten_subject_is_gone_and_its_id_starts_anew(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys, other = vault.admit([ADA, ExternalId(USER, "bob")])
        seal = keys.seal(b"ada@example.com", b"")
        vault.commit()
        assert vault.forget([keys.subject, bytes(16)]) == 1
        assert vault.forget([keys.subject]) == 0
        assert (vault.find(ADA), vault.external_ids([keys.subject])) == (None, [])
        with pytest.raises(SealError):
            vault.keys(keys.subject)
        again = admitted(vault, ADA)
        assert again.subject != keys.subject
        with pytest.raises(SealError):
            again.open(seal, b"")
        assert vault.keys(other.subject).subject == other.subject

    def test_a_pending_subject_can_be_forgotten(self, bench: VaultBench) -> None:
        vault = bench.new()
        keys = admitted(vault, ADA)
        assert vault.forget([keys.subject]) == 1
        vault.commit()
        assert vault.find(ADA) is None

    def test_secrets_and_blinds_are_stable_and_differ_by_purpose_and_workspace(self, bench: VaultBench) -> None:
        vault, other = bench.new(), bench.new()
        assert vault.secret("tokens") == vault.secret("tokens")
        assert vault.blind("suppression", "a") == vault.blind("suppression", "a")
        assert (len(vault.secret("tokens")), len(vault.blind("erasure", "a"))) == (32, 16)
        assert len({v.secret(p) for v in (vault, other) for p in ("tokens", "message-id")}) == 4
        blinds = {v.blind(p, x) for v in (vault, other) for p in ("suppression", "erasure") for x in "ab"}
        assert len(blinds) == 8


class DurableVaultContract(VaultContract):
    """What every vault does that outlives its process. A subclass gives the fixture `durable`, too."""

    @pytest.fixture
    def durable(self) -> DurableVaultBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `durable`; return a DurableVaultBench")

    def test_what_was_committed_is_there_again_and_what_was_not_is_not(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        keys = admitted(vault, ADA)
        seal, hash_ = keys.seal(b"x", b"c"), keys.keyed_hash(b"x")
        told = (vault.secret("tokens"), vault.blind("p", "v"))
        vault.commit()
        vault.admit([ExternalId(USER, "pending")])
        vault = durable.reopen(vault)
        assert admitted(vault, ADA).subject == keys.subject
        assert vault.keys(keys.subject).open(seal, b"c") == b"x"
        assert vault.keys(keys.subject).keyed_hash(b"x") == hash_
        assert (vault.secret("tokens"), vault.blind("p", "v")) == told
        assert vault.find(ExternalId(USER, "pending")) is None

    def test_many_cold_subjects_are_found_in_one_call(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        ids = [ExternalId(ANONYMOUS, str(number)) for number in range(1_201)]
        subjects = [keys.subject for keys in vault.admit(ids)]
        vault.commit()
        vault = durable.reopen(vault)
        assert [keys.subject for keys in vault.admit(ids)] == subjects
        assert vault.external_ids(subjects) == ids

    def test_no_external_id_and_no_sealed_value_is_on_disk_in_clear(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        tokens = ["canary-user-7Qf2", "canary-mail-9Zx4@example.com", "canary-anon-3Lp8"]
        control = "canary-kind-5Vw1"
        ids = [ExternalId(kind, value) for kind, value in zip((USER, EMAIL, ANONYMOUS), tokens, strict=True)]
        vault.admit([*ids, ExternalId(control, "x")])
        vault.commit()
        disk = durable.on_disk(vault)
        assert spelled_in(disk, [control]) == [control]
        assert spelled_in(disk, tokens) == []

    def test_forgetting_is_durable_and_leaves_no_byte_of_the_key(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        people = vault.admit([ExternalId(USER, f"person-{number}") for number in range(400)])
        vault.commit()
        gone, kept = people[::3], people[1::3]
        assert vault.forget([keys.subject for keys in gone]) == len(gone)
        disk = durable.on_disk(vault)
        assert [keys.subject for keys in gone if keys.subject in disk] == []
        assert [keys.subject for keys in kept if keys.subject not in disk] == []
        vault = durable.reopen(vault)
        assert vault.external_ids([keys.subject for keys in gone]) == []
        assert len(vault.external_ids([keys.subject for keys in kept])) == len(kept)

    def test_a_reader_elsewhere_sees_who_is_new_and_who_was_forgotten(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        keys, other = vault.admit([ADA, ExternalId(USER, "bob")])
        vault.commit()
        reader = durable.reader(vault)
        seal = keys.seal(b"x", b"")
        assert reader.keys(keys.subject).open(seal, b"") == b"x"
        assert reader.find(ADA) is not None
        late = admitted(vault, ExternalId(USER, "late"))
        vault.commit()
        assert reader.keys(late.subject).subject == late.subject
        vault.forget([keys.subject])
        assert reader.find(ADA) is None
        assert reader.external_ids([keys.subject, other.subject]) == [ExternalId(USER, "bob")]
        with pytest.raises(SealError):
            reader.keys(keys.subject)

    def test_a_reader_has_the_same_secrets_and_writes_nothing(self, durable: DurableVaultBench) -> None:
        vault = durable.new()
        reader = durable.reader(vault)
        assert reader.secret("tokens") == vault.secret("tokens")
        assert reader.blind("p", "v") == vault.blind("p", "v")
        for write in (lambda: reader.admit([ADA]), lambda: reader.forget([bytes(16)])):
            with pytest.raises(StoreError, match="read-only"):
                write()


def admitted(vault: Vault, id: ExternalId) -> SubjectKeys:
    """Return the one id's subject."""
    (keys,) = vault.admit([id])
    return keys


def spelled_in(disk: bytes, tokens: Sequence[str]) -> list[str]:
    """Return those tokens that are among the bytes: plain, hex, or base64 at any of its three offsets."""
    return [token for token in tokens if any(spelling in disk for spelling in spellings(token.encode()))]


def spellings(token: bytes) -> list[bytes]:
    """Return the ways in which a token may be written."""
    # Characters at either end of a base64 text depend on what stands beside the token; they are cut off.
    shifted = [base64.b64encode(bytes(shift) + token)[4:-4] for shift in range(3)]
    return [token, token.hex().encode(), token.hex().upper().encode(), *shifted]
