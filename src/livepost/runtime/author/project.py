"""Load a project folder: import `shop.py`, compile it. Who makes mails loads its templates (`templates.py`)."""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from livepost.errors import ProjectError, SettingsError
from livepost.model.compiled import CapSpec, Compiled
from livepost.model.decision import Decision
from livepost.model.message import EmailDraft
from livepost.model.person import PersonView
from livepost.project.compiled import Sending, compile_project
from livepost.project.declarations import Declarations, collect
from livepost.project.hours import Quiet, quiet_hours
from livepost.settings.policy import FILE_NAME, Policy, load_policy, policy_in_force
from livepost.settings.settings import Settings

MODULE = "shop"


class Project(msgspec.Struct, frozen=True):
    """A project ready to run, all but its templates; `policy` is None where nothing is promised about its data."""

    folder: Path
    declarations: Declarations
    compiled: Compiled
    policy: Policy | None = None

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        """Return what the campaign's function wants to say to a person."""
        currency = self.compiled.currency
        return self.declarations.draft(decision.campaign, person, opened, currency=currency, step=decision.step)


def load_project(folder: Path, settings: Settings, speed: float = 1.0, *, anew: bool = False) -> Project:
    """Return the project in a folder; raise ProjectError with the place of what is wrong.

    Its policy is the one in force, which is not the folder's while a second person has to approve that. `speed` is that
    of the workspace's clock: `fresh` is multiplied by it, since it is meant in real time. `anew` reads
    the folder's pages once more, where they were imported before.
    """
    declarations = collect(vars(import_anew(folder) if anew else import_shop(folder)))
    fresh = timedelta(milliseconds=settings.fresh_ms)
    compiled = compile_project(declarations, currency=settings.currency, fresh=fresh, sending=sending_of(settings))
    with _told_of(folder):
        policy = policy_in_force(folder, settings.data_folder)
    return Project(folder, declarations, _stretched(compiled, speed), policy)


def policy_of(folder: Path) -> Policy | None:
    """Return what a folder's `policy.toml` promises, None if there is none; raise ProjectError if it does not fit."""
    with _told_of(folder):
        return load_policy(folder)


def sending_of(settings: Settings) -> Sending:
    """Return what the settings say of all campaigns."""
    start, _, end = settings.quiet_hours.partition("-")
    return Sending(
        zone=settings.zone,
        quiet=quiet_hours(Quiet(start, end)) if settings.quiet_hours else None,
        caps=tuple(CapSpec(times, per_ms) for times, per_ms in settings.caps_ms),
    )


def import_shop(folder: Path) -> ModuleType:
    """Import the folder's `shop.py` under the name `shop`, anew if another folder's was imported before."""
    path = (folder / f"{MODULE}.py").resolve()
    if not path.exists():
        raise ProjectError(f"expected {MODULE}.py in {folder}, found none; `livepost init DIR` makes a project")
    before = sys.modules.get(MODULE)
    if before is not None and before.__file__ == str(path):
        return before
    sys.modules.pop(MODULE, None)
    importlib.invalidate_caches()
    sys.path.insert(0, str(path.parent))
    try:
        with _no_bytecode():
            return importlib.import_module(MODULE)
    except ProjectError:
        raise
    except Exception as error:  # an author's module may raise anything
        said = f"{type(error).__name__}: {error}"
        raise ProjectError(f"{MODULE}.py cannot be imported: {said}", _where(error, str(path))) from error
    finally:
        sys.path.remove(str(path.parent))


def import_anew(folder: Path) -> ModuleType:
    """Import the folder's `shop.py` and the modules beside it as they are now; what is in use of the old ones stays.

    Where they cannot be imported, the old ones stay whole.
    """
    inside = folder.resolve()
    before = Path(getattr(sys.modules.get(MODULE), "__file__", None) or inside / MODULE).parent
    old = {
        name: module
        for name, module in sys.modules.items()
        if _is_page(module, inside) or _is_page(module, before)  # of another folder, with modules beside it
    }
    for name in old:
        del sys.modules[name]
    try:
        return import_shop(folder)
    except BaseException:
        for name in [name for name, module in sys.modules.items() if _is_page(module, inside)]:
            del sys.modules[name]
        sys.modules.update(old)
        raise


def served(project: Project, home: Path, serving: Compiled, settings: Settings, speed: float) -> Project:
    """Return the project that serves, with the pages in `home`, the author's folder, if they compile to it now.

    Where they do not (they were changed once more, or are broken), the campaigns' functions stay those of `project`.
    """
    with contextlib.suppress(ProjectError):
        now = load_project(home, settings, speed, anew=True)
        if now.compiled.hash() == serving.hash():
            return now
    return msgspec.structs.replace(project, compiled=serving)


@contextlib.contextmanager
def _told_of(folder: Path) -> Iterator[None]:
    """Say of what is refused that it is in a project's page."""
    try:
        yield
    except SettingsError as error:
        raise ProjectError(str(error), str(folder / FILE_NAME)) from error


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Keep none of what is imported: Python tells a page from an older one by its length and the second it was written
    in, and an edit may leave both as they were.
    """
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _is_page(module: ModuleType, folder: Path) -> bool:
    """Say whether a module is one of the author's: in the folder, and not of an environment in there."""
    place = getattr(module, "__file__", None)
    if place is None or not (path := Path(place)).is_relative_to(folder):
        return False
    return "site-packages" not in path.relative_to(folder).parts


def _where(error: Exception, page: str) -> str:
    """Return `file:line` of the page's own line that brought an error, or the page where none did."""
    if isinstance(error, SyntaxError) and error.filename == page:
        return f"{page}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == page]
    return f"{page}:{lines[-1]}" if lines else page


def _stretched(compiled: Compiled, speed: float) -> Compiled:
    if speed == 1.0:
        return compiled
    campaigns = tuple(
        msgspec.structs.replace(campaign, fresh_ms=int(campaign.fresh_ms * speed)) for campaign in compiled.campaigns
    )
    return msgspec.structs.replace(compiled, campaigns=campaigns)
