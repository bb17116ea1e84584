"""Tables `[[mail_events]]`: who tells us what became of mails, and how it proves itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.load import load
from livepost.settings.mail_events import TELLERS

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses"


def loaded(tmp_path: Path, text: str, **environ: str) -> list[str]:
    (tmp_path / "livepost.toml").write_text(text)
    return [f"{one.provider} {one.secret}" for one in load(tmp_path, environ).settings.mail_events]


def test_a_provider_is_named_with_a_reference_to_its_secret(tmp_path: Path) -> None:
    text = '[[mail_events]]\nprovider = "postmark"\nsecret = "file:keys/postmark"\n'
    assert loaded(tmp_path, text) == [f"postmark file:{tmp_path}/keys/postmark"]


def test_a_variable_may_hold_them_as_json_and_their_secrets_are_no_settings(tmp_path: Path) -> None:
    told = '[{"provider": "mailgun", "secret": "env:LIVEPOST_MAILGUN_KEY"}]'
    assert loaded(tmp_path, "", LIVEPOST_MAIL_EVENTS=told, LIVEPOST_MAILGUN_KEY="x") == [
        "mailgun env:LIVEPOST_MAILGUN_KEY"
    ]


def test_ses_has_topics_and_mandrill_an_address(tmp_path: Path) -> None:
    ses = f'[[mail_events]]\nprovider = "ses"\ntopics = ["{TOPIC}"]\n'
    mandrill = (
        '[[mail_events]]\nprovider = "mandrill"\nsecret = "env:K"\nurl = "https://m.example/hooks/esp/mandrill"\n'
    )
    assert loaded(tmp_path, ses + mandrill) == ["ses ", "mandrill env:K"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('provider = "pigeon"\nsecret = "env:K"', "does not know; it knows brevo"),
        ('provider = "scaleway"\nsecret = "env:K"', "does not know"),
        ('provider = "postmark"', "must refer to a secret"),
        ('provider = "postmark"\nsecret = "hunter2"', "must refer to a secret"),
        ('provider = "ses"', "must name its topics"),
        ('provider = "ses"\ntopics = ["arn:aws:sqs:eu-west-1:123456789012:x"]', "must name its topics"),
        (f'provider = "ses"\nsecret = "env:K"\ntopics = ["{TOPIC}"]', "leave it out"),
        (f'provider = "resend"\nsecret = "env:K"\ntopics = ["{TOPIC}"]', "which only ses has"),
        ('provider = "mandrill"\nsecret = "env:K"', "must say url"),
        ('provider = "resend"\nsecret = "env:K"\nurl = "https://m.example"', "for mandrill and for it only"),
        ('provider = "resend"\nsecret = "env:K"\nword = 1', "word"),
    ],
)
def test_a_table_that_could_prove_nothing_is_refused(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        loaded(tmp_path, f"[[mail_events]]\n{table}\n")
    assert "hunter2" not in str(error.value)


def test_a_provider_is_there_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="twice"):
        loaded(tmp_path, '[[mail_events]]\nprovider = "resend"\nsecret = "env:K"\n' * 2)


def test_thirteen_providers_tell() -> None:
    assert len(TELLERS) == 13
