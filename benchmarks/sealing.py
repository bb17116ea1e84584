"""What share of a collected event's CPU goes into sealing its personal values?

Estimate: an event of `livepost bench collect` has two sealed fields; AES-GCM under a key that is at hand takes 1 to 2
us each with its nonce and its context, of the 17 us that a recorder takes for the event: a fifth. Gate: at most 25 %.

    python benchmarks/sealing.py [ROUNDS]

One process takes the same batches as a recorder does (`batches.py recorder`), round for round in turn with what it does
for good, and with what would do without seals; who is first alternates. Two ways without: `clear` keeps the values as
JSON, as they would stand unsealed; `dropped` does not even write them. The front's work on the event, which seals
nothing, is left out, so that the share of all that collecting takes is smaller than what is printed. Prints JSON: the
median CPU (us) of an event each way, and the shares, medians of the rounds' ratios; exits with 1 beyond the gate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from batches import WARM, in_recorder

from livepost.bench.machine import machine
from livepost.intake.seal import Sealer
from livepost.vault.base import SubjectKeys

GATE = 0.25
ROUNDS = 20

_encode = msgspec.json.Encoder().encode
SealAll = Callable[[Sealer, Sequence[SubjectKeys], Sequence[str], Sequence[dict[str, Any]]], list[dict[str, bytes]]]


def clear(
    self: Sealer, keys: Sequence[SubjectKeys], message_ids: Sequence[str], fields: Sequence[dict[str, Any]]
) -> list[dict[str, bytes]]:
    """Return each field's value as JSON, in the place of its seal."""
    return [{field: _encode(value) for field, value in one.items()} for one in fields]


def dropped(
    self: Sealer, keys: Sequence[SubjectKeys], message_ids: Sequence[str], fields: Sequence[dict[str, Any]]
) -> list[dict[str, bytes]]:
    """Return nothing for each."""
    return [{} for _ in fields]


SEALED = Sealer.seal_all
WAYS: dict[str, SealAll] = {"sealed": SEALED, "clear": clear, "dropped": dropped}


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Yield what says how many fields were sealed within: a way that seals nothing has to show."""
    count = 0

    def seal_all(self: Sealer, keys: Any, message_ids: Any, fields: Any) -> list[dict[str, bytes]]:
        nonlocal count
        count += sum(map(len, fields))
        return SEALED(self, keys, message_ids, fields)

    with patch.object(Sealer, "seal_all", seal_all):
        yield lambda: count


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="the share of sealing in a collected event's CPU")
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with in_recorder() as one:
        with counting() as fields:
            one()
        for _ in range(WARM):
            one()
        taken = [_turns(one, number) for number in range(rounds)]
    shares = {way: [1 - took[way] / took["sealed"] for took in taken] for way in ("clear", "dropped")}
    told = {
        "question": __doc__.partition("\n")[0] if __doc__ else "",
        "machine": msgspec.to_builtins(machine(Path(tempfile.gettempdir()))),
        "rounds": rounds,
        "fields_sealed_a_round": fields(),
        "event_us": {way: round(statistics.median(took[way] for took in taken), 2) for way in WAYS},
        "share": {way: [round(one, 3) for one in statistics.quantiles(each, n=4)] for way, each in shares.items()},
        "gate": GATE,
    }
    json.dump(told, sys.stdout, indent=2)
    print()
    if not fields():
        sys.exit("expected fields to be sealed, got none: nothing was measured")
    sys.exit(statistics.median(shares["clear"]) > GATE)


def _turns(one: Callable[[], dict[str, float]], number: int) -> dict[str, float]:
    """Take a round each way; return the CPU (us) of an event of each."""
    names = [*WAYS]
    names = names[number % 3 :] + names[: number % 3]
    took = {}
    for name in names:
        with patch.object(Sealer, "seal_all", WAYS[name]):
            took[name] = one()["recorder_us"]
    return took


if __name__ == "__main__":
    main()
