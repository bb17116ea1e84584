"""What tells of all that is held on one person why it is, until when, and where it went.

In: a folder, its project. Out: collectors, and stores that are not told by themselves. Promised: every store
that is there and holds something is told of: by what it gives, or by why it gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from livepost.govern.rights.holdings import Elsewhere
from livepost.govern.rights.keeping import Keeping
from livepost.govern.rights.retention import terms_of
from livepost.govern.rights.summary import Summary
from livepost.govern.rights.travel import Names, Travels
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.project.purposes import Purposes
from livepost.runtime.author.governing import given_by
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.rights.retaining import mail_days
from livepost.runtime.rights.stores import NOBODY, STORES, Store
from livepost.settings.policy import STREAM


def collectors(folder: DataFolder, project: Project) -> tuple[Summary, Travels]:
    """Return what collects lines, and where data went, of a folder's things."""
    policy, settings = project.policy, folder.settings
    keeping = Keeping(
        log_days=settings.retention_days,
        mail_days=mail_days(folder, policy),
        terms=terms_of(policy, Purposes(project.compiled, policy)) if policy else None,
    )
    kept = {store.name: store.kept.replace("`", "") for store in STORES}  # a page shows text, not Markdown
    return Summary(project.compiled, policy, kept, keeping), Travels(names_of(folder, project))


def elsewhere(folder: Path, stores: Sequence[Store] = STORES) -> list[Elsewhere]:
    """Return the stores that are there and hold something of people, and give nothing by themselves."""
    return [
        Elsewhere(store=one.name, holds=one.holds, instead=one.instead, kept=one.kept.replace("`", ""))
        for one in stores
        if one.gives is None and one.holds != NOBODY and (folder / one.name).exists()
    ]


def names_of(folder: DataFolder, project: Project) -> Names:
    """Return how what goes out is called: by the policy's names, or by the project's where it has no policy."""
    settings, policy = folder.settings, project.policy
    audiences = {
        (one.name, f"{kind}:{theirs}"): ours
        for one in settings.audiences
        for kind, words in (("list", one.segments), ("value", one.fields))
        for ours, theirs in words.items()
    }
    if policy is None:
        audiences |= {(one.name, f"ident:{one.ident}"): one.ident for one in settings.audiences}
        return Names(mails={}, address="email", feature=str, audiences=audiences, purposes=lambda name: (), listened=())
    purposes = Purposes(project.compiled, policy)
    idents = {"email": purposes.address, "user_id": "user_id"}
    declared = policy.destinations
    return Names(
        mails=_in_mails(folder, project, purposes.feature),
        address=purposes.feature(ADDRESS_FEATURE),
        feature=purposes.feature,
        audiences={
            **{key: purposes.feature(ours) for key, ours in audiences.items()},
            **{(one.name, f"ident:{one.ident}"): idents[one.ident] for one in settings.audiences},
        },
        purposes=lambda name: declared[name].purposes if name in declared else (),
        listened=declared[STREAM].fields if STREAM in declared else (),
    )


def _in_mails(folder: DataFolder, project: Project, named: Callable[[str], str]) -> dict[str, list[str]]:
    given = given_by(project.policy, project.folder, project.declarations, folder.settings)
    found: dict[str, list[str]] = {}
    for mail in given.mails if given else ():
        used: Iterable[str] = given.used(mail) if given else ()
        found.setdefault(mail.campaign, []).extend(map(named, used))
    return found
