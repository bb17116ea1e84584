"""Whether a chain is whole: each link made again, each head held against it.

In: entries as they are stored, heads as they were kept, a public key. Out: what is wrong, the first of each kind.
Promised: nothing but the entries and the heads is needed; nothing of the stored links is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from livepost.audit.chain import first_link, next_link
from livepost.audit.entry import decoded
from livepost.audit.head import Head, is_signed


class Stored(msgspec.Struct, frozen=True):
    """An entry as it is stored."""

    number: int
    body: bytes
    link: bytes


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong, from which entry on."""

    number: int
    wrong: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came out: how many entries and heads were looked at, up to which entry a head vouches, what is wrong."""

    entries: int
    heads: int
    vouched: int
    findings: list[Finding]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify(workspace: str, stored: Iterable[Stored], heads: Sequence[Head], public: bytes) -> Verdict:
    """Return whether the chain is whole and what every head says of it is so."""
    findings = [
        Finding(number=head.number, wrong="a head is not signed by this workspace")
        for head in heads
        if head.workspace != workspace or not is_signed(head, public)
    ]
    sound = [head for head in heads if head.workspace == workspace and is_signed(head, public)]
    vouching: dict[int, set[str]] = {}
    for head in sound:
        vouching.setdefault(head.number, set()).add(head.link)
    link, count = first_link(workspace), 0
    findings += _against(0, link, vouching)
    for one in stored:
        count += 1
        link = next_link(link, count, one.body)
        findings += _broken(one, count, link)
        findings += _against(count, link, vouching)
    vouched = max((number for number in vouching if number <= count), default=0)
    cut = max(vouching, default=0)
    if cut > count:
        findings.append(Finding(number=count + 1, wrong=f"entries are gone: a head was signed at entry {cut}"))
    return Verdict(entries=count, heads=len(heads), vouched=vouched, findings=_first_of_each(findings))


def _broken(one: Stored, number: int, link: bytes) -> list[Finding]:
    """Return what is wrong with an entry that stands at a number, and ought to have a link."""
    if one.number != number:
        return [Finding(number=number, wrong="an entry is gone, or numbers were changed")]
    if one.link != link:
        return [Finding(number=number, wrong="an entry was changed, moved or put in, or one before it was")]
    try:
        decoded(one.body)
    except ValueError:
        return [Finding(number=number, wrong="an entry cannot be read")]
    return []


def _against(number: int, link: bytes, vouching: dict[int, set[str]]) -> list[Finding]:
    said = vouching.get(number, set())
    if said - {link.hex()}:
        return [Finding(number=number, wrong="the chain is another than when a head was signed here")]
    return []


def _first_of_each(findings: Iterable[Finding]) -> list[Finding]:
    """Return the first finding of each kind: behind a break all links differ."""
    first: dict[str, Finding] = {}
    for one in findings:
        first.setdefault(one.wrong, one)
    return sorted(first.values(), key=lambda one: one.number)
