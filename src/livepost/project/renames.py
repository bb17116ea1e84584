"""What a project says was renamed: the words `was=` of its features, segments and campaigns.

They are no part of the compiled project: taking one out after the change changes nothing.
"""

from __future__ import annotations

import msgspec

from livepost.project.declarations import Declarations
from livepost.project.profile import features_of, segments_of


class Renames(msgspec.Struct, frozen=True, kw_only=True):
    """New name -> the name before, by kind."""

    features: dict[str, str] = {}
    segments: dict[str, str] = {}
    campaigns: dict[str, str] = {}


def renames_of(project: Declarations) -> Renames:
    """Return what `was=` says in a project's declarations."""
    features = {name: feature.definition.was for name, feature in features_of(project.profile).items()}
    segments = {name: segment.was for name, segment in segments_of(project.profile).items()}
    campaigns = {campaign.name: campaign.rules.was for campaign in project.campaigns}
    return Renames(features=_said(features), segments=_said(segments), campaigns=_said(campaigns))


def _said(names: dict[str, str | None]) -> dict[str, str]:
    return {name: before for name, before in names.items() if before is not None}
