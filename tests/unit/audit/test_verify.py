"""S3: whatever is done to the entries is found against heads that were kept elsewhere; without heads a chain that was
made again from the change on is not, which is why they are kept.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from livepost.audit.chain import first_link, next_link
from livepost.audit.entry import Entry, encoded
from livepost.audit.head import Head, Signer
from livepost.audit.verify import Stored, Verdict, verify

SIGNER = Signer(bytes(32))
ENTRIES = 40
Tampering = Callable[[list[Stored], random.Random], list[Stored]]


def body(number: int) -> bytes:
    return encoded(Entry(at=number, by="key:server", did="person.read", subjects=(number.to_bytes(16, "big"),)))


def linked(bodies: list[bytes]) -> list[Stored]:
    """Return a chain over bodies, as whoever can write the file can make it."""
    link, chain = first_link("shop"), []
    for number, one in enumerate(bodies, 1):
        link = next_link(link, number, one)
        chain.append(Stored(number, one, link))
    return chain


def head(chain: list[Stored], number: int) -> Head:
    link = chain[number - 1].link if number else first_link("shop")
    return SIGNER.signed(Head(workspace="shop", number=number, link=link.hex(), at=number))


WHOLE = linked([body(number) for number in range(ENTRIES)])
HEADS = [head(WHOLE, number) for number in (0, 7, 20, ENTRIES)]


def judged(chain: list[Stored], heads: list[Head] = HEADS) -> Verdict:
    return verify("shop", chain, heads, SIGNER.public)


def edited(chain: list[Stored], draw: random.Random) -> list[Stored]:
    place = draw.randrange(len(chain))
    chain[place] = msgspec.structs.replace(chain[place], body=body(1_000 + place))
    return chain


def deleted(chain: list[Stored], draw: random.Random) -> list[Stored]:
    del chain[draw.randrange(len(chain) - 1)]
    return chain


def swapped(chain: list[Stored], draw: random.Random) -> list[Stored]:
    one, other = draw.sample(range(len(chain)), 2)
    first, second = chain[one], chain[other]
    chain[one] = msgspec.structs.replace(second, number=first.number)
    chain[other] = msgspec.structs.replace(first, number=second.number)
    return chain


def put_in(chain: list[Stored], draw: random.Random) -> list[Stored]:
    chain.insert(draw.randrange(len(chain)), Stored(0, body(2_000), bytes(32)))
    return chain


def cut(chain: list[Stored], draw: random.Random) -> list[Stored]:
    return chain[: draw.randrange(len(chain))]


TAMPERINGS: list[Tampering] = [edited, deleted, swapped, put_in, cut]


def test_a_whole_chain_holds_and_heads_say_how_far_they_vouch() -> None:
    assert judged(list(WHOLE)) == Verdict(entries=ENTRIES, heads=4, vouched=ENTRIES, findings=[])
    assert judged(WHOLE[:30], HEADS[:3]) == Verdict(entries=30, heads=3, vouched=20, findings=[])
    assert judged([], HEADS[:1]).holds


@pytest.mark.parametrize("tampering", TAMPERINGS)
@pytest.mark.parametrize("cover", ["as it is", "links made again"])
def test_every_tampering_is_found_also_where_all_links_were_made_again(tampering: Tampering, cover: str) -> None:
    found = 0
    for seed in range(200):
        chain = tampering(list(WHOLE), random.Random(seed))
        if cover == "links made again":
            chain = linked([one.body for one in chain])
        found += not judged(chain).holds
    assert found == 200


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_without_heads_a_chain_that_was_made_again_shows_nothing(tampering: Tampering) -> None:
    chain = linked([one.body for one in tampering(list(WHOLE), random.Random(1))])
    assert judged(chain, []).holds


def test_what_lies_behind_the_last_head_can_be_cut_and_that_is_said() -> None:
    verdict = judged(WHOLE[:25], HEADS[:3])
    assert (verdict.holds, verdict.vouched, verdict.entries) == (True, 20, 25)


def test_a_finding_says_from_which_entry_on() -> None:
    chain = list(WHOLE)
    chain[11] = msgspec.structs.replace(chain[11], body=body(99))
    assert [(one.number, one.wrong.split(",")[0]) for one in judged(chain).findings] == [
        (12, "an entry was changed"),
        (20, "the chain is another than when a head was signed here"),
    ]
    assert judged(WHOLE[:30]).findings[-1].wrong == f"entries are gone: a head was signed at entry {ENTRIES}"


def test_heads_of_others_and_heads_that_were_changed_are_said_and_vouch_for_nothing() -> None:
    forged = Signer(b"x" * 32).signed(HEADS[1])
    other = SIGNER.signed(msgspec.structs.replace(HEADS[1], workspace="another"))
    for wrong in (forged, other, msgspec.structs.replace(HEADS[1], number=8)):
        verdict = judged(list(WHOLE), [wrong])
        assert (verdict.holds, verdict.vouched) == (False, 0)


def test_bytes_that_are_no_entry_are_found() -> None:
    assert judged(linked([b"hello"]), []).findings[0].wrong == "an entry cannot be read"
