"""What may be connected to: a URL as it is written, then each address that its host's name stands for.

In: URLs, allowances (`host:port`) and addresses as text. Out: their parts, or UnsafeAddressError. Promised: a URL has
one reading, since what could have another is refused: a host is a name in ASCII, four numbers, or IPv6 in brackets.
Networks are those of the IANA registries for special purposes (RFC 6890), read strictly: what embeds another address
(NAT64, 6to4, Teredo, ISATAP, mapped) or is not unicast of everybody's is not connected to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import msgspec

from livepost.errors import LivepostError

URL_CHARS_MAX = 2_048
PORTS = {"https": 443, "http": 80}

Allowed: TypeAlias = frozenset[tuple[str, int]]
"""Hosts (names, or addresses as `ipaddress` writes them) and ports that an operator named."""

NOTHING: Allowed = frozenset()

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[a-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[a-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.IGNORECASE | re.ASCII,
)
_ALLOWANCE = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\]):(?P<port>[1-9][0-9]{0,4})", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")

HERE_ONLY = frozenset(
    ("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa", "onion")
) | {"test", "invalid"}
"""Last labels of names that stand for this machine, a network of one's own, or nothing (RFC 6761, 6762, 8375)."""

SPECIAL_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's own services, by an address that looks like everybody's
    )
)
UNICAST = IPv6Network("2000::/3")
SPECIAL_IPV6 = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "3ffe::/16")
)
ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The third quarter of an address that carries an IPv4 address in the last (RFC 5214)."""


class OutgoingError(LivepostError):
    """There is no answer of a host: it was not asked, or did not answer as it should; the sentence names no path."""


class UnsafeAddressError(OutgoingError):
    """A URL, or what its host's name stands for, is nothing to connect to."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a URL: `host` in lower case, without brackets; `target` is path and query as they are written."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the header Host has them.

        >>> Address(scheme="https", host="::1", port=8443, target="/").authority
        '[::1]:8443'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The address without what may be nobody's business: path and query."""
        return f"{self.scheme}://{self.authority}"


def read_allowed(texts: Iterable[str]) -> Allowed:
    """Return what an operator allows; raise UnsafeAddressError for what is no `host:port`.

    >>> sorted(read_allowed(["127.0.0.1:9000", "[::1]:9000"]))
    [('127.0.0.1', 9000), ('::1', 9000)]
    """
    return frozenset(map(_allowance, texts))


def read_url(url: str, allowed: Allowed = NOTHING) -> Address:
    """Return the parts of a URL that may be asked, as far as it says itself; raise UnsafeAddressError for others.

    >>> read_url("https://hooks.example.com/new?from=shop").target
    '/new?from=shop'
    """
    found = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if found is None:
        raise UnsafeAddressError(
            "expected a URL like https://hooks.example.com/path, in ASCII, without user, password or fragment, got "
            f"another text of {len(url)} characters; write a name with other letters as xn--"
        )
    scheme = found["scheme"].lower()
    host = _host(found["host"])
    port = _port(found["port"]) if found["port"] else PORTS[scheme]
    address = Address(scheme=scheme, host=host, port=port, target=(found["path"] or "/") + (found["query"] or ""))
    if (host, port) not in allowed:
        _check_usual(address)
    return address


def check_peer(text: str, port: int, allowed: Allowed = NOTHING) -> None:
    """Raise UnsafeAddressError unless an address is unicast of everybody's, or allowed with this port."""
    peer = _peer(text)
    if peer is not None and (str(peer), port) in allowed:
        return
    if peer is None or not is_everybodys(peer):
        raise UnsafeAddressError(
            f"expected an address that is reached over the internet, got {text}; if it is a receiver of your own, "
            f'add "{_bracketed(text)}:{port}" to allow_outgoing'
        )


def is_everybodys(peer: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is unicast, reached over the internet, and stands for no other one.

    >>> is_everybodys(ip_address("1.1.1.1")), is_everybodys(ip_address("64:ff9b::7f00:1"))
    (True, False)
    """
    if not peer.is_global or peer.is_multicast or peer.is_reserved:
        return False
    if isinstance(peer, IPv4Address):
        return not any(peer in network for network in SPECIAL_IPV4)
    carries = (int(peer) >> 32) & 0xFFFF_FFFF in ISATAP
    return peer in UNICAST and not carries and not any(peer in network for network in SPECIAL_IPV6)


def _allowance(text: str) -> tuple[str, int]:
    found = _ALLOWANCE.fullmatch(text)
    if found is None:
        raise UnsafeAddressError(f'expected host:port, as in "127.0.0.1:9000" or "[::1]:9000", got {text[:80]!r}')
    return _host(found["host"]), _port(found["port"])


def _host(text: str) -> str:
    """Return a host as it is compared and connected to; raise UnsafeAddressError for what has several readings."""
    lower = text.lower()
    peer = _peer(lower[1:-1] if lower.startswith("[") else lower)
    if peer is not None and (peer.version == 6) is lower.startswith("["):
        return str(peer)
    if _NAME.fullmatch(lower):
        return lower
    raise UnsafeAddressError(
        f"expected a host's name, four numbers, or IPv6 in brackets, got {text[:80]!r}; without a dot at its end, "
        "and numbers without leading zeros"
    )


def _peer(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def _port(text: str) -> int:
    if int(text) > 65_535:
        raise UnsafeAddressError(f"expected a port of 1 to 65535, got {text}")
    return int(text)


def _check_usual(address: Address) -> None:
    """Raise UnsafeAddressError unless an address that no allowance names is asked as everybody asks: TLS, its port."""
    hint = f'or add "{_bracketed(address.host)}:{address.port}" to allow_outgoing'
    if address.scheme != "https":
        raise UnsafeAddressError(f"expected https://, got {address.scheme}:// for {address.host}; use TLS, {hint}")
    if address.port != PORTS["https"]:
        raise UnsafeAddressError(f"expected port 443, got {address.port} of {address.host}; use that, {hint}")
    if _peer(address.host) is not None:
        check_peer(address.host, address.port)
    elif "." not in address.host or address.host.rpartition(".")[2] in HERE_ONLY:
        raise UnsafeAddressError(f"expected a name of the internet, got {address.host}; name another, {hint}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
