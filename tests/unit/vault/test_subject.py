from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.errors import SealError
from livepost.vault.base import ExternalId
from livepost.vault.subject import KeyedSubject, new_key, unwrap, wrap


def test_a_seal_is_a_nonce_of_12_bytes_and_plain_aes_gcm() -> None:
    key = new_key()
    seal = KeyedSubject(b"s" * 16, "user", b"", key).seal(b"plain", b"context")
    assert len(seal) == 12 + len(b"plain") + 16
    assert AESGCM(key).decrypt(seal[:12], seal[12:], b"context") == b"plain"


def test_a_wrapped_key_opens_for_its_owner_and_with_its_key_alone() -> None:
    kek, other, key = AESGCM(new_key()), AESGCM(new_key()), new_key()
    wrapped = wrap(kek, key, b"owner")
    assert unwrap(kek, wrapped, b"owner") == key
    for wrong in ((other, wrapped, b"owner"), (kek, wrapped, b"another"), (kek, b"short", b"owner")):
        with pytest.raises(InvalidTag):
            unwrap(*wrong)


def test_a_sealed_external_id_does_not_open_as_another_kind() -> None:
    key = new_key()
    seal = KeyedSubject(b"s" * 16, "user", b"", key).seal_id(ExternalId("user", "ada"))
    assert KeyedSubject(b"s" * 16, "user", b"", key).open_id(seal) == ExternalId("user", "ada")
    with pytest.raises(SealError):
        KeyedSubject(b"s" * 16, "email", b"", key).open_id(seal)


def test_the_message_of_a_seal_that_does_not_open_tells_the_subject_and_no_value() -> None:
    with pytest.raises(SealError, match=r"7373.*does not open"):
        KeyedSubject(b"s" * 16, "user", b"", new_key()).open(b"not a seal at all, far from it", b"")
