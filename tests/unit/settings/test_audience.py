"""Destinations of audiences in the settings: by table or as JSON, keys by reference and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.audience import Audience
from livepost.settings.load import load

TABLE = """[[audiences]]
name = "crm"
vendor = "klaviyo"
key = "env:LIVEPOST_CRM"
segments = { browsing = "L1" }
"""


def test_a_table_is_a_destination_with_defaults(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(TABLE + 'features = ["first_name"]\n')
    [one] = load(tmp_path, {"LIVEPOST_CRM": "pk_x"}).settings.audiences
    assert (one.base_url, one.ident, one.purpose, one.refresh_ms) == (
        *("https://a.klaviyo.com", "email", "marketing"),
        3_600_000,
    )
    assert one.fields == {"first_name": "first_name"}


def test_a_key_in_a_file_is_the_projects(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(TABLE.replace("env:LIVEPOST_CRM", "file:keys/crm"))
    assert load(tmp_path, {}).settings.audiences[0].key == f"file:{tmp_path}/keys/crm"


def test_the_environment_says_them_in_json(tmp_path: Path) -> None:
    told = (
        '[{"name": "a", "vendor": "braze", "key": "env:LIVEPOST_CRM", "url": "https://rest.example.com/x?y=hunter2",'
        ' "segments": {"vip": "is_vip"}, "features": {"spend": "lifetime_spend"}, "id": "email", "refresh": "15m"}]'
    )
    loaded = load(tmp_path, {"LIVEPOST_AUDIENCES": told, "LIVEPOST_CRM": "x"})
    [one] = loaded.settings.audiences
    assert (one.ident, one.fields, one.refresh_ms) == ("email", {"spend": "lifetime_spend"}, 900_000)
    assert {shown.key: shown.value for shown in loaded.shown()}["audiences"] == (
        "a -> braze at https://rest.example.com"
    )


def test_no_user_of_a_url_is_shown() -> None:
    one = Audience(name="a", vendor="braze", key="env:A", segments={"a": "b"}, url="https://ada:hunter2@x/")
    assert "hunter2" not in str(one)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (TABLE.replace("env:LIVEPOST_CRM", "pk_hunter2"), "must refer to a secret"),
        (TABLE + TABLE, "has crm twice"),
        (TABLE.replace("klaviyo", "nobody"), "invalid enum value"),
        (TABLE.replace('{ browsing = "L1" }', "{}"), "length >= 1"),
        (TABLE.replace('"L1" }', '"L1", vip = "L1" }'), "go to one place"),
        (TABLE + 'features = { a = "x", b = "x" }\n', "go to one place"),
        (TABLE.replace("klaviyo", "sendgrid") + 'id = "user_id"\n', "sendgrid knows people by email"),
        (TABLE.replace("klaviyo", "braze"), "expected url"),
        (TABLE.replace("klaviyo", "mailchimp") + 'url = "https://us1.api.mailchimp.com"\n', "expected account"),
        (TABLE + 'refresh = "5s"\n', "matching regex"),
        (TABLE + "list = 1\n", "unknown field"),
        ("".join(TABLE.replace("crm", f"crm{n}") for n in range(17)), "length <= 16"),
    ],
)
def test_what_does_not_fit_is_refused_without_telling_a_secret(tmp_path: Path, table: str, sentence: str) -> None:
    (tmp_path / "livepost.toml").write_text(table)
    with pytest.raises(SettingsError, match=sentence) as refused:
        load(tmp_path, {})
    assert "hunter2" not in str(refused.value)
