"""Hypothesis strategies for logs in which the project changes: CUT, SEED and READY at any place.

Out: a `Case` whose records hold 1-3 changes, each with the history of its new features (computed here, record by
record), with seeds told twice, of another run or out of turn, and now and then given up for the next change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from livepost.engine.tiles import window_of
from livepost.model.change import Cut, Ready, Seed
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec, Tree
from livepost.model.record import Kind, Record
from tests.oracle.naive import Naive
from tests.oracle.values import feeds, field_of
from tests.properties.generators import (
    Case,
    Dice,
    any_campaign,
    any_condition,
    any_feature,
    any_log,
    any_project,
    version_of,
)

Blocks = list[list[Record]]


@st.composite
def changing_cases(draw: st.DrawFn) -> Case:
    """Return cases: the project that serves first, and a log in which others come."""
    dice = Dice(draw)
    first = by_definition(any_project(dice))
    return changing(dice, first, any_log(dice, first))


def changing(dice: Dice, first: Compiled, blocks: Blocks) -> Case:
    """Return a case in which other projects come while this log of the first does."""
    project, at = first, 0
    for number in range(dice.pick((1, 2, 3))):
        coming, carried = changed_project(dice, project, number)
        cut = Cut(run=f"{number:016x}", hash=coming.hash(), coming=coming, carried=carried)
        at, is_ready = with_change(dice, blocks, at, project, cut)
        project = coming if is_ready else project
    return Case(first, numbered(blocks))


def by_definition(compiled: Compiled) -> Compiled:
    """Return a project whose features have versions without their names in it."""
    return msgspec.structs.replace(compiled, features=tuple(map(with_version, compiled.features)))


def with_version(spec: FeatureSpec) -> FeatureSpec:
    """Return a feature whose version is that of its definition."""
    bare = msgspec.structs.replace(spec, name="", version="")
    return msgspec.structs.replace(spec, version=version_of(msgspec.to_builtins(bare)))


# --- projects that come ---------------------------------------------------------------------------


def changed_project(dice: Dice, before: Compiled, number: int) -> tuple[Compiled, dict[str, dict[str, str]]]:
    """Return a project that is to come, and what its `was=` say."""
    kept = {f.name: f.name if dice.pick((True, True, False)) else f"{f.name}r{number}" for f in before.features}
    kept = {old: new for old, new in kept.items() if not dice.chance(4)}
    old = [msgspec.structs.replace(f, name=kept[f.name]) for f in before.features if f.name in kept]
    new = [any_feature(dice, f"g{number}{place}", before.events) for place in range(dice.pick((1, 2, 0)))]
    redefined = [any_feature(dice, name, before.events) for name in kept.values() if dice.chance(6)]
    by_name = {f.name: f for f in [*old, *new, *redefined]} or {"g": any_feature(dice, "g", before.events)}
    features = tuple(map(with_version, by_name.values()))
    segments, renamed_segments = changed_segments(dice, before, features, kept, number)
    campaigns, renamed = [], {}
    names = {old: new for new, old in ((s.name, renamed_segments.get(s.name, s.name)) for s in segments)}
    for spec in before.campaigns:
        if dice.chance(4) or (spec.audience and spec.audience not in names):
            continue
        name = spec.name if dice.pick((True, True, False)) else f"{spec.name}r{number}"
        if name != spec.name and dice.pick((True, True, False)):
            renamed[spec.name] = name
        audience = names[spec.audience] if spec.audience else None
        wait = spec.wait_ms if dice.pick((True, False)) else dice.pick((0, 3_600_000))
        campaigns.append(
            msgspec.structs.replace(spec, name=name, audience=audience, wait_ms=wait, version=f"v{number}")
        )
    if dice.chance(3) or not campaigns:
        campaigns.append(any_campaign(dice, f"d{number}", before.events, segments))
    carried = {"segment": {old: new for new, old in renamed_segments.items()}, "campaign": renamed}
    coming = msgspec.structs.replace(before, features=features, segments=tuple(segments), campaigns=tuple(campaigns))
    return coming, {kind: names for kind, names in carried.items() if names}


def changed_segments(
    dice: Dice, before: Compiled, features: tuple[FeatureSpec, ...], kept: dict[str, str], number: int
) -> tuple[list[SegmentSpec], dict[str, str]]:
    """Return the segments that are to come, in another order perhaps, and which were renamed: new -> old name."""
    segments: list[SegmentSpec] = []
    renamed: dict[str, str] = {}
    stays: dict[str, str] = {}
    old = {each.name: each.version for each in before.features}
    new = {each.name: each.version for each in features}
    for spec in before.segments:
        if dice.chance(5):
            continue
        lost = any(old[name] != new.get(kept.get(name, "")) for name in names_in(spec.condition, "feature"))
        lost = lost or any(name not in stays for name in names_in(spec.condition, "segment"))
        condition = renamed_in(spec.condition, {"feature": kept, "segment": stays})
        if lost or dice.chance(3):
            condition = any_condition(dice, features, list(stays.values()))
        name = spec.name if dice.pick((True, True, False)) else f"{spec.name}r{number}"
        stays[spec.name] = name
        if name != spec.name and dice.pick((True, True, False)):
            renamed[name] = spec.name
        segments.append(SegmentSpec(name=name, condition=condition, version=version_of(condition)))
    if dice.chance(2) or not segments:
        condition = any_condition(dice, features, [])
        name = f"t{number}" if "t" in stays.values() else "t"  # so that a name comes again
        segments.insert(0, SegmentSpec(name=name, condition=condition, version=version_of(condition)))
    return segments, renamed


def names_in(tree: Tree, kind: str) -> Iterator[str]:
    """Yield the names of the features, or of the segments, in a condition."""
    if tree["type"] == kind:
        yield tree["name"]
    for part in tree.values():
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, dict):
                yield from names_in(each, kind)


def renamed_in(tree: Any, names: dict[str, dict[str, str]]) -> Any:
    """Return a condition with features and segments called by other names."""
    if isinstance(tree, list):
        return [renamed_in(part, names) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("type") in names:
        return {**tree, "name": names[tree["type"]].get(tree["name"], tree["name"])}
    return {key: renamed_in(part, names) for key, part in tree.items()}


# --- control records ------------------------------------------------------------------------------


def with_change(dice: Dice, blocks: Blocks, after: int, serving: Compiled, cut: Cut) -> tuple[int, bool]:
    """Put a change into a log behind its first `after` blocks; return behind how many it ends, and whether so."""
    at = put(dice, blocks, after, Kind.CUT, cut)
    seeds = list(seeds_of(serving, cut, [record for block in blocks[:at] for record in block]))
    if dice.chance(6):
        seeds = seeds[: len(seeds) // 2]
    for seed in seeds:
        if dice.chance(4):
            stray = msgspec.structs.replace(seed, **dice.pick(({"run": "f" * 16}, {"number": seed.number + 1})))
            at = put(dice, blocks, at, Kind.SEED, stray)
        at = put(dice, blocks, at, Kind.SEED, seed)
        if dice.chance(4):
            at = put(dice, blocks, at, Kind.SEED, seed)
    if dice.chance(5):
        return at, False
    if dice.chance(5):
        at = put(dice, blocks, at, Kind.READY, Ready(run="f" * 16))
    return put(dice, blocks, at, Kind.READY, Ready(run=cut.run)), True


def put(dice: Dice, blocks: Blocks, after: int, kind: Kind, payload: Cut | Seed | Ready) -> int:
    """Put a control record into a log behind its first `after` blocks or later; return behind how many it is."""
    place = after + dice.pick(range(min(len(blocks) - after, 6) + 1)) if after < len(blocks) else after
    before = blocks[place - 1][0].stamp if place else blocks[0][0].stamp
    behind = blocks[place][0].stamp if place < len(blocks) else before + dice.pick((0, 1, 3_600_000, 86_400_000))
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(payload))
    stamp = dice.pick((before, behind, (before + behind) // 2))
    blocks.insert(place, [Record(kind=kind, control=told, effective_ts=stamp, stamp=stamp)])
    return place + 1


def numbered(blocks: Blocks) -> Blocks:
    """Return a log with its seqs given anew."""
    seq = 0
    for block in blocks:
        for place, record in enumerate(block):
            block[place] = msgspec.structs.replace(record, seq=seq)
            seq += 1
    return blocks


# --- history --------------------------------------------------------------------------------------


def seeds_of(serving: Compiled, cut: Cut, records: list[Record]) -> Iterator[Seed]:
    """Yield the history of the new features over the records before the cut, one subject a seed."""
    known = {each.version for each in serving.features}
    number = 0
    naive = Naive(serving, records, "")
    events = [record for record in records if record.kind == Kind.EVENT]
    counted = [record for record in events if naive.ending(record) == ("processed", "")]
    for spec in {each.version: each for each in cut.coming.features if each.version not in known}.values():
        fed: dict[bytes, list[Record]] = {}
        for record in counted:
            if feeds(spec, record):
                fed.setdefault(record.subject, []).append(record)
        for subject, some in sorted(fed.items()):
            yield Seed(run=cut.run, number=number, feature=spec.version, people=[(subject, state_of(spec, some))])
            number += 1


def state_of(spec: FeatureSpec, fed: list[Record]) -> Any:
    """Return what records leave of a feature, as model/change.py has it."""
    window = window_of(spec)

    def tile(record: Record) -> int:
        return 0 if window is None else int(window.tile(record.effective_ts)) // 1000

    if spec.kind in ("count", "exists", "total", "mean"):
        sums: dict[str, Counter[int]] = {"total": Counter(), "count": Counter()}
        for record in fed:
            value = field_of(record, spec.field) if spec.field else 0
            value = value[0] if isinstance(value, list) else value
            sums["total"][tile(record)] += round(value * 1_000_000) if isinstance(value, float) else int(value)
            sums["count"][tile(record)] += 1
        wanted = {"total": ("total",), "mean": ("total", "count")}.get(spec.kind, ("count",))
        return {name: sorted(sums[name].items()) for name in wanted}
    if spec.kind == "since" and window is None:
        return max(record.effective_ts for record in fed)
    if spec.kind in ("top", "distinct"):
        found = Counter((tile(record), field_of(record, spec.field or "")) for record in fed)
        return [(start, value, count) for (start, value), count in found.items()]
    return [(r.effective_ts, r.message_id, field_of(r, spec.field) if spec.field else True) for r in fed]
