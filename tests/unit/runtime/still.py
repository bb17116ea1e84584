"""A house without processes: the stores of a data folder, filled and worked by hand."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from importlib.resources import files
from pathlib import Path
from typing import Any

from livepost.clock import WallClock
from livepost.deliver.courier import Courier, report, send_due, take_over
from livepost.deliver.keep import Keep
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.log.base import LogReader
from livepost.model.record import Appended, KeyKind
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.courier.process import LoggedOutcomes
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.sweep import pace_of
from livepost.runtime.engine.worker import Worker
from livepost.settings.load import load
from livepost.state.base import StateStore

STARTER = files("livepost.project") / "starter"
MARKETING = {"consent": {"categoryPreferences": {"marketing": True}}}


def make_project(folder: Path, **changes: str) -> Path:
    """Write the starter's project with a campaign that mails at once and holds nobody out; `changes` to its page."""
    page = (STARTER / "shop.py").read_text().replace("wait=hours(2), ", "").replace(", holdout=0.05", "")
    for old, new in changes.items():
        assert old in page
        page = page.replace(old, new)
    (folder / "templates").mkdir(parents=True)
    (folder / "shop.py").write_text(page)
    (folder / "livepost.toml").write_text((STARTER / "livepost.toml").read_text())
    template = STARTER / "templates" / "browse_reminder.mjml"
    (folder / "templates" / "browse_reminder.mjml").write_text(template.read_text())
    return folder


def swept(project: Path) -> Path:
    """Let the project's people be swept behind the commits."""
    with (project / "livepost.toml").open("a") as settings:
        settings.write('\nstate_rows = "sweep"\n')
    return project


def ada(message_id: str = "ada-1") -> dict[str, Any]:
    """Return the call that makes Ada known, with an address and her consent."""
    traits = {"email": "ada@example.com", "firstName": "Ada"}
    return {"type": "identify", "userId": "ada", "messageId": message_id, "traits": traits, "context": MARKETING}


def look(product: str, person: str = "ada") -> dict[str, Any]:
    """Return the call that tells of a look at a product."""
    told = {"event": "Product Viewed", "properties": {"productId": product}}
    return {"type": "track", "userId": person, "messageId": f"{person}-{product}", **told}


THREE_LOOKS = (look("green-tea"), look("black-tea"), look("oolong"))


class StillHouse:
    """One data folder: `take` calls as a server's, then `work` until engine and courier are at rest."""

    def __init__(self, project: Path) -> None:
        self.folder = DataFolder(load(project, {}).settings)
        self.folder.prepare()
        self.project: Project = load_project(project, self.folder.settings)

    def take(self, *calls: dict[str, Any]) -> Appended:
        """Append calls to the log as the collector does."""
        with closing(self.folder.log()) as log, closing(self.folder.vault(readonly=False)) as vault:
            plan = TrackingPlan(self.project.compiled, self.folder.settings.undeclared)
            intake = Intake(Stores(log, vault), plan, workspace=self.folder.settings.workspace)
            arrival = Arrival(source="server", key=KeyKind.SECRET, received_at=WallClock().now_ms())
            return intake.take([read_call(json.dumps(call).encode()) for call in calls], arrival)

    def engine_works(self) -> None:
        """Let the engine work off the log."""
        with (
            closing(self.folder.log_reader()) as log,
            closing(self.folder.state()) as state,
            closing(self._worker(state, log)) as worker,
        ):
            while worker.turn():
                pass

    def work(self) -> None:
        """Let the engine work off the log and the courier send what it decided."""
        settings = self.folder.settings
        with ExitStack() as opened:
            log = opened.enter_context(closing(self.folder.log()))
            vault = opened.enter_context(closing(self.folder.vault(readonly=True)))
            state = opened.enter_context(closing(self.folder.state()))
            ledger = opened.enter_context(closing(self.folder.ledger()))
            keep = opened.enter_context(closing(Keep(self.folder.mailbox, vault, settings.workspace)))
            worker = opened.enter_context(closing(self._worker(state, log)))
            courier = Courier(
                engine=worker,
                ledger=ledger,
                maker=maker_of(self.project, settings, self.folder.base_url, vault, ledger),
                sender=keep,
                blind=lambda address: vault.blind("suppression", address),
                outcomes=LoggedOutcomes(vault, lambda records: log.append(records) and None),
                clock=WallClock(),
            )
            busy = True
            while busy:
                busy = worker.turn()
                take_over(courier)
                busy = send_due(courier).claimed > 0 or busy
                busy = report(courier) > 0 or busy

    def _worker(self, state: StateStore, log: LogReader) -> Worker:
        folder = self.folder
        images, pace = folder.images, pace_of(folder.settings)
        workspace = folder.settings.workspace
        return Worker(self.project.compiled, state, log, WallClock(), workspace, images=images, pace=pace)
