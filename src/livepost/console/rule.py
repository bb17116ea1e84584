"""A campaign's rules as people read them, a phrase each, from the compiled project."""

from __future__ import annotations

from livepost.console.words import counted, duration
from livepost.model.compiled import CampaignSpec


def rules(spec: CampaignSpec) -> list[str]:
    """Return what starts a campaign, what ends it, and what a mail needs, in the order of a journey."""
    return [
        _begins(spec),
        f"waits {duration(spec.wait_ms)}" if spec.wait_ms else "a mail at once",
        *_ends(spec),
        *_limits(spec),
        f"marketing: needs consent for {spec.purpose}"
        if spec.class_ == "marketing"
        else f"{spec.class_}: needs no consent; purpose {spec.purpose}",
        _again(spec),
    ]


def _begins(spec: CampaignSpec) -> str:
    if spec.audience is not None:
        return f"begins when a person enters {spec.audience}"
    return f"begins with {spec.on}{', so that `where` holds' if spec.where is not None else ''}"


def _ends(spec: CampaignSpec) -> list[str]:
    left = [f"leaving {spec.audience}"] if spec.audience is not None and spec.exit else []
    causes = [*spec.until, *left]
    return [f"ends without a mail by {' or '.join(causes)}"] if causes else []


def _limits(spec: CampaignSpec) -> list[str]:
    cap = spec.cap
    capped = [f"at most {counted(cap.times, 'mail', 'mails')} in {duration(cap.per_ms)} a person"] if cap else []
    return [*capped, *([f"{spec.holdout * 100:g} % are held out"] if spec.holdout else [])]


def _again(spec: CampaignSpec) -> str:
    if spec.reentry_ms is None:
        return "once ever for a person"
    if spec.reentry_ms:
        return f"again {duration(spec.reentry_ms)} after the last entry at the earliest"
    return "again as often as it begins, once at a time"
