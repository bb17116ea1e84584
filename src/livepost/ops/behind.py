"""The records behind a value: which of a person's events a feature is made of, the newest first.

In: what was found of the person in the log (`counted`), a feature, a moment. Out: records with open values. Promised: a
record that was set aside, came again, or left the window is not among them; no seal is opened; at most SHOWN records a
feature, and it is said how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from livepost.clock import DAY_MS
from livepost.engine.seen import REMEMBERED_DAYS
from livepost.engine.tiles import window_of
from livepost.expr import Expr, Field, walk
from livepost.expr.evaluate import holds
from livepost.log.base import LogReader
from livepost.model.compiled import FeatureSpec
from livepost.model.letter import Letter
from livepost.model.record import KeyKind, Origin, Record, Verdict
from livepost.ops.search import Searched

SHOWN = 5
"""Records told of a feature; of the others, how many they are."""

FIELDS_MAX = 6
"""Open values told of a record where the feature reads none."""

VALUE_CHARS = 80
"""Characters of a value in words."""

EVENTS_MAX = 2_000
"""Events of one person looked at, about."""

LETTERS_AT_ONCE = 100

MICRO = 1_000_000
"""Floats are added as integers of a millionth."""


class RecordBehind(msgspec.Struct, frozen=True, kw_only=True):
    """A record: where it stands in the log, when it happened (UTC ms) and was taken in (`stamp`), and open values.

    `sealed` names the field that the feature reads, if it is personal: what it says is not told.
    """

    position: int
    at: int
    stamp: int
    event: str
    origin: str
    values: dict[str, Any] = {}
    sealed: str = ""

    def __str__(self) -> str:
        """Return it as people read it."""
        said = [f"{name} {_cut(value)}" for name, value in self.values.items()]
        said += [f"{self.sealed} sealed"] if self.sealed else []
        said += [f"by {self.origin}"] if self.origin != "live" else []
        late = self.stamp - self.at
        said += [f"taken in {late // 1_000:,} s later"] if late >= DAY_MS else []
        return ", ".join([f"{_time(self.at)}  {self.event} (record {self.position:,})", *said])


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature's value is made of.

    records   the newest first, at most SHOWN; `more` of that kind are not told
    others    feed the feature too, and do not decide its value: older ones of a `latest`, say
    value     what it was then, where that is not the answer's moment and all records are known; `was` says it in words
    """

    feature: str
    records: tuple[RecordBehind, ...]
    more: int = 0
    others: int = 0
    value: Any | UnsetType = UNSET
    was: str = ""

    @property
    def said(self) -> str:
        """The feature, with the value of then if it is known."""
        return f"{self.feature} {self.was}" if self.was else self.feature

    def __str__(self) -> str:
        """Return it as indented lines."""
        count = len(self.records) + self.more
        others = f", {self.others:,} more do not decide it" if self.others else ""
        lines = [f"         {self.said}: {count:,} {'record' if count == 1 else 'records'}{others}"]
        lines += [f"           {one}" for one in self.records]
        lines += [f"           and {self.more:,} more"] if self.more else []
        return "\n".join(lines)


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A person's events that count, as far as the log was searched, the oldest first; `reach` says how far it was, and
    `whole` whether these are all there ever were.
    """

    records: list[Record]
    reach: str
    whole: bool = False


class Letters(Protocol):
    """The engine, as far as it tells of dead letters."""

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with seq > `after`, in order."""
        ...


def counted(searched: Searched, log: LogReader, engine: Letters) -> Counted:
    """Return what counts of what was found; raises StoreError if log or engine do not answer."""
    accepted = [one for one in reversed(searched.events) if one.verdict is Verdict.ACCEPTED]
    aside = set_aside([one.seq for one in accepted], engine)
    records = list(_once(one for one in accepted if one.seq not in aside))
    first = log.first()
    return Counted(records=records, reach=_reach(searched, first), whole=searched.whole and first == 0)


def set_aside(positions: Sequence[int], engine: Letters) -> set[int]:
    """Return those of these positions, in order, at which a dead letter is: late ones, and those with a taken id."""
    found: set[int] = set()
    asked = -1
    for position in positions:
        if position <= asked:
            continue
        letters = engine.dead(position - 1, LETTERS_AT_ONCE)
        found.update(letter.position for letter in letters)
        if len(letters) < LETTERS_AT_ONCE:
            break
        asked = letters[-1].position
    return found.intersection(positions)


def behind(spec: FeatureSpec, records: Iterable[Record], at: int) -> Behind:
    """Return what a feature's value at T = `at` (ms) is made of, over the records folded by then."""
    fed = _fed(spec, records, at)
    deciding = sorted(_deciding(spec, fed), key=lambda one: (one.effective_ts, one.seq), reverse=True)
    return Behind(
        feature=spec.name,
        records=tuple(_told(spec, one) for one in deciding[:SHOWN]),
        more=max(len(deciding) - SHOWN, 0),
        others=len(fed) - len(deciding),
    )


def value_over(spec: FeatureSpec, records: Iterable[Record], at: int) -> Any:
    """Return a feature's value at T = `at` (ms) over the records folded by then, money as [minor units, currency].

    None for never, and for what cannot be told: a personal value, or too many different ones.
    """
    fed = _fed(spec, records, at)
    if spec.kind in ("count", "exists"):
        return len(fed) if spec.kind == "count" else bool(fed)
    if spec.kind == "since":
        return at - max(one.effective_ts for one in fed) if fed else None
    if spec.personal:
        return None
    values = [_value(one, spec.field or "") for one in (fed if spec.kind in _OVER_ALL else _deciding(spec, fed))]
    if spec.kind in _OVER_ALL:
        return _OVER_ALL[spec.kind](spec, values)
    return values if spec.kind == "recent" else next(iter(values), None)


def told(record: Record) -> RecordBehind:
    """Return a record with its open values."""
    values = dict(list(record.properties.items())[:FIELDS_MAX])
    return _with(record, values)


def folded_by(records: Iterable[Record], at: int, position: int) -> Iterator[Record]:
    """Yield the records that were folded when something happened at T = `at` (ms) and at a position.

    At a due time the record at its position is not folded yet: then that one was taken in later.
    """
    return (one for one in records if one.seq < position or (one.seq == position and one.stamp == at))


def of_then(records: Sequence[Record], person: bytes) -> list[Record]:
    """Return those of the records folded by some moment that were then the person's whom a subject named: subjects that
    were linked only later had a person of their own.
    """
    group, before = {person}, 0
    while len(group) > before:
        before = len(group)
        for one in records:
            linked = {one.subject, *(mention.subject for mention in one.mentions)}
            group |= linked if linked & group else set()
    return [one for one in records if one.subject in group]


def _fed(spec: FeatureSpec, records: Iterable[Record], at: int) -> list[Record]:
    where, window = _where(spec), window_of(spec)
    oldest = None if window is None else window.oldest(at)
    return [
        one
        for one in records
        if _feeds(spec, where, one) and one.effective_ts <= at and (oldest is None or one.effective_ts >= oldest)
    ]


def _total(spec: FeatureSpec, values: list[Any]) -> Any:
    amounts = [_amount(value) for value in values]
    total = sum(amounts)
    if any(isinstance(one, float) for one in amounts):
        total = sum(round(one * MICRO) for one in amounts) / MICRO
    return [total, values[0][1]] if values and isinstance(values[0], list | tuple) else total


def _mean(spec: FeatureSpec, values: list[Any]) -> float | None:
    return _amount(_total(spec, values)) / len(values) if values else None


def _distinct(spec: FeatureSpec, values: list[Any]) -> int | None:
    different = len({_amount(value) for value in values})
    return different if different <= spec.told_apart else None


def _top(spec: FeatureSpec, values: list[Any]) -> list[Any] | None:
    counts = Counter(map(_amount, values))
    return sorted(counts, key=lambda one: (-counts[one], one))[: spec.n] if len(counts) <= spec.told_apart else None


_OVER_ALL: dict[str, Callable[[FeatureSpec, list[Any]], Any]] = {
    "total": _total,
    "mean": _mean,
    "distinct": _distinct,
    "top": _top,
}
"""The words whose value is made of all records' fields (docs/reference/semantics.md)."""


def _where(spec: FeatureSpec) -> Expr | None:
    return None if spec.where is None else msgspec.convert(spec.where, Expr)


def _feeds(spec: FeatureSpec, where: Expr | None, record: Record) -> bool:
    return (
        record.name == spec.event
        and (not spec.secret_only or record.key is KeyKind.SECRET)
        and (spec.field is None or _has(record, spec))
        and (where is None or holds(where, record.properties | record.facets))
    )


def _has(record: Record, spec: FeatureSpec) -> bool:
    assert spec.field is not None
    if spec.personal:
        return spec.field in record.sealed
    return _value(record, spec.field) is not None


def _value(record: Record, field: str) -> Any:
    return record.facets.get(field) if "." in field else record.properties.get(field)


def _deciding(spec: FeatureSpec, fed: list[Record]) -> list[Record]:
    """Return those of the records that feed a feature of which its value is made."""
    match spec.kind:
        case "latest":
            return sorted(fed, key=_moment)[-1:]
        case "first":
            return sorted(fed, key=_moment)[:1]
        case "since":
            newest = max((one.effective_ts for one in fed), default=0)
            return [one for one in fed if one.effective_ts == newest]
        case "recent":
            return sorted(fed, key=lambda one: (-one.effective_ts, one.message_id))[: spec.n]
        case "minimum" | "maximum":
            return _extreme(min if spec.kind == "minimum" else max, spec.field or "", fed)
    return fed


def _extreme(choose: Callable[[Iterable[Any]], Any], field: str, fed: list[Record]) -> list[Record]:
    amounts = [_amount(_value(one, field)) for one in fed]
    extreme = choose(amounts) if amounts else None
    return [one for one, amount in zip(fed, amounts, strict=True) if amount == extreme]


def _amount(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) else value  # money: its minor units


def _moment(record: Record) -> tuple[int, str]:
    return record.effective_ts, record.message_id


def _told(spec: FeatureSpec, record: Record) -> RecordBehind:
    read = [spec.field] if spec.field else []
    where = _where(spec)
    read += [part.name for part in walk(where) if isinstance(part, Field)] if where is not None else []
    if not read:
        return told(record)
    values = {name: value for name in dict.fromkeys(read) if (value := _value(record, name)) is not None}
    return _with(record, values, sealed=spec.field or "" if spec.personal else "")


def _with(record: Record, values: dict[str, Any], sealed: str = "") -> RecordBehind:
    return RecordBehind(
        position=record.seq,
        at=record.effective_ts,
        stamp=record.stamp,
        event=record.name,
        origin=Origin(record.origin).name.lower(),
        values=values,
        sealed=sealed,
    )


def _once(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, in log order, without those that came again while their id was remembered."""
    remembered: dict[tuple[str, str], int] = {}
    for one in records:
        day, id = one.stamp // DAY_MS, (one.source, one.message_id)
        if id not in remembered or day - remembered[id] > REMEMBERED_DAYS:
            remembered[id] = day
            yield one


def _reach(searched: Searched, first: int) -> str:
    if not searched.whole:
        return (
            f"the log was searched back to record {searched.oldest.seq:,}, {_time(searched.oldest.stamp)}; older "
            "records may be behind it too"
        )
    return f"retention has dropped what came before record {first:,}" if first else "the whole log was searched"


def _cut(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= VALUE_CHARS else f"{said[:VALUE_CHARS]}..."


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
