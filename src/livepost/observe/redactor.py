"""The second net of what processes say: a stderr on which what has the shape of a personal value or a secret is masked.

In: whatever is written to `sys.stderr`: our own sentences, tracebacks, warnings, what libraries log. Out: the same
lines with addresses, phone numbers, IPs, keys and tokens masked. Promised: the work on a line and what is kept of it
are bounded, however it is written; a line is masked whole, also if it came in pieces. Not promised: names and free
text have no shape, so what says them must not be written at all; that is the first net.
"""

from __future__ import annotations

import io
import ipaddress
import re
import sys
from collections.abc import Callable
from re import Match
from threading import RLock
from typing import Final, TextIO, cast

LINE_MAX = 8192
"""Characters of a line that are looked at and written; the rest is dropped and said to be."""

VALUE_MAX = 400
"""The longest value that is masked whole (a token of a link); as much is taken off where a line is cut."""

DIGITS_MIN = 8
"""Digits of the shortest number that is taken for a phone's; a card's is masked with them."""

EXAMPLES = frozenset(("ada@example.com", "bounces@shop.example", "hello@shop.example", "name@shop.example"))
"""Addresses in our own sentences, which say of what form one is to be; their domains are nobody's (RFC 2606)."""

CUT: Final = "[cut]"

Replacement = str | Callable[[Match[str]], str]


def masked(line: str) -> str:
    """Return a line with what looks personal or secret masked; of a line beyond LINE_MAX what stands before.

    >>> masked("550 no mailbox ann@shop.example (203.0.113.9)")
    '550 no mailbox [address] ([ip])'
    """
    told = line[:LINE_MAX]
    for shape, instead in RULES:
        told = shape.sub(instead, told)
    return told if len(line) <= LINE_MAX else f"{told[:-VALUE_MAX]}{CUT}"


def mask_stderr() -> None:
    """Put a Redactor before this process's stderr, once: for print, tracebacks, warnings and loggers alike."""
    if not isinstance(sys.stderr, Redactor):
        sys.stderr = cast(TextIO, Redactor(sys.stderr))


class Redactor(io.TextIOBase):
    """A text stream before another one: a line goes on as it ends, or as it is flushed."""

    def __init__(self, behind: TextIO) -> None:
        self._behind = behind
        self._lock = RLock()  # a signal's handler may write while its thread does
        self._line = ""

    def write(self, text: str) -> int:
        """Take text, hand on the lines that it ends."""
        with self._lock:
            first, *more = text.split("\n")
            self._keep(first)
            for piece in more:
                self._hand_on("\n")
                self._keep(piece)
            return len(text)

    def flush(self) -> None:
        """Hand on the line under way, too: a prompt does not end its line."""
        with self._lock:
            if self._line:
                self._hand_on("")
            self._behind.flush()

    def isatty(self) -> bool:
        """Say whether a terminal is behind."""
        return self._behind.isatty()

    def fileno(self) -> int:
        """Return the file number of what is behind; what writes there itself is not masked."""
        return self._behind.fileno()

    def writable(self) -> bool:
        """Say yes."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of what is behind."""
        return self._behind.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """Return what is done there with what cannot be encoded."""
        return self._behind.errors

    def _keep(self, piece: str) -> None:
        self._line += piece[: LINE_MAX + 1 - len(self._line)]  # one more than is written, so that a cut is seen

    def _hand_on(self, end: str) -> None:
        line, self._line = self._line, ""
        self._behind.write(masked(line) + end)


def _address(found: Match[str]) -> str:
    return found[0] if found[0] in EXAMPLES else "[address]"


def _ip(found: Match[str]) -> str:
    """Mask an address of a network; of a host to itself it says nothing."""
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else "[ip]"


def _phone(found: Match[str]) -> str:
    digits = sum(letter.isdigit() for letter in found[0])
    return "[phone]" if digits >= DIGITS_MIN else found[0]


_PART: Final = r"[A-Za-z0-9]"
_WORD: Final = r"[A-Za-z0-9._~+/=-]"

RULES: Final[tuple[tuple[re.Pattern[str], Replacement], ...]] = (
    # who is logged in where, in a URL; before addresses, which would take the password for a name
    (re.compile(r"(://)[^\s/@]{1,256}@"), r"\1[secret]@"),
    # what a URL or a path is asked with
    (re.compile(r"((?:://|/)[^\s?\"'<>]{0,1024}\?)[^\s\"'<>]+"), r"\1[query]"),
    # headers, as text and as pairs of bytes
    (
        re.compile(
            r"(?i)((?:authorization|cookie|x-[a-z-]{0,32}(?:key|token|signature))[\"']?\s?[:=,]\s?(?:b(?=[\"']))?[\"']?)"
            r"(?:(?:basic|bearer|digest)\s)?[^\s\"',]+"
        ),
        r"\1[secret]",
    ),
    (re.compile(rf"(?i)\b(basic|bearer)\s(?={_WORD}{{0,400}}[0-9=]){_WORD}{{8,}}"), r"\1 [secret]"),
    (
        re.compile(
            rf"(?i)((?:password|passwd|secret|token|api_?key)(?:=|[\"']?\s?=\s?[\"']|[\"']\s?:\s?[\"'])){_WORD}{{8,}}"
        ),
        r"\1[secret]",
    ),
    # keys of ours, then those of others that say what they are
    (re.compile(rf"(?<!{_PART})lp_[a-z]{{1,16}}_[\w-]{{8,}}"), "[secret]"),
    (re.compile(rf"(?<!{_PART})(?:[sprw]k_|whsec_|re_|xkeysib-|xox[a-z]-)[\w+/=-]{{12,}}"), "[secret]"),
    (re.compile(rf"(?<!{_PART})(?:SG\.[\w.-]{{16,}}|(?:AKIA|ASIA)[A-Z0-9]{{16}}|key-[0-9a-f]{{32}})"), "[secret]"),
    (re.compile(rf"(?<!{_PART})(?:eyJ[\w-]{{8,}}\.[\w-]+\.[\w-]*|[0-9a-f]{{32}}-us[0-9]{{1,3}})"), "[secret]"),
    # the token of a link
    (re.compile(r"(/(?:u|c|o|preferences|confirm|welcome|open|results)/)[\w~.=%-]{16,}"), r"\1[token]"),
    # addresses, plain or as a URL has them, also without a dot and cut off
    (re.compile(r"[^\s@<>\"'(),;:\[\]/]{1,256}(?:@|%40)[^\s@<>\"'(),;:\[\]/]{1,255}"), _address),
    (re.compile(r"\"[^\"\r\n@]{1,64}\"@[^\s@<>\"'(),;:\[\]/]{1,255}"), "[address]"),
    (re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?::?(?:[0-9]{1,3}\.){3}[0-9]{1,3})?"), _ip),
    (re.compile(rf"(?<![\w.])(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?!{_PART}|\.[0-9])"), _ip),
    # with a plus or two noughts, or in three groups or more; a date is none, nor is a plain number
    (re.compile(r"(?<![\w.])(?:\+|00)[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?![0-9])"), _phone),
    (
        re.compile(
            r"(?<![\w.])(?!\d{4}-\d\d-\d\d)\(?0?[0-9]{2,5}\)?[ ./-][0-9]{2,5}(?:[ ./-][0-9]{2,5}){1,3}(?![\w.])"
        ),
        _phone,
    ),
)
"""What is masked and what stands for it, in their order. All take time in the length of a line, times a constant."""
