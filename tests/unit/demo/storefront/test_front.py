"""The shop's keys: one of each kind that is valid, whatever was before."""

from __future__ import annotations

from pathlib import Path

from livepost.demo.storefront.front import secret_key, write_key
from livepost.model.record import KeyKind
from livepost.runtime.data.keyring import KeyRing


def test_a_new_secret_key_takes_the_place_of_the_one_before_and_leaves_others_alone(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys.json")
    others = keys.new("secret", "somebody else", 0).key
    first, second = secret_key(keys), secret_key(keys)
    assert keys.lookup(first) is None
    assert keys.lookup(second) == ("storefront", KeyKind.SECRET)
    assert keys.lookup(others) is not None


def test_the_write_key_stays_as_long_as_it_is_valid(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys.json")
    first = write_key(keys)
    assert write_key(keys) == first
    keys.revoke(keys.all()[0].id, 0)
    assert write_key(keys) != first
