"""What any address of a setting has to be; tests of `smtp` and `postgres` have the rest."""

from __future__ import annotations

import pytest

from livepost.errors import SettingsError
from livepost.settings.address import AddressForm

FORM = AddressForm(setting="cache", of="a cache", form="cache://host[?ttl=N]", plain="cache://host", options=("ttl",))


def test_an_address_is_split_and_its_options_are_told() -> None:
    parts = FORM.split("cache://host:7?ttl=3", "here")
    assert (parts.hostname, parts.port, FORM.options_of(parts, "here")) == ("host", 7, {"ttl": "3"})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("cache://ho st", "ASCII without spaces"),
        ("cache://host:port", "a port of 1 to 65535"),
        ("cache://host:0", "expected cache://host"),
        ("cache://host#part", "expected cache://host"),
        ("cache://u:secret@host", "cache_password = "),
        ("cache://host?tll=3", "did you mean ttl"),
        ("cache://host?ttl", "an option without a value"),
        ("cache://host?ttl=1&ttl=2", "an option twice"),
    ],
)
def test_what_is_none_is_refused_with_where_it_stands_and_no_password(value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=r"^cache .here. ") as refused:
        FORM.options_of(FORM.split(value, "here"), "here")
    assert why in str(refused.value) and "secret" not in str(refused.value)
