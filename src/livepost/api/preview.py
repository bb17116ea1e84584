"""Previews over HTTP: the mail that a person would get, as it would read now. Nothing is sent and nothing tracked.

The one answer of the API with a person's own values in the clear: a mail says them.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from msgspec import UNSET, UnsetType

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import NOBODY, TOO_FAR, Id, Name, Position, found_person, require_found
from livepost.audit.deed import Deed, named, people_of
from livepost.deliver.mail import NotMade
from livepost.govern.access.permission import Permission
from livepost.model.decision import reason_words
from livepost.ops.next_mail import next_mail
from livepost.ops.why import CampaignReason, PersonReason


class PreviewAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose mail: a campaign's, or the next one if none is named. `wait` as for a person."""

    id: Id
    campaign: Name | UnsetType = UNSET
    wait: Position = -1


class PreviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it would read at log position `position` and time `as_of` (UTC ms), and where the person stands in it.

    campaign   null for a project without campaigns; then `state` is `none` and there is no mail
    state      `waiting`, the state of the newest delivery, or `none`; `due` (UTC ms) only while waiting
    text       the reason in words, as `why` tells it
    problem    why the mail cannot be made, null if it can; without a mail its fields are empty
    """

    person: str
    position: int
    as_of: int
    campaign: str | None
    state: str
    due: int | None
    text: str
    subject: str
    preheader: str
    html: str
    text_body: str
    problem: str | None


def _preview(house: House, asked: PreviewAsked) -> PreviewAnswer:
    view = found_person(house, asked.id, asked.wait)
    reason = _chosen(house.reasons(view), asked.campaign)
    mail = NotMade("none") if reason is None else house.preview(view, reason.campaign)
    made = None if isinstance(mail, NotMade) else mail
    return PreviewAnswer(
        person=view.person.hex(),
        position=view.position,
        as_of=view.as_of,
        campaign=reason.campaign if reason else None,
        state=reason.state if reason else "none",
        due=reason.due if reason else None,
        text=reason.text if reason else "the project has no campaigns",
        subject=made.subject if made else "",
        preheader=made.preheader if made else "",
        html=made.html if made else "",
        text_body=made.text if made else "",
        problem=reason_words(mail.reason, mail.detail) if reason and isinstance(mail, NotMade) else None,
    )


def _chosen(reasons: PersonReason, campaign: str | UnsetType) -> CampaignReason | None:
    """Return the campaign that is asked for, the next mail's if none is; raise RejectedError (404) for no such one."""
    if campaign is UNSET:
        return next_mail(reasons)
    declared = [one for one in reasons.campaigns if one.declared]
    found = tuple(one for one in declared if one.campaign == campaign)
    require_found(campaign, found, "campaign", [one.campaign for one in declared])
    return found[0]


PREVIEW = Operation(
    path="/api/people/{id}/preview",
    needs=Permission("read", "people"),
    name="preview",
    summary="The mail a person would get, as it would read now",
    asked=PreviewAsked,
    answers=PreviewAnswer,
    run=_preview,
    shows=lambda asked, answer: Deed("preview.read", people_of([answer.person]), named(answer.campaign or "")),
    refusals={HTTPStatus.NOT_FOUND: f"{NOBODY}, or no campaign is called so", HTTPStatus.CONFLICT: TOO_FAR},
)
