"""Previews of mails in the front, made by the very maker that makes the courier's mails.

In: a campaign and a person's view, from any thread. Out: the mail as it would read now. Promised: nothing is sent,
nothing written; one mail is made at a time, and whoever waits longer than TURN_S for that is told so.

The libraries that make mails take half a second to load, so they are loaded by the first who asks: a front that nobody
asks starts as fast as without.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module

from livepost.deliver.mail import Maker, NotMade, Shown
from livepost.errors import LivepostError, StoreError
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.ids import SUBJECT_BYTES
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder

TURN_S = 5.0
"""How long a preview waits for the one before it; the author's function of that one may be slow."""

CLOSE_S = 1.0
"""How long the end of the process waits for a preview under way."""

MAKING = "livepost.runtime.author.making"
"""The module with `maker_of`, loaded late."""


class Previews:
    """Makes previews for one data folder."""

    def __init__(self, folder: DataFolder, project: Project) -> None:
        """Take folder and project; nothing is loaded or opened yet."""
        self._folder = folder
        self._project = project
        self._turn = threading.Lock()
        self._maker: Maker | None = None
        self._open = contextlib.ExitStack()

    def use(self, project: Project) -> None:
        """Make previews of another project, once the one under way is made."""
        with self._turn:
            self._open.close()
            self._project = project
            self._maker = None

    def of(self, campaign: str, view: PersonView, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person, or why it cannot; of values as `sight` lets them be seen.

        Raises StoreError if no turn comes in time or the vault does not answer.
        """
        with self._alone():
            try:
                self._maker = self._maker or self._load()
            except StoreError:
                raise
            except LivepostError as error:  # a template that cannot be compiled
                return NotMade("render", str(error))
            shown = None if sight is EVERYTHING else shown_in(self._project.compiled, sight)
            return self._maker.preview(supposed(self._project, campaign, view), view, shown)

    def close(self) -> None:
        """Release the vault, unless somebody makes a preview for longer than CLOSE_S: the process ends soon anyway."""
        if self._turn.acquire(timeout=CLOSE_S):
            self._open.close()
            self._maker = None
            self._turn.release()

    def _load(self) -> Maker:
        vault = self._open.enter_context(closing(self._folder.vault(readonly=True)))
        maker: Maker = import_module(MAKING).maker_of(
            self._project, self._folder.settings, self._folder.base_url, vault
        )
        return maker

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=TURN_S):
            raise StoreError(f"expected a turn within {TURN_S:g} s, got none: another preview takes long; ask again")
        try:
            yield
        finally:
            self._turn.release()


def shown_in(compiled: Compiled, sight: Sight) -> Shown:
    """Return how values of a project's personal features are shown: as the fields that they are computed of."""
    classes = {event.name: event.cls for event in compiled.events}
    fields = {one.name: f"{classes.get(one.event, one.event)}.{one.field or ''}" for one in compiled.features}
    return lambda name, value: sight.shown(fields.get(name, name), value)


def supposed(project: Project, campaign: str, view: PersonView) -> Decision:
    """Return the decision that a preview supposes: as if the campaign had decided on this person just now, on the mail
    that a journey under way comes to next.
    """
    steps = (journey.step for journey in view.journeys if journey.campaign == campaign)
    spec = next(one for one in project.compiled.campaigns if one.name == campaign)
    return Decision(
        id=bytes(SUBJECT_BYTES),
        campaign=campaign,
        version=spec.version,
        step=next(steps, 0),
        person=view.person,
        cause=b"",
        cause_text="a preview",
        at=view.as_of,
        position=view.position,
        purpose=spec.purpose,
        class_=spec.class_,
        lane=spec.lane,
    )
