"""What a URL says has one reading, and leads to everybody's addresses only."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from livepost.fetch.address import (
    UnsafeAddressError,
    check_peer,
    is_everybodys,
    read_allowed,
    read_url,
)
from tests.unit.fetch.forms import IPV6, NUMBERS, SPECIAL, forms

PORT = 40_123
FORMS = forms(PORT)


def test_there_are_enough_forms() -> None:
    assert len(FORMS) >= 250


@pytest.mark.parametrize("url", FORMS)
def test_an_unsafe_form_is_refused_as_it_is_written(url: str) -> None:
    with pytest.raises(UnsafeAddressError):
        read_url(url)


@pytest.mark.parametrize("text", [*NUMBERS, *SPECIAL, *IPV6])
def test_an_address_that_is_not_everybodys_is_refused(text: str) -> None:
    assert not is_everybodys(ip_address(text))
    with pytest.raises(UnsafeAddressError, match="allow_outgoing"):
        check_peer(text, 443)


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_an_address_of_everybody_is_taken(text: str) -> None:
    check_peer(text, 443)


@pytest.mark.parametrize("text", ["", "localhost", "fe80::1%eth0", "127.1", "1.1.1.1%0"])
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(UnsafeAddressError):
        check_peer(text, 443)


def test_a_good_url_is_read_into_its_parts() -> None:
    address = read_url("HTTPS://Hooks.Example.com/New/%7Bx%7D?from=shop&to=/a")
    assert (address.scheme, address.host, address.port) == ("https", "hooks.example.com", 443)
    assert address.target == "/New/%7Bx%7D?from=shop&to=/a"
    assert address.authority == "hooks.example.com"
    assert read_url("https://hooks.example.com?x").target == "/?x"
    assert read_url("https://xn--hks-sna.example.com:443").origin == "https://xn--hks-sna.example.com"
    assert read_url("https://[2606:4700:0::1111]/").host == "2606:4700::1111"


@pytest.mark.parametrize(
    ("url", "allowance"),
    [
        ("http://127.0.0.1:9000/x", "127.0.0.1:9000"),
        ("https://[::1]:9000/x", "[0:0::1]:9000"),
        ("http://localhost:9000/", "LOCALHOST:9000"),
        ("http://hooks.example.com/", "hooks.example.com:80"),
        ("https://hooks.example.com:8443/", "hooks.example.com:8443"),
    ],
)
def test_an_allowance_is_for_one_host_and_one_port(url: str, allowance: str) -> None:
    allowed = read_allowed([allowance])
    assert read_url(url, allowed).origin
    with pytest.raises(UnsafeAddressError):
        read_url(url.replace("9000", "9001").replace("8443", "8444").replace("example", "sample"), allowed)


def test_a_name_that_is_allowed_stands_for_no_private_address_thereby() -> None:
    allowed = read_allowed(["receiver.example.com:9000"])
    with pytest.raises(UnsafeAddressError, match=r'"127.0.0.1:9000" to allow_outgoing'):
        check_peer("127.0.0.1", 9000, allowed)
    check_peer("127.0.0.1", 9000, read_allowed(["127.0.0.1:9000"]))


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "127.1:80", ":80", "a:0", "a:65536", "::1:80", "127.0.0.1:9000/", "a.b:x", ""]
)
def test_an_allowance_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(UnsafeAddressError):
        read_allowed([text])
