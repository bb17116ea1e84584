from __future__ import annotations

import pytest

from livepost.vault.base import ExternalId
from livepost.vault.root import RootSecret, new_root


def test_no_two_uses_share_a_value() -> None:
    root = RootSecret(bytes(32))
    told = [
        root.secret("a")[:16],
        root.blind("a", "b"),
        root.blind("ab", ""),
        root.blind("", "ab"),
        root.blind_id(ExternalId("a", "b")),
        root.blind_id(ExternalId("ab", "")),
    ]
    assert len(set(told)) == len(told)


def test_what_is_derived_is_fixed_for_good() -> None:
    root = RootSecret(bytes(range(32)))
    assert root.secret("tokens").hex() == "d83e11cc7717c491e5317e7a5639cf6fdafa217e7d6ccf3e4aad20b782bc78ea"
    assert root.blind("erasure", "ada").hex() == "0ce4a45167e6531c948e752ccacbf3b6"
    assert root.blind_id(ExternalId("user", "ada")).hex() == "57d736a972a3624200e0bdc7c870e0db"


def test_a_root_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, got 31"):
        RootSecret(bytes(31))


def test_roots_are_random() -> None:
    assert len({new_root() for _ in range(100)}) == 100
