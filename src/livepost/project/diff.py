"""Two compiled projects side by side: what is new, changed, renamed and removed in the one that is to come.

In: the project that serves, the one that is to come, and what `was=` says. Out: a `Diff`. Promised: a feature is its
definition, so one that serves already is found under whatever name; an empty diff means the same content hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import msgspec

from livepost.expr import Expr, Field, walk
from livepost.model.compiled import CampaignSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.project.renames import Renames

ChangeKind: TypeAlias = Literal["project", "event", "feature", "segment", "campaign"]
What: TypeAlias = Literal["new", "changed", "renamed", "removed"]
WIDENED = ("int", "float")
"""The one change of a type that older records bear: a whole number is a number too."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that differs. `before` is its name until now, where that was another; `notes` say what it brings."""

    kind: ChangeKind
    what: What
    name: str
    before: str | None = None
    notes: tuple[str, ...] = ()


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would bring.

    carried    what keeps what it remembers under another name: old -> new, by kind ("segment", "campaign")
    history    the features that do not serve yet, each definition once: their history is to be read
    problems   why it cannot be applied
    notes      what is worth knowing and stops nothing
    """

    changes: tuple[Change, ...] = ()
    carried: dict[str, dict[str, str]] = {}
    history: tuple[FeatureSpec, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def diff(serving: Compiled, coming: Compiled, renames: Renames) -> Diff:
    """Return what of `coming` is not as in `serving`."""
    segments = _Carried("segment", serving.segments, coming.segments, renames.segments)
    campaigns = _Carried("campaign", serving.campaigns, coming.campaigns, renames.campaigns)
    changes = (
        *_events(serving, coming),
        *_features(serving, coming, renames.features),
        *_named(segments, serving.segments, coming.segments),
        *_named(campaigns, serving.campaigns, coming.campaigns),
    )
    if not changes and serving.hash() != coming.hash():
        notes = ("its order, its words or its currency: nobody enters or leaves anything by it",)
        changes = (Change(kind="project", what="changed", name=coming.profile, notes=notes),)
    return Diff(
        changes=changes,
        carried={one.kind: one.carried for one in (segments, campaigns) if one.carried},
        history=_to_be_read(serving, coming),
        problems=(*segments.problems, *campaigns.problems, *_retyped(serving, coming)),
        notes=(*segments.notes, *campaigns.notes),
    )


class _Carried:
    """What `was=` carries over of one kind: `carried` is old -> new; a sentence for each that it cannot."""

    def __init__(
        self,
        kind: Literal["segment", "campaign"],
        serving: Iterable[SegmentSpec | CampaignSpec],
        coming: Iterable[SegmentSpec | CampaignSpec],
        renames: Mapping[str, str],
    ) -> None:
        self.kind = kind
        self.carried: dict[str, str] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._serving = {one.name for one in serving}
        self._coming = {one.name for one in coming}
        self._wishes = Counter(renames.values())
        for name, before in renames.items():
            self._carry(name, before)

    def _carry(self, name: str, before: str) -> None:
        if name in self._serving and before not in self._serving:
            self.notes.append(f"{name}: was={before!r} is done with; it may be taken out")
        elif name in self._serving:
            self._refuse(name, f"a {self.kind} that is not there yet to take over from {before!r}, got one that serves")
        elif before not in self._serving:
            known = ", ".join(sorted(self._serving)) or "none"
            self._refuse(name, f"was= to name a {self.kind} that serves ({known}), got {before!r}")
        elif before in self._coming:
            self._refuse(name, f"was= to name a {self.kind} that goes, got {before!r}, which is still declared")
        elif self._wishes[before] > 1:
            self._refuse(name, f"one {self.kind} to be what {before!r} was, got {self._wishes[before]}")
        else:
            self.carried[before] = name

    def _refuse(self, name: str, sentence: str) -> None:
        self.problems.append(f"{name}: expected {sentence}; correct was=, or take it out")


def _named(
    carried: _Carried,
    serving: Iterable[SegmentSpec] | Iterable[CampaignSpec],
    coming: Iterable[SegmentSpec] | Iterable[CampaignSpec],
) -> Iterator[Change]:
    """Yield the changes of segments or campaigns, which are what they are by their names."""
    before = {one.name: one for one in serving}
    former = {new: old for old, new in carried.carried.items()}
    names = set()
    for one in coming:
        names.add(one.name)
        old = before.get(former.get(one.name, one.name))
        same = old is not None and old.version == one.version
        if old is None:
            yield Change(kind=carried.kind, what="new", name=one.name)
        elif one.name in former:
            notes = () if same else ("its definition changes too",)
            yield Change(kind=carried.kind, what="renamed", name=one.name, before=old.name, notes=notes)
        elif not same:
            yield Change(kind=carried.kind, what="changed", name=one.name)
    for name in before:
        if name not in names and name not in carried.carried:
            notes = ("who waits in it gets nothing of it (kill)",) if carried.kind == "campaign" else ()
            yield Change(kind=carried.kind, what="removed", name=name, notes=notes)


def _features(serving: Compiled, coming: Compiled, renames: Mapping[str, str]) -> Iterator[Change]:
    """Yield the changes of features, which are what they are by their versions."""
    before = {one.name: one.version for one in serving.features}
    after = {one.name: one.version for one in coming.features}
    names_of: dict[str, list[str]] = {}
    for name, version in before.items():
        names_of.setdefault(version, []).append(name)
    gone = {name for name in before if name not in after}
    for spec in coming.features:
        if before.get(spec.name) == spec.version:
            continue
        old = next(iter(names_of.get(spec.version, ())), None)
        if old is not None and old in gone:
            yield Change(kind="feature", what="renamed", name=spec.name, before=old)
            gone.discard(old)
            continue
        yield _other_feature(spec, old, renames.get(spec.name), before, _unsaid(spec, serving))
        gone.discard(renames.get(spec.name, ""))
    yield from (Change(kind="feature", what="removed", name=name) for name in before if name in gone)


def _other_feature(
    spec: FeatureSpec, same: str | None, was: str | None, before: Mapping[str, str], unsaid: tuple[str, ...]
) -> Change:
    """Return a feature whose definition is not what served under its name."""
    notes = ("its history is to be read", *unsaid) if same is None else (f"the same as {same}: nothing is to be read",)
    if was in before and spec.name not in before:
        notes = ("with another definition", *notes)
        return Change(kind="feature", what="renamed", name=spec.name, before=was, notes=notes)
    return Change(kind="feature", what="changed" if spec.name in before else "new", name=spec.name, notes=notes)


def _unsaid(spec: FeatureSpec, serving: Compiled) -> tuple[str, ...]:
    """Return what of a feature's history cannot be had: fields that older records hold in another form."""
    known = {event.name: {field.name: field for field in event.fields} for event in serving.events}
    declared = known.get(spec.event, {})
    return tuple(
        f"counts from now on: {name} of {spec.event} was not declared until now, and is sealed in older records"
        for name in sorted(fields_of(spec))
        if "." not in name and name not in declared
    )


def fields_of(spec: FeatureSpec) -> set[str]:
    """Return the names of the fields that a feature reads."""
    where: Expr | None = None if spec.where is None else msgspec.convert(spec.where, Expr)
    read = set() if where is None else {node.name for node in walk(where) if isinstance(node, Field)}
    return read if spec.field is None else read | {spec.field}


def _to_be_read(serving: Compiled, coming: Compiled) -> tuple[FeatureSpec, ...]:
    known = {one.version for one in serving.features}
    new = {one.version: one for one in reversed(coming.features) if one.version not in known}
    return tuple(reversed(new.values()))


def _events(serving: Compiled, coming: Compiled) -> Iterator[Change]:
    before = {one.name: one for one in serving.events}
    after = {one.name: one for one in coming.events}
    for name, event in after.items():
        if name not in before:
            yield Change(kind="event", what="new", name=name)
        elif notes := tuple(_fields(before[name], event)):
            yield Change(kind="event", what="changed", name=name, notes=notes)
    yield from (Change(kind="event", what="removed", name=name) for name in before if name not in after)


def _fields(before: EventSpec, after: EventSpec) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    yield from (f"{name} is declared" for name in new if name not in old)
    yield from (f"{name} is no more declared" for name in old if name not in new)
    yield from (f"{name} is declared otherwise" for name in new if name in old and new[name] != old[name])


def _retyped(serving: Compiled, coming: Compiled) -> Iterator[str]:
    """Yield a sentence for each field that features read and whose type older records do not have."""
    before = {one.name: _by_name(one) for one in serving.events}
    after = {one.name: _by_name(one) for one in coming.events}
    read = {(spec.event, name) for spec in coming.features for name in fields_of(spec)}
    for event, name in sorted(read):
        old, new = before.get(event, {}).get(name), after.get(event, {}).get(name)
        if old is not None and new is not None and not _bears(old, new):
            yield (
                f"{event}: expected {name}, which features read, to stay {old.type}, as the log holds it, got "
                f"{new.type}; declare it under another name, and have clients send that"
            )


def _bears(old: FieldSpec, new: FieldSpec) -> bool:
    return old.personal or new.personal or (old.type, old.item) == (new.type, new.item) or _widened(old, new)


def _widened(old: FieldSpec, new: FieldSpec) -> bool:
    return (old.type, new.type) == WIDENED


def _by_name(event: EventSpec) -> dict[str, FieldSpec]:
    return {field.name: field for field in event.fields}
