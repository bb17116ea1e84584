"""The address of an SMTP server: what is taken, and what is refused in a sentence that repeats no password."""

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.smtp import (
    CONNECTIONS,
    MAX_CONNECTIONS,
    SmtpAddress,
    check_login,
    is_loopback,
    read_smtp,
    with_path_in,
)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("smtp://mail.example.com", SmtpAddress(host="mail.example.com", port=587, tls="starttls")),
        ("smtps://mail.example.com", SmtpAddress(host="mail.example.com", port=465, tls="implicit")),
        ("smtp://ada@mail.example.com:2525", SmtpAddress(host="mail.example.com", port=2525, user="ada")),
        ("smtp://ada%40b.example@h.example", SmtpAddress(host="h.example", port=587, user="ada@b.example")),
        ("smtp://mail.example.com?tls=starttls", SmtpAddress(host="mail.example.com", port=587, tls="starttls")),
        ("smtp://127.0.0.1:25?tls=none", SmtpAddress(host="127.0.0.1", port=25, tls="none")),
        ("smtp://[::1]:25/?tls=none", SmtpAddress(host="::1", port=25, tls="none")),
        ("smtp://localhost?tls=none", SmtpAddress(host="localhost", port=587, tls="none")),
        ("smtp://10.0.0.7:25?tls=none&exposed=yes", SmtpAddress(host="10.0.0.7", port=25, tls="none")),
        ("smtps://h.example?cafile=ca.pem", SmtpAddress(host="h.example", port=465, tls="implicit", cafile="ca.pem")),
        ("smtp://h.example?ehlo=[192.0.2.1]", SmtpAddress(host="h.example", port=587, ehlo="[192.0.2.1]")),
        ("smtp://h.example?ehlo=m.example&connections=2",
         SmtpAddress(host="h.example", port=587, ehlo="m.example", connections=2)),
    ],
)  # fmt: skip
def test_an_address_is_read(value: str, address: SmtpAddress) -> None:
    assert read_smtp(value, "livepost.toml:2") == address


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("smtp:", "expected smtp://"),
        ("smtp://", "expected smtp://"),
        ("smtp:mail.example.com", "expected smtp://"),
        ("smtp://mail.example.com/inbox", "expected smtp://"),
        ("smtp://mail.example.com#there", "expected smtp://"),
        ("smtp://-mail.example.com", "expected smtp://"),
        ("smtp://mail_.example.com", "expected smtp://"),
        ("smtp://" + "a" * 254, "expected smtp://"),
        ("smtp://mail.example.com:0", "expected smtp://"),
        ("smtp://mail.example.com:65536", "port of 1 to 65535"),
        ("smtp://mail.example.com:submission", "port of 1 to 65535"),
        ("smtp://[::1", "port of 1 to 65535"),
        ("smtp://mail.example.com\r\n", "ASCII without spaces"),
        ("smtp://mäil.example.com", "ASCII without spaces"),
        ("smtp://a%0Ab@mail.example.com", "control characters"),
        ("smtp://mail.example.com?tls", "without a value"),
        ("smtp://mail.example.com?tsl=none", "did you mean tls?"),
        ("smtp://mail.example.com?xyzzy=1", "the options are tls, cafile"),
        ("smtp://mail.example.com?tls=none&tls=starttls", "say each once"),
        ("smtp://mail.example.com?tls=always", "neither starttls nor none"),
        ("smtps://mail.example.com?tls=none", "leave tls out"),
        ("smtp://127.0.0.1?tls=none&cafile=ca.pem", "no certificate is checked"),
        ("smtp://mail.example.com?exposed=no", "exposed that is not yes"),
        ("smtp://mail.example.com?ehlo=a%20b", "no host name"),
        ("smtp://mail.example.com?connections=0", "not a number of 1 to 20"),
        ("smtp://mail.example.com?connections=many", "not a number of 1 to 20"),
    ],
)
def test_what_cannot_be_right_is_refused_with_where_it_was_written(value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=r"^mail \(livepost.toml:2\) ") as refused:
        read_smtp(value, "livepost.toml:2")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "smtp://ada:hunter2@mail.example.com",
        "smtps://ada:hunter2@mail.example.com:465?tls=none",
        "smtp://ada:hunter2/3@mail.example.com",
        "smtp://ada:hunter2",
        "smtp://ada:hunter2@mäil.example.com",
        "smtp://:hunter2@mail.example.com",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_smtp(value, "LIVEPOST_MAIL")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("host", ["mail.example.com", "10.0.0.7", "[2001:db8::1]", "localhost.example.com"])
def test_clear_text_beyond_this_machine_must_be_asked_for(host: str) -> None:
    with pytest.raises(SettingsError, match=r"in clear over the network .* add exposed=yes"):
        read_smtp(f"smtp://{host}?tls=none", "default")
    assert read_smtp(f"smtp://{host}?tls=none&exposed=yes", "default").tls == "none"


def test_connections_at_the_bound_are_taken_and_one_more_is_refused() -> None:
    assert read_smtp("smtp://h.example", "x").connections == CONNECTIONS
    assert read_smtp(f"smtp://h.example?connections={MAX_CONNECTIONS}", "x").connections == MAX_CONNECTIONS
    with pytest.raises(SettingsError, match="connections"):
        read_smtp(f"smtp://h.example?connections={MAX_CONNECTIONS + 1}", "x")


def test_a_user_needs_a_password_and_a_password_a_user() -> None:
    check_login("", "", "x")
    check_login("ada", "env:SMTP_PASSWORD", "x")
    with pytest.raises(SettingsError, match="there is no mail_password"):
        check_login("ada", "", "x")
    with pytest.raises(SettingsError, match="names no user"):
        check_login("", "env:SMTP_PASSWORD", "x")


@pytest.mark.parametrize(
    ("value", "absolute"),
    [
        ("smtp://h.example?ehlo=[::1]", "smtp://h.example?ehlo=[::1]"),
        ("smtps://a%40b@h.example:1?cafile=keys/ca.pem&ehlo=[::1]", "smtps://a%40b@h.example:1?cafile=/shop/keys/ca.pem&ehlo=[::1]"),
        ("smtps://h.example?cafile=/etc/a%20b.pem", "smtps://h.example?cafile=/etc/a%20b.pem"),
        ("smtps://h.example?cafile=a%26b%3D.pem", "smtps://h.example?cafile=/shop/a%26b%3D.pem"),
    ],
)  # fmt: skip
def test_a_cafile_lies_in_the_project_folder_and_the_rest_stays(value: str, absolute: str) -> None:
    found = with_path_in(Path("/shop"), value, "cafile")
    assert found == absolute
    before, after = read_smtp(value, "x"), read_smtp(found, "x")
    assert after.cafile == (str(Path("/shop") / before.cafile) if before.cafile else "")


def test_this_machine_is_known_by_its_names() -> None:
    told = {
        "127.0.0.1": True,
        "127.8.0.1": True,
        "::1": True,
        "localhost": True,
        "192.0.2.1": False,
        "a.example": False,
    }
    assert {host: is_loopback(host) for host in told} == told
