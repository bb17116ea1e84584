"""`why` over a data folder: find the person, gather what the stores know, have it put into words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from livepost.errors import StoreError
from livepost.ids import SUBJECT_BYTES
from livepost.model.person import PersonView
from livepost.ops.evidence import gather
from livepost.ops.why import CampaignReason, PersonReason, SegmentReason, why, why_person
from livepost.runtime.asking import Engine, engine_of
from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, SubjectKeys, Vault


def subject_of(vault: Vault, name: str, keys: Sequence[str]) -> SubjectKeys | None:
    """Return the subject of a userId, else of one of the declared `keys`, of an email address, of an anonymousId; None
    if none is known.
    """
    found = (vault.find(ExternalId(kind, name)) for kind in (USER, *keys, EMAIL, ANONYMOUS))
    return next((keys for keys in found if keys is not None), None)


def id_in_hex(text: str) -> bytes | None:
    """Return the 16-byte id (a subject's, a decision's) that a text in hex is, None if it is none."""
    try:
        id = bytes.fromhex(text)
    except ValueError:
        return None
    return id if len(id) == SUBJECT_BYTES else None


def named_person(vault: Vault, engine: Engine, name: str, keys: Sequence[str], at_least: int = -1) -> PersonView | None:
    """Return the person whom one of these ids, or a subject's id in hex, names, as of position `at_least` or later.

    None if nobody is known by it. Raises StoreError if the engine does not answer or does not get so far in time.
    """
    found = subject_of(vault, name, keys)
    subject = found.subject if found is not None else id_in_hex(name)
    return engine.people([subject], at_least).get(subject) if subject else None


def person_of(vault: Vault, engine: Engine, name: str, keys: Sequence[str]) -> PersonView:
    """Return the person whom one of these ids names; raise StoreError if nobody is known by it."""
    view = named_person(vault, engine, name, keys)
    if view is None:
        ids = ", ".join(("a userId", *keys, "an email address"))
        raise StoreError(f"nobody is known as {name!r}: expected {ids} or an anonymousId")
    return view


def reasons_for(
    folder: DataFolder, project: Project, name: str, about: str | None
) -> PersonReason | CampaignReason | SegmentReason:
    """Return why a person did or did not get a campaign's mail, is or is not in a segment, or all of it.

    Raises StoreError if nobody is known by that name, ProjectError if there is no such campaign or segment.
    """
    with (
        closing(folder.vault(readonly=True)) as vault,
        closing(folder.ledger()) as ledger,
        engine_of(folder, project) as engine,
    ):
        evidence = gather(person_of(vault, engine, name, project.compiled.keys()), ledger, engine)
        return why_person(project.compiled, evidence) if about is None else why(project.compiled, about, evidence)
