"""Which mail a person gets next, out of the reasons for all campaigns.

In: a person's reasons (`ops.why`). Out: the one campaign that people ask about first. Promised: nothing is decided and
no words are made here.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.ops.why import CampaignReason, PersonReason, SegmentReason


def next_mail(reasons: PersonReason) -> CampaignReason | None:
    """Return the campaign of a person's next mail; None for a project without campaigns.

    The journey under way that is due first; else the mail decided last, whatever became of it; else the campaign whose
    audience the person is nearest to, by the share of the condition's comparisons that hold. Of equals the first.
    """
    campaigns = [one for one in reasons.campaigns if one.declared]
    waiting = [one for one in campaigns if one.due is not None]
    if waiting:
        return min(waiting, key=_due)
    decided = [one for one in campaigns if one.mails]
    if decided:
        return max(decided, key=lambda one: one.mails[0].at)
    return max(campaigns, key=lambda one: _nearness(one, reasons.segments), default=None)


def _due(one: CampaignReason) -> int:
    assert one.due is not None
    return one.due


def _nearness(one: CampaignReason, segments: Sequence[SegmentReason]) -> float:
    terms = [term for segment in segments if segment.segment == one.audience for term in segment.terms]
    return sum(term.holds for term in terms) / len(terms) if terms else 0.0
