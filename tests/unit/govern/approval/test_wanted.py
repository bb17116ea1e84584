from __future__ import annotations

from livepost.govern.approval.wanted import destroying_of, export_of

ADA, BOB = bytes(range(16)), bytes(16)


def test_one_hash_stands_for_one_wish() -> None:
    hashes = [
        export_of([ADA]).hash,
        export_of([BOB]).hash,
        export_of([ADA, BOB]).hash,
        destroying_of([ADA.hex()]).hash,
        destroying_of([ADA.hex(), BOB.hex()]).hash,
    ]
    assert len(set(hashes)) == len(hashes)
    assert export_of([ADA, BOB]) == export_of([BOB, ADA])
    assert destroying_of(["x", "y"]) == destroying_of(["y", "x"])


def test_it_is_said_in_sentences_what_is_done_to_whom() -> None:
    assert ADA.hex() in export_of([ADA]).told[0]
    assert export_of([ADA]).people == (ADA,)
    assert destroying_of(["x", "y"]).told[:2] == (
        "Destroy the retired key-encryption key x.",
        "Destroy the retired key-encryption key y.",
    )
