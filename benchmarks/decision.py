"""How long does it take to decide whether somebody may do something, and how they see a person's values?

Estimate before measuring: Cedar parses nothing (policies and entities are parsed once) and looks at about thirty
policies, 1 us each, beside making its request of JSON: 30 to 60 us. A decision depends on role, action and kind only,
so a house asks Cedar once for each and then looks into a dictionary: below 1 us. The gate is 100 us of CPU time: at the
median where Cedar is asked, which a house does once a case, and at the 99th percentile for what each request pays.

Run: python benchmarks/decision.py [--decisions N]. Out: JSON; exit 1 if the gate does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from livepost.bench.machine import machine
from livepost.govern.access.permission import KINDS, VERBS, Permission
from livepost.govern.access.rules import load_rules
from livepost.model.principal import ROLES, Principal

GATE_US = 100.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000)
    decisions = parser.parse_args().decisions
    rules = load_rules(None, bytes(32))
    people = [Principal(by="user:1", role=role) for role in ROLES]
    needs = [Permission(verb, kind) for verb in VERBS for kind in KINDS]
    cases = list(itertools.islice(itertools.cycle(itertools.product(people, needs)), decisions))
    found = {
        "asked of Cedar": _us([partial(rules.decide, who.role, to.verb, "Kind", to.kind) for who, to in cases]),
        "known": _us([partial(rules.may, who, to) for who, to in cases]),
        "a person's sight": _us([partial(rules.sight, who) for who, _ in cases]),
    }
    paid = [found["asked of Cedar"]["p50"], found["known"]["p99"], found["a person's sight"]["p99"]]
    holds = max(paid) <= GATE_US
    here = msgspec.to_builtins(machine(Path(tempfile.gettempdir())))
    told = {"cpu_us": found, "gate_us": GATE_US, "holds": holds, "machine": here}
    print(json.dumps(told, indent=2))
    return 0 if holds else 1


def _us(works: list[Callable[[], object]]) -> dict[str, float]:
    """Return percentiles of how long each work takes, in microseconds of CPU time."""
    taken = []
    for work in works:
        before = time.thread_time_ns()
        work()
        taken.append((time.thread_time_ns() - before) / 1000)
    taken.sort()
    return {f"p{part}": round(taken[len(taken) * part // 100], 2) for part in (50, 99)}


if __name__ == "__main__":
    sys.exit(main())
