"""AWS KMS, as moto plays it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from livepost.errors import SettingsError
from livepost.vault.kek.kms import Kms
from livepost.vault.kek.wrapped import WrappedKeks


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]


def test_kms_wraps_a_key_that_it_alone_opens(tmp_path: Path, kms: str) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Kms(kms, "shop"))
    store.make()
    (made,) = store.read()
    assert len(made.key) == 32
    for form in (made.key, base64.b64encode(made.key), made.key.hex().encode()):
        assert form not in store.path.read_bytes()
    assert WrappedKeks(store.path, Kms(kms, "shop")).read() == [made]
    store.add()
    assert [one.key for one in WrappedKeks(store.path, Kms(kms, "shop")).read()][1:] == [made.key]
    store.retire()
    assert (store.destroy(), len(store.read())) == (1, 1)
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_kms_refuses_another_workspace_another_key_and_what_was_changed(tmp_path: Path, kms: str) -> None:
    key, wrapped = Kms(kms, "shop").data_key()
    assert Kms(kms, "shop").unwrap(wrapped) == key
    other = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
    changed = base64.b64encode(base64.b64decode(wrapped)[:-1] + b"\0").decode()
    for service, text in ((Kms(kms, "another"), wrapped), (Kms(other, "shop"), wrapped), (Kms(kms, "shop"), changed)):
        with pytest.raises(SettingsError, match="did not decrypt"):
            service.unwrap(text)
    with pytest.raises(SettingsError, match="base64"):
        Kms(kms, "shop").unwrap("?")


def test_a_key_that_kms_has_not_is_said(tmp_path: Path, kms: str) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Kms("alias/none", "shop"))
    with pytest.raises(SettingsError, match="did not generate data key"):
        store.make()
    assert not store.path.exists()


def test_without_a_region_kms_says_which_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/no/such/file")
    with pytest.raises(SettingsError, match="AWS_DEFAULT_REGION"):
        Kms("alias/livepost", "shop")
