"""The author's pages that go with the project that serves, kept in the data folder.

In: a project folder whose pages compile to what serves. Out: a copy of them, and the project loaded from it. Promised:
a process that is started while the folder's pages are other ones, or half written, has the functions and templates of
what is applied.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from livepost.errors import ProjectError, StoreError
from livepost.model.compiled import Compiled
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.data.folder import DataFolder
from livepost.settings.policy import FILE_NAME as POLICY

FILES_MAX = 1_000
"""Pages and templates of a project that are kept; one with more is not, and its folder is used as it is."""

TEMPLATES = "templates"


def keep_pages(data: DataFolder, project: Project) -> bool:
    """Keep the pages of a project that serves, in place of those kept before; say whether they were.

    Raises StoreError if they cannot be copied.
    """
    files = list(_pages(project.folder))
    if project.folder == data.pages_folder or len(files) > FILES_MAX:
        return False
    new = data.pages_folder.with_suffix(".new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        for file in files:
            place = new / file.relative_to(project.folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        shutil.rmtree(data.pages_folder, ignore_errors=True)
        new.rename(data.pages_folder)
    except OSError as error:
        raise StoreError(f"the project's pages cannot be kept in {data.pages_folder} ({error})") from error
    return True


def fitting(data: DataFolder, project: Project, serving: Compiled) -> Project:
    """Return the project that serves with the pages that go with it: the folder's, else the ones kept, else, with what
    fits of them, the folder's.
    """
    if project.compiled.hash() == serving.hash():
        return project
    return kept_project(data, serving) or msgspec.structs.replace(project, compiled=serving)


def kept_project(data: DataFolder, serving: Compiled) -> Project | None:
    """Return what serves with the pages kept; None if there are none that go with it."""
    try:
        kept = load_project(data.pages_folder, data.settings, data.speed)
    except ProjectError:
        return None
    return kept if kept.compiled.hash() == serving.hash() else None


def changed_pages(data: DataFolder, home: Path) -> list[str]:
    """Return the pages and templates of the author's folder that are not as those kept, by name; at most FILES_MAX.

    Nothing where none are kept, or the folder cannot be read. Pages are compared as they are written: nothing is
    imported, so a page that says the same in other words is told too.
    """
    if not data.pages_folder.is_dir():
        return []
    try:
        there, kept = _contents(home), _contents(data.pages_folder)
    except OSError:
        return []
    return sorted(name for name in there.keys() | kept.keys() if there.get(name) != kept.get(name))


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in islice(_pages(folder), FILES_MAX)}


def _pages(folder: Path) -> Iterator[Path]:
    """Yield a project's modules, those of packages beside them, its policy, and its templates."""
    yield from sorted(folder.glob("*.py"))
    for package in sorted(folder.glob("*/__init__.py")):
        yield from sorted(package.parent.rglob("*.py"))
    yield from folder.glob(POLICY)
    yield from sorted(path for path in (folder / TEMPLATES).glob("*") if path.is_file())
