"""`why` over a data folder: find the person, gather what the stores know, have it put into words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import msgspec

from livepost.errors import StoreError
from livepost.ids import SUBJECT_BYTES
from livepost.log.base import LogReader, Position
from livepost.model.person import PersonView
from livepost.ops.behind import EVENTS_MAX, Letters, counted
from livepost.ops.evidence import Evidence, gather
from livepost.ops.search import Bounds, search
from livepost.ops.why import CampaignReason, PersonReason, SegmentReason, why, why_person
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, SubjectKeys, Vault

PATIENT = Bounds(records=20_000_000, seconds=5.0)
"""How far a command searches the log: whoever typed it waits."""


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


def named_subject(vault: Vault, name: str, keys: Sequence[str]) -> bytes | None:
    """Return the id of the subject that one of these ids, or its own id in hex, names; None if the text is no id."""
    found = subject_of(vault, name, keys)
    return found.subject if found is not None else id_in_hex(name)


def named_person(vault: Vault, engine: Engine, name: str, keys: Sequence[str], at_least: int = -1) -> PersonView | None:
    """Return the person whom one of these ids, or a subject's id in hex, names, as of position `at_least` or later.

    None if nobody is known by it. Raises StoreError if the engine does not answer or does not get so far in time.
    """
    subject = named_subject(vault, name, keys)
    return engine.people([subject], at_least).get(subject) if subject else None


def person_of(vault: Vault, engine: Engine, name: str, keys: Sequence[str]) -> PersonView:
    """Return the person whom one of these ids names; raise StoreError if nobody is known by it."""
    view = named_person(vault, engine, name, keys)
    if view is None:
        ids = ", ".join(("a userId", *keys, "an email address"))
        raise StoreError(f"nobody is known as {name!r}: expected {ids} or an anonymousId")
    return view


def with_records(evidence: Evidence, log: LogReader, engine: Letters, bounds: Bounds | None = None) -> Evidence:
    """Return what is known of a person with the events that count, as far as the log is searched.

    Raises StoreError if log or engine do not answer.
    """
    view = evidence.view
    upto = Position(view.position, view.as_of)
    found = search(log, view.subjects, EVENTS_MAX, upto=upto, bounds=bounds)
    return msgspec.structs.replace(evidence, counted=counted(found, log, engine))


def reasons_for(
    folder: DataFolder,
    project: Project,
    name: str,
    about: str | None,
    seen: Callable[[PersonView], object] = lambda view: None,
) -> PersonReason | CampaignReason | SegmentReason:
    """Return why a person did or did not get a campaign's mail, is or is not in a segment, or all of it; `seen`
    is told first whom it is about.

    Raises StoreError if nobody is known by that name, ProjectError if there is no such campaign or segment.
    """
    with (
        closing(folder.vault(readonly=True)) as vault,
        closing(folder.ledger()) as ledger,
        closing(folder.log_reader()) as log,
        engine_of(folder, project) as engine,
    ):
        person = person_of(vault, engine, name, project.compiled.keys())
        seen(person)
        evidence = with_records(gather(person, ledger, engine), log, engine, PATIENT)
        return why_person(project.compiled, evidence) if about is None else why(project.compiled, about, evidence)
