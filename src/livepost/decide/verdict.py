"""Whether a due mail is to be sent: the first reason against it, in the order of the list below, or none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from livepost.ids import digest
from livepost.model.choice import TOPIC
from livepost.model.compiled import CampaignSpec
from livepost.model.journal import Journal, Memory, standing
from livepost.model.moment import Moment

_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"))


@dataclass(frozen=True)
class Verdict:
    """`skip` is a reason of model.decision.REASONS, or "" for sending; `detail` says it with its numbers."""

    skip: str = ""
    detail: str = ""


_SEND = Verdict()


def judge(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict:
    """Return the verdict on a due mail: consent, then topic, then holdout, then caps, then stale."""
    for check in (_consent, _topic, _holdout, _cap, _overall, _stale):
        verdict = check(spec, person, book, memory, moment)
        if verdict is not None:
            return verdict
    return _SEND


def spoken(ms: int) -> str:
    """Return a duration as people say it, in its largest whole unit.

    >>> spoken(7 * 86_400_000), spoken(5_400_000), spoken(3_600_000)
    ('7 days', '90 minutes', '1 hour')
    """
    for unit, word in _UNITS:
        if ms >= unit and ms % unit == 0:
            return f"{ms // unit} {word}{'s' if ms != unit else ''}"
    return f"{ms / 1000:g} seconds"


def _consent(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    if spec.class_ == "transactional":
        return None
    said = standing(book.consents).get(spec.purpose)
    if said is not None and said.allowed:
        return None
    return _no_consent(spec.purpose, "never given" if said is None else "withdrawn or refused")


@lru_cache
def _no_consent(purpose: str, why: str) -> Verdict:
    return Verdict("consent", f"{purpose}: {why}")


def _topic(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    if not spec.topic or spec.class_ == "transactional":
        return None
    said = book.consents.get(TOPIC + spec.topic)
    return None if said is None or said.allowed else _switched_off(spec.topic)


@lru_cache
def _switched_off(topic: str) -> Verdict:
    return Verdict("topic", topic)


def _holdout(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    """Draw once, at the first exposure, and keep to it: `hash(campaign, subject)` only draws (FORMATS)."""
    if memory.held_out is None:
        memory.held_out = (moment.at, spec.holdout > 0 and _drawn(spec, person) < spec.holdout * 2**64)
    return Verdict("holdout", f"one of {spec.holdout:.0%} left out") if memory.held_out[1] else None


def _drawn(spec: CampaignSpec, person: bytes) -> int:
    return int.from_bytes(digest(spec.name, person, size=8), "big")


def _cap(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    if spec.cap is None:
        return None
    lately = sum(moment.at - at < spec.cap.per_ms for at in memory.decided)
    if lately < spec.cap.times:
        return None
    return Verdict("cap", f"{lately} of {spec.cap.times} in {spoken(spec.cap.per_ms)}")


def _overall(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    for cap in spec.overall:
        lately = sum(moment.at - at < cap.per_ms for at in book.decided)
        if lately >= cap.times:
            return Verdict("cap", f"{lately} of {cap.times} of all campaigns in {spoken(cap.per_ms)}")
    return None


def _stale(spec: CampaignSpec, person: bytes, book: Journal, memory: Memory, moment: Moment) -> Verdict | None:
    if moment.lateness_ms <= spec.fresh_ms:
        return None
    return Verdict("stale", f"due {spoken(moment.lateness_ms)} before it could be decided")
