"""Metrics in the text format that Prometheus reads (version 0.0.4 of the exposition format).

In: families of samples. Out: text. Promised: names and labels are those given, values of labels are escaped; a
histogram's buckets add up, and its last one has all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from livepost.observe.latencies import Latencies

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

EDGES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper edges of the buckets of a histogram of seconds."""


class Sample(msgspec.Struct, frozen=True):
    """A value, of what its labels say; `suffix` is what a histogram's parts are called behind its name."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A metric: its name with its unit last, what it counts in a sentence, its samples."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Sequence[Sample]


def histogram(name: str, help: str, counts: Mapping[int, int]) -> Family:
    """Return a histogram of seconds from one of milliseconds (`observe.latencies`); its sum is up to 5 % too large."""
    sizes = Latencies(counts).sizes()
    buckets = [
        Sample(sum(count for ms, count in sizes if ms <= edge * 1_000), {"le": _number(edge)}, "_bucket")
        for edge in EDGES_S
    ]
    total = sum(count for _, count in sizes)
    told = [
        *buckets,
        Sample(total, {"le": "+Inf"}, "_bucket"),
        Sample(sum(ms * count for ms, count in sizes) / 1_000, {}, "_sum"),
        Sample(total, {}, "_count"),
    ]
    return Family(name=name, kind="histogram", help=help, samples=told)


def exposition(families: Iterable[Family]) -> str:
    r"""Return families as Prometheus reads them; one without samples is left out.

    >>> told = Family(name="mails", kind="gauge", help="Mails.", samples=[Sample(2, {"state": 'a"b'})])
    >>> print(exposition([told]), end="")
    # HELP mails Mails.
    # TYPE mails gauge
    mails{state="a\"b"} 2
    """
    lines = [line for family in families if family.samples for line in _lines(family)]
    return "".join(f"{line}\n" for line in lines)


def _lines(family: Family) -> list[str]:
    told = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    samples = [f"{family.name}{one.suffix}{_labels(one.labels)} {_number(one.value)}" for one in family.samples]
    return [f"# HELP {family.name} {told}", f"# TYPE {family.name} {family.kind}", *samples]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
