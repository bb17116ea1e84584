from __future__ import annotations

import pytest

from livepost.errors import SettingsError
from livepost.settings.kek import KekReference, read_kek_reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("file:./data/keys/kek", KekReference("file", "./data/keys/kek")),
        ("env:SHOP_KEK", KekReference("env", "SHOP_KEK")),
        ("aws-kms:alias/livepost", KekReference("aws-kms", "alias/livepost")),
        (
            "aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab",
            KekReference("aws-kms", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab"),
        ),
        ("transit:livepost", KekReference("transit", "livepost")),
        ("transit:keys/transit/livepost", KekReference("transit", "keys/transit/livepost")),
    ],
)
def test_a_place_and_a_name_are_read(text: str, reference: KekReference) -> None:
    assert read_kek_reference(text, "default") == reference


@pytest.mark.parametrize(
    "text",
    ["hunter2", "", "file:", "env:", "kms:x", "aws-kms:", "aws-kms:a b", "transit:../x", "transit:/x", "transit:a?b"],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match="must refer to a key, not hold it") as error:
        read_kek_reference(text, "livepost.toml:1")
    assert "livepost.toml:1" in str(error.value)
    assert not text or f" {text} " not in str(error.value)
