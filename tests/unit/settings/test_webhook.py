"""Targets of webhooks in the settings: by table or as JSON, secrets by reference and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.load import load
from livepost.settings.webhook import Webhook

TABLE = '[[webhooks]]\nname = "crm"\nurl = "https://hooks.example.com/T0/B1?key=hunter2"\nsecret = "env:LIVEPOST_CRM"\n'


def test_a_table_is_a_target_with_defaults(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(
        TABLE + '[[webhooks]]\nname = "b"\nurl = "x"\nsecret = "file:keys/b"\ntries = 3\n'
    )
    loaded = load(tmp_path, {"LIVEPOST_CRM": "whsec_x"})
    first, second = loaded.settings.webhooks
    assert (first.events, first.tries) == (("transition", "decision", "receipt"), 10)
    assert (second.secret, second.tries) == (f"file:{tmp_path}/keys/b", 3)
    assert loaded.origins["webhooks"] == "livepost.toml:1"


def test_no_path_query_or_user_is_shown(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(TABLE)
    shown = {one.key: one.value for one in load(tmp_path, {}).shown()}
    assert shown["webhooks"] == "crm -> https://hooks.example.com"
    assert shown["allow_outgoing"] == ""
    for url in ("https://ada:hunter2@a.example.com/", "https://hunter2@a/", "hunter2"):
        assert "hunter2" not in str(Webhook(name="a", url=url, secret="env:A"))


def test_the_environment_says_them_in_json(tmp_path: Path) -> None:
    webhooks = '[{"name": "crm", "url": "https://a.example.com", "secret": "env:LIVEPOST_CRM", "events": ["receipt"]}]'
    environ = {
        "LIVEPOST_WEBHOOKS": webhooks,
        "LIVEPOST_ALLOW_OUTGOING": '["127.0.0.1:9000"]',
        "LIVEPOST_CRM": "whsec_x",
    }
    settings = load(tmp_path, environ).settings
    assert settings.webhooks[0].events == ("receipt",)
    assert settings.allow_outgoing == ["127.0.0.1:9000"]
    with pytest.raises(SettingsError, match=r"webhooks \(LIVEPOST_WEBHOOKS\) does not fit"):
        load(tmp_path, {"LIVEPOST_WEBHOOKS": "crm"})


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (TABLE.replace("env:LIVEPOST_CRM", "whsec_hunter2"), "must refer to a secret"),
        (TABLE + TABLE, "has crm twice"),
        (TABLE.replace('"crm"', '"C R M"'), "matching regex"),
        (TABLE + 'event = ["receipt"]\n', "unknown field"),
        (TABLE + 'events = ["click"]\n', "invalid enum value"),
        (TABLE + "events = []\n", "length >= 1"),
        (TABLE + "tries = 11\n", "<= 10"),
        ("".join(TABLE.replace("crm", f"crm{n}") for n in range(17)), "length <= 16"),
        ('[[webhooks]]\nname = "crm"\nsecret = "env:A"\n', "missing required field `url`"),
    ],
)
def test_what_cannot_be_right_is_refused_without_the_secret(tmp_path: Path, table: str, sentence: str) -> None:
    (tmp_path / "livepost.toml").write_text(table)
    with pytest.raises(SettingsError, match=sentence) as refused:
        load(tmp_path, {})
    assert "hunter2" not in str(refused.value)
