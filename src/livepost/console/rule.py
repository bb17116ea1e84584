"""A campaign's rules as people read them, a phrase each, from the compiled project."""

from __future__ import annotations

from livepost.console.words import counted, duration
from livepost.model.compiled import CampaignSpec


def rules(spec: CampaignSpec) -> list[str]:
    """Return what starts a campaign, what ends it, and what a mail needs, in the order of a journey."""
    return [
        _begins(spec),
        _waits(spec.wait_ms, spec.at) or "a mail at once",
        *(f"then {step.name}: {_waits(step.wait_ms, step.at)}" for step in spec.steps),
        *_hours(spec),
        *_ends(spec),
        *_limits(spec),
        f"marketing: needs consent for {spec.purpose}"
        if spec.class_ == "marketing"
        else f"{spec.class_}: needs no consent; purpose {spec.purpose}",
        _again(spec),
    ]


def _begins(spec: CampaignSpec) -> str:
    if spec.broadcast:
        return f"begins when it is broadcast, for everybody in {spec.audience}"
    if spec.audience is not None:
        return f"begins when a person enters {spec.audience}"
    return f"begins with {spec.on}{', so that `where` holds' if spec.where is not None else ''}"


def _waits(wait_ms: int, at: int | None) -> str:
    """Return what a mail waits for; "" for nothing."""
    waits = f"waits {duration(wait_ms)}" if wait_ms else ""
    if at is None:
        return waits
    return (
        f"{waits}, until {_time(at)} where the person is" if waits else f"waits until {_time(at)} where the person is"
    )


def _hours(spec: CampaignSpec) -> list[str]:
    quiet = spec.quiet
    return [f"not from {_time(quiet.start)} to {_time(quiet.end)} where the person is"] if quiet is not None else []


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _ends(spec: CampaignSpec) -> list[str]:
    left = [f"leaving {spec.audience}"] if spec.audience is not None and spec.exit else []
    causes = [*spec.until, *left]
    return [f"ends without a mail by {' or '.join(causes)}"] if causes else []


def _limits(spec: CampaignSpec) -> list[str]:
    cap = spec.cap
    capped = [f"at most {counted(cap.times, 'mail', 'mails')} in {duration(cap.per_ms)} a person"] if cap else []
    capped += [
        f"at most {counted(cap.times, 'mail', 'mails')} of all campaigns in {duration(cap.per_ms)} a person"
        for cap in spec.overall
    ]
    capped += [f"priority {spec.priority}"] if spec.priority else []
    return [*capped, *([f"{spec.holdout * 100:g} % are held out"] if spec.holdout else [])]


def _again(spec: CampaignSpec) -> str:
    if spec.reentry_ms is None:
        return "once ever for a person"
    if spec.reentry_ms:
        return f"again {duration(spec.reentry_ms)} after the last entry at the earliest"
    return "again as often as it begins, once at a time"
