"""A person as whoever asks for one purpose may see them: what reaches it, if they allow it.

In: a project's gate, the ledger, a view. Out: the view with less in it. Promised: without a policy, or for a purpose
that it does not name, the question is refused; engine and ledger both have to say that the person allows it.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from livepost.errors import RejectedError
from livepost.ledger.base import Permit
from livepost.model.person import PersonView
from livepost.project.gate import Gate
from livepost.runtime.courier.refusing import Refusals


def purposed(gate: Gate | None, refusals: Refusals, view: PersonView, purpose: str) -> PersonView:
    """Return what of a person may be used for a purpose; raise RejectedError if nothing is promised of it."""
    if gate is None:
        raise RejectedError(
            "this project has no policy.toml, so nothing says what may be used for a purpose; leave `purpose` out, or "
            "write one (docs/reference/policy.md)",
            code="no_policy",
            status=HTTPStatus.CONFLICT,
        )
    declared = gate.policy.purposes.get(purpose)
    if declared is None:
        raise RejectedError(
            f"expected one of the purposes of policy.toml ({', '.join(gate.policy.purposes)}), got another name",
            code="no_purpose",
            status=HTTPStatus.NOT_FOUND,
        )
    if declared.on_consent and not _allows(refusals, view, purpose):
        return msgspec.structs.replace(view, features={}, sealed={}, memberships=(), journeys=())
    return gate.for_purpose(purpose, view)


def _allows(refusals: Refusals, view: PersonView, purpose: str) -> bool:
    refused = any(refusals([Permit(person=view.person, purpose=purpose)]))
    return not refused and view.consents.get(purpose) is True
