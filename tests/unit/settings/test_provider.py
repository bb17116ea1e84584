"""Which addresses of providers are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from livepost.errors import SettingsError
from livepost.settings.provider import FORMS, PROVIDER_SCHEMES, ProviderAddress, check_key, read_provider
from livepost.settings.smtp import MAX_CONNECTIONS

WHERE = "livepost.toml:2"
REQUIRED = {
    "mailjet:": "?user=a1b2",
    "postal:": "?url=https://postal.tea.example",
    "scaleway:": "?project=6170692e-7363",
    "ses:": "?region=eu-west-1",
    "unisender-go:": "?url=https://go1.unisender.example/ru/transactional/api/v1/",
}


@pytest.mark.parametrize("scheme", PROVIDER_SCHEMES)
def test_every_provider_is_named_by_a_word_and_what_it_needs(scheme: str) -> None:
    address = read_provider(f"{scheme}{REQUIRED.get(scheme, '')}", WHERE)
    assert (f"{address.name}:", address.connections) == (scheme, 8)


def test_options_are_read() -> None:
    assert read_provider("mailgun:?domain=mg.tea.example&region=eu&connections=3", WHERE) == ProviderAddress(
        name="mailgun", connections=3, options={"domain": "mg.tea.example", "region": "eu"}
    )
    local = read_provider("sendgrid:?url=http://127.0.0.1:4010/", WHERE)
    assert local == ProviderAddress(name="sendgrid", url="http://127.0.0.1:4010/")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("sendgrid:SG.s3cr3t", "must not hold a key"),
        ("sendgrid://ada:s3cr3t@api.sendgrid.example", "must not hold a key"),
        ("sendgrid:?SG.s3cr3t", "has an option without a value"),
        ("sendgrid:?s3cr3t=", "has an option that sendgrid does not have; the options are region, url, connections"),
        ("sendgrid:?regoin=eu", "did you mean region"),
        ("sendgrid:?region=mars", "it is one of global, eu"),
        ("sendgrid:?region=eu&region=eu", "names an option twice"),
        ("mailgun:?region=", "an option region that is no plain word"),
        ("mailgun:?domain=a/../b", "an option domain that is no plain word"),
        ("mailgun:?domain=%0d%0as3cr3t", "an option domain that is no plain word"),
        ("ses:", r"must say region: ses:\?region="),
        ("mailjet:", "must say user"),
        ("postal:", "must say url"),
        ("scaleway:?region=nl-ams", "must say project"),
        ("postal:?url=http://postal.tea.example", "would send mails and the key in clear over the network"),
        ("postal:?url=https://ada:s3cr3t@postal.tea.example", "an option url that is no address without a login"),
        ("postal:?url=ftp://postal.tea.example", "an option url that is no address"),
        ("postal:?url=https://postal.tea.example:99999", "an option url that is no address"),
        ("postal:?url=https://", "an option url that is no address"),
        ("brevo:?connections=0", f"is not a number of 1 to {MAX_CONNECTIONS}"),
        ("brevo:?connections=21", f"is not a number of 1 to {MAX_CONNECTIONS}"),
        ("brevo:?connections=two", f"is not a number of 1 to {MAX_CONNECTIONS}"),
    ],
)
def test_what_cannot_be_right_is_told_and_no_key_with_it(value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read_provider(value, WHERE)
    assert str(refused.value).startswith(f"mail ({WHERE}) ")
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_key_is_needed_but_where_the_machine_may_send(form: object) -> None:
    scheme = f"{form.name}:"  # type: ignore[attr-defined]
    address = read_provider(f"{scheme}{REQUIRED.get(scheme, '')}", WHERE)
    if scheme == "ses:":
        check_key(address, "", WHERE)
        return
    check_key(address, "env:KEY", WHERE)
    with pytest.raises(SettingsError, match=f"names {address.name}, but there is no key; say mail_password"):
        check_key(address, "", WHERE)


def test_an_access_key_and_its_secret_go_together() -> None:
    both = read_provider("ses:?region=eu-west-1&user=AKIDEXAMPLE", WHERE)
    check_key(both, "env:KEY", WHERE)
    for address, password in ((both, ""), (read_provider("ses:?region=eu-west-1", WHERE), "env:KEY")):
        with pytest.raises(SettingsError, match="together, or neither"):
            check_key(address, password, WHERE)
