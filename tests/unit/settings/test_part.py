"""Only what is built can be named."""

import pytest

from livepost.errors import SettingsError
from livepost.settings.part import PARTS, Part, check_host, check_lake, check_part, check_rows, check_tls, masked


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_every_built_body_of_a_part_is_taken(part: Part) -> None:
    for value in part.built:
        check_part(part, value, "livepost.toml:1")


@pytest.mark.parametrize(("part", "planned"), [(part, planned) for part in PARTS for planned in part.planned], ids=str)
def test_every_planned_body_is_refused_as_not_yet_built(part: Part, planned: str) -> None:
    with pytest.raises(SettingsError, match="is not yet built in this version; use") as refused:
        check_part(part, f"{planned}//somewhere", "livepost.toml:7")
    assert "livepost.toml:7" in str(refused.value)
    assert part.built[0] in str(refused.value)


def test_an_unheard_of_body_is_refused_with_what_to_use() -> None:
    with pytest.raises(SettingsError, match='names no log that Livepost knows; use log = "sqlite:"'):
        check_part(PARTS[0], "sqllite:", "LIVEPOST_LOG")


@pytest.mark.parametrize(
    ("value", "name"),
    [("sendgird:", "sendgrid:"), ("smpt://mail.example.com", "smtp:"), ("mail-gun:", "mailgun:"), ("pigeon:", "keep:")],
)
def test_of_many_names_the_nearest_is_suggested(value: str, name: str) -> None:
    mail = next(part for part in PARTS if part.key == "mail")
    with pytest.raises(SettingsError, match=f'names no mail that Livepost knows; use mail = "{name}"'):
        check_part(mail, value, "livepost.toml:2")


def test_a_password_in_a_refused_part_is_not_repeated() -> None:
    mail = next(part for part in PARTS if part.key == "mail")
    with pytest.raises(SettingsError) as refused:
        check_part(mail, "pigeon://ada:hunter2@mail.example.com", "livepost.toml:2")
    assert "hunter2" not in str(refused.value)
    assert "pigeon://ada:***@mail.example.com" in str(refused.value)


def test_a_part_that_an_address_follows_is_left_to_who_reads_addresses() -> None:
    mail = next(part for part in PARTS if part.key == "mail")
    for value in ("smtp://mail.example.com", "smtps://mail.example.com", "sendgrid:", "ses:?region=eu-west-1"):
        check_part(mail, value, "livepost.toml:2")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("smtp://ada:p:a@ss@host", "smtp://ada:***@host"),
        ("smtp://ada:p/ss@host", "smtp://ada:***@host"),
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://host:6379", "redis://host:6379"),
        ("sqlite:", "sqlite:"),
    ],
)
def test_only_the_password_of_a_url_is_masked(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_a_host_that_others_reach_is_refused_without_tls() -> None:
    with pytest.raises(SettingsError, match="sent in clear"):
        check_host("0.0.0.0", "LIVEPOST_HOST")
    check_host("0.0.0.0", "LIVEPOST_HOST", tls=True)
    check_host("0.0.0.0", "LIVEPOST_HOST", behind_proxy=True)


def test_a_certificate_goes_with_its_key() -> None:
    check_tls("", "", "default")
    check_tls("a", "b", "livepost.toml:1")
    for cert, key in (("a", ""), ("", "b")):
        with pytest.raises(SettingsError, match="name both files"):
            check_tls(cert, key, "livepost.toml:1")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_taken(host: str) -> None:
    check_host(host, "default")


def test_a_lake_that_was_asked_for_is_refused_and_the_default_is_not() -> None:
    check_lake("default")
    with pytest.raises(SettingsError, match="not yet built"):
        check_lake("livepost.toml:4")


def test_a_bound_on_rows_is_refused_where_they_are_swept() -> None:
    check_rows(0, "sweep", "default")
    check_rows(500, "step", "livepost.toml:2")
    with pytest.raises(SettingsError, match=r'rows_mb = 500 \(livepost.toml:2\).*use state_rows = "step"'):
        check_rows(500, "sweep", "livepost.toml:2")
