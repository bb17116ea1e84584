"""Where does the CPU of an event that comes in a batch go, within a recorder?

Estimate: an event takes a recorder some 17 us, and no pass more than a third of it; the kernel gives 250 samples a CPU
second, so 400,000 events make some 1,700, and a pass of 1 us is known to a tenth.

    python benchmarks/profile_recorder.py [BATCHES]

takes batches as `batches.py recorder` does, under the timer of `profile_engine.py`. What stands in C (a decoder, a
cipher) counts for the function that called it. Prints, for passes and then for functions alone, the share and the CPU
(us) of an event.
"""

from __future__ import annotations

import argparse

from batches import BATCH, BATCHES, WARM, in_recorder
from profile_engine import FUNCTIONS_SHOWN, Sampler, lines

TIMED = 4_000
"""Batches."""

PASSES = {
    "JSON: the batch cut into calls, each decoded": ("collect/request.py", "intake/call.py"),
    "whom it is about: names, keys": (
        "intake/record.py _people",
        "intake/record.py ids_of",
        "recorder/process.py admit",
        "vault/sqlite.py",
        "vault/recent.py",
    ),
    "what is hashed: canonical JSON": ("intake/record.py _canonical",),
    "content hash: blake2b": ("vault/subject.py keyed_hash",),
    "verdict, and properties by the plan": ("intake/verdict.py", "intake/plan.py", "intake/record.py _judged"),
    "what of the context stands open, facets": ("intake/context.py", "intake/facet.py"),
    "seals: two fields as JSON, their contexts, AES-GCM under the person's key": (
        "intake/seal.py",
        "vault/subject.py seal",
        "vault/nonce.py",
    ),
    "times": ("intake/timestamp.py",),
    "block: columns, event ids, msgpack": ("log/body.py", "model/block.py", "livepost/ids.py"),
}
"""By pass the files, or functions of files, that it is; a function counts before its file."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="CPU of an event in a batch by pass of a recorder")
    parser.add_argument("batches", nargs="?", type=int, default=TIMED)
    rounds = -(-parser.parse_args().batches // BATCHES["recorder"])
    sampler = Sampler(PASSES)
    with in_recorder() as one:
        for _ in range(WARM):
            one()
        sampler.begin()
        event_us = sum(one()["recorder_us"] for _ in range(rounds)) / rounds
        sampler.end()
    events = rounds * BATCHES["recorder"] * BATCH
    print(f"{event_us:.1f} us of CPU an event, of {events:,}\n")
    print(*lines(sampler.phases, event_us, len(PASSES) + 1, "us"), "", sep="\n")
    print(*lines(sampler.functions, event_us, FUNCTIONS_SHOWN, "us"), sep="\n")


if __name__ == "__main__":
    main()
