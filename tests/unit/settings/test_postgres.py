"""Addresses of databases: what is taken, what is refused, and that no password is repeated."""

from __future__ import annotations

import pytest

from livepost.errors import SettingsError
from livepost.settings.postgres import PostgresAddress, read_postgres

WHERE = "livepost.toml:3"


def test_an_address_is_taken_apart_and_checks_the_server_over_a_network() -> None:
    assert read_postgres("postgresql://shop@db.example.com/mails?schema=tea&sslrootcert=/etc/ca.pem", WHERE) == (
        PostgresAddress(
            host="db.example.com",
            port=5432,
            user="shop",
            database="mails",
            sslmode="verify-full",
            sslrootcert="/etc/ca.pem",
            schema="tea",
        )
    )


def test_on_this_machine_tls_is_as_the_server_has_it() -> None:
    assert read_postgres("postgresql://shop@127.0.0.1:6000/mails", WHERE).sslmode == "prefer"
    socket = read_postgres("postgresql://shop@/mails?socket=/run/postgresql", WHERE)
    assert (socket.host, socket.sslmode) == ("/run/postgresql", "prefer")


def test_a_network_of_ones_own_may_be_trusted() -> None:
    assert read_postgres("postgresql://a@db.lan/mails?sslmode=disable&exposed=yes", WHERE).sslmode == "disable"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("postgresql://a@db.example.com/mails?sslmode=disable", "in clear over the network"),
        ("postgresql://a@db.example.com/mails?sslmode=allow", "has an sslmode that there is not"),
        ("postgresql://a@db.example.com/mails?slmode=require", "did you mean sslmode"),
        ("postgresql://a@db.example.com/mails?schema=Tea", "no plain name"),
        ("postgresql://a@db.example.com/mails?schema=a&schema=b", "names an option twice"),
        ("postgresql://a@db.example.com/mails?schema", "option without a value"),
        ("postgresql://a@db.example.com/", "is no address of a database"),
        ("postgresql://db.example.com/mails", "is no address of a database"),
        ("postgresql://a@db.example.com:99999/mails", "a port of 1 to 65535"),
        ("postgresql://a@/mails", "names no host, or a host and a socket"),
        ("postgresql://a@/mails?socket=run", "a socket by a relative path"),
        ("postgresql://a@db.example.com/ma ils", "without spaces"),
    ],
)
def test_what_cannot_be_right_is_refused_with_where_it_was_written(value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        read_postgres(value, WHERE)
    assert WHERE in str(refused.value)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="must not hold the password") as refused:
        read_postgres("postgresql://shop:hunter2@db.example.com/mails", WHERE)
    assert "hunter2" not in str(refused.value)
