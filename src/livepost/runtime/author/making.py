"""What makes a project's mails, put together: for the courier, for previews, for rehearsals.

Apart from them since the libraries of templates are heavy: who only may need it loads it late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from livepost.deliver.mail import Drafts, Maker, Shop
from livepost.deliver.message import From
from livepost.intake.seal import open_value
from livepost.ledger.base import Permit
from livepost.model.decision import Decision
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.project.gate import Gate, gate_of
from livepost.runtime.author.project import Project
from livepost.runtime.author.templates import load_templates
from livepost.settings.settings import Settings
from livepost.vault.base import Vault


class Seals:
    """Opens personal values with the vault's keys."""

    def __init__(self, vault: Vault, workspace: str) -> None:
        self._vault = vault
        self._workspace = workspace

    def open(self, value: SealedValue) -> Any:
        """Return the plain value; raise SealError if its person was forgotten."""
        return open_value(self._vault.keys(value.subject), self._workspace, value)


def maker_of(
    project: Project,
    settings: Settings,
    base_url: str,
    vault: Vault,
    drafts: Drafts | None = None,
    refusals: Callable[[Sequence[Permit]], list[str]] | None = None,
) -> Maker:
    """Return what makes a project's mails, and, with `drafts`, those that programs ask for; with `refusals` (the
    ledger's) mails have a picture by which their opening is seen, where their person allows it.
    """
    gate = gate_of(project.policy, project.compiled)
    shop = Shop(
        sender=From(settings.shop_name, settings.sender),
        name=settings.shop_name,
        address=settings.shop_address,
        public_url=base_url,
        bounces=settings.bounces,
        opens=settings.opens,
    )
    return Maker(
        shop,
        project,
        load_templates(project.folder),
        Seals(vault, settings.workspace),
        vault.secret,
        drafts,
        refusals,
        seeing(gate) if gate else None,
    )


def seeing(gate: Gate) -> Callable[[Decision, PersonView], PersonView]:
    """Return what gives a person as a decision's mail may speak of them."""
    return lambda decision, view: gate.for_purpose(decision.purpose, view)
