from __future__ import annotations

import msgspec
import pytest

from livepost.audit.head import Head, Signer, is_signed

HEAD = Head(workspace="shop", number=7, link="ab" * 32, at=1)


def test_a_head_is_signed_by_the_workspace_and_checked_by_anybody() -> None:
    signer = Signer(bytes(32))
    assert is_signed(signer.signed(HEAD), signer.public)
    assert signer.signed(HEAD) == Signer(bytes(32)).signed(HEAD)


@pytest.mark.parametrize(
    "changed", [{"number": 8}, {"link": "cd" * 32}, {"at": 2}, {"workspace": "x"}, {"signature": "z"}]
)
def test_a_head_that_was_changed_is_not_signed(changed: dict[str, object]) -> None:
    signer = Signer(bytes(32))
    assert not is_signed(msgspec.structs.replace(signer.signed(HEAD), **changed), signer.public)


def test_another_workspaces_key_signs_nothing_of_this_one() -> None:
    assert not is_signed(Signer(bytes(32)).signed(HEAD), Signer(b"x" * 32).public)
    assert not is_signed(Signer(bytes(32)).signed(HEAD), b"no key")
