"""Secrets are named, never written."""

import pytest

from livepost.errors import SettingsError
from livepost.settings.secret import check_reference


def test_a_secret_written_out_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="write env:NAME or file:PATH") as refused:
        check_reference("kek", "hunter2", "livepost.toml:1")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["env:", "file:", ""])
def test_a_reference_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        check_reference("kek", text, "default")


@pytest.mark.parametrize("text", ["env:SHOP_KEY", "file:./data/keys/kek"])
def test_a_reference_is_taken(text: str) -> None:
    check_reference("kek", text, "default")
