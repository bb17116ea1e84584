from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.vault.kek.base import Kek
from livepost.vault.kek.wrapped import WrappedKeks


class Reversing:
    """A key service that wraps by writing backwards, and counts how often it is asked to unwrap."""

    name = "reversing"
    size = 32

    def __init__(self) -> None:
        self.made = 0
        self.asked = 0

    def data_key(self) -> tuple[bytes, str]:
        self.made += 1
        key = bytes([self.made]) * self.size
        return key, key.hex()[::-1]

    def unwrap(self, wrapped: str) -> bytes:
        self.asked += 1
        return bytes.fromhex(wrapped[::-1])


def test_the_service_is_asked_once_for_a_key_and_never_for_one_it_just_made(tmp_path: Path) -> None:
    service = Reversing()
    store = WrappedKeks(tmp_path / "keys" / "kek.wrapped", service)
    store.make()
    store.add()
    assert store.read() == [Kek(b"\2" * 32), Kek(b"\1" * 32)]
    assert service.asked == 0
    again = WrappedKeks(store.path, service)
    assert again.read() == again.read() == store.read()
    assert service.asked == 2


def test_older_keys_are_retired_and_then_destroyed(tmp_path: Path) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Reversing())
    store.make()
    store.add()
    assert (store.destroy(), store.retire()) == (0, True)
    assert store.read() == [Kek(b"\2" * 32), Kek(b"\1" * 32, retired=True)]
    assert (store.destroy(), store.read()) == (1, [Kek(b"\2" * 32)])


def test_a_first_key_overwrites_no_other(tmp_path: Path) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Reversing())
    store.make()
    with pytest.raises(SettingsError, match=r"is a key of reversing in .* already"):
        store.make()


def test_keys_of_another_service_and_files_that_are_none_are_said(tmp_path: Path) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Reversing())
    with pytest.raises(SettingsError, match="cannot be read"):
        store.read()
    store.make()
    another = Reversing()
    another.name = "another"
    with pytest.raises(SettingsError, match="got one of reversing; name that"):
        WrappedKeks(store.path, another).read()
    for content, wrong in ((b"", "got none"), (b"hello\n", "a wrapped key a line")):
        store.path.write_bytes(content)
        with pytest.raises(SettingsError, match=wrong):
            store.read()


def test_a_key_of_another_length_is_refused_before_it_wraps_anything(tmp_path: Path) -> None:
    service = Reversing()
    service.size = 16
    store = WrappedKeks(tmp_path / "kek.wrapped", service)
    with pytest.raises(SettingsError, match="a key of 32 bytes from reversing, got 16 bytes"):
        store.make()
    assert not store.path.exists()
