"""The courier's pages after a change: those of the project that serves, before its first decision is a mail."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from livepost.deliver.mail import Maker
from livepost.errors import StoreError
from livepost.model.change import Definitions
from livepost.model.compiled import Compiled
from livepost.model.lateness import Lateness
from livepost.model.told import Status
from livepost.render.template import TemplateError
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.courier.process import Author
from tests.unit.runtime.still import StillHouse, make_project


class Engine:
    """An engine that computes with a project, or is not there."""

    def __init__(self, serving: Compiled) -> None:
        self.serving: Compiled | None = serving

    def status(self) -> Status:
        if self.serving is None:
            raise StoreError("no answer")
        return Status(
            position=0,
            as_of=0,
            complete_to=0,
            next_due=None,
            people=0,
            transitions=0,
            program=self.serving.hash(),
            counts={},
            lateness=Lateness(),
            freshness={},
        )

    def definitions(self) -> Definitions:
        assert self.serving is not None
        return Definitions(serving=self.serving)


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    return StillHouse(make_project(tmp_path / "shop"))


def edited(house: StillHouse, old: str, new: str) -> Compiled:
    page = house.project.folder / "shop.py"
    page.write_text(page.read_text().replace(old, new))
    return load_project(house.project.folder, house.folder.settings, anew=True).compiled


def test_the_pages_follow_the_engine_and_not_the_folder(house: StillHouse) -> None:
    made: list[Project] = []

    def make(project: Project) -> Maker:
        made.append(project)
        return maker_of(project, house.folder.settings, "http://localhost", vault)

    with closing(house.folder.vault(readonly=True)) as vault:
        engine = Engine(house.project.compiled)
        author = Author(house.folder, house.project, house.project.folder, engine, make)
        first = author.maker
        coming = edited(house, "Still thinking", "Still hungry")
        changed = edited(house, ">= 3", ">= 4")
        author.follow()
        assert author.maker is first  # edited, and not applied
        engine.serving = None
        author.follow()
        assert author.maker is first  # nobody to ask
        engine.serving = changed
        author.follow()
        author.follow()
        assert (len(made), made[-1].compiled) == (2, changed)
        assert made[-1].declarations is not house.project.declarations
        assert coming.hash() == house.project.compiled.hash()  # what a mail says is no definition


def test_templates_that_cannot_be_compiled_leave_the_mails_as_they_were(house: StillHouse) -> None:
    def make(project: Project) -> Maker:
        if project is not house.project:
            raise TemplateError("a tag is not closed", template="browse_reminder")
        return maker

    with closing(house.folder.vault(readonly=True)) as vault:
        maker = maker_of(house.project, house.folder.settings, "http://localhost", vault)
        engine = Engine(house.project.compiled)
        author = Author(house.folder, house.project, house.project.folder, engine, make)
        engine.serving = edited(house, ">= 3", ">= 4")
        author.follow()
        assert author.maker is maker
