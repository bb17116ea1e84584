"""The author's pages that go with what serves: what processes run while the folder's are other ones."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from livepost.runtime.author.project import Project, load_project
from livepost.runtime.data import kept_pages
from livepost.runtime.data.kept_pages import changed_pages, fitting, keep_pages, kept_project
from tests.unit.runtime.still import StillHouse, make_project


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    return StillHouse(make_project(tmp_path / "shop"))


def edited(house: StillHouse, old: str = ">= 3", new: str = ">= 4") -> Project:
    """Return the folder's project after an edit of its page."""
    page = house.project.folder / "shop.py"
    page.write_text(page.read_text().replace(old, new))
    return load_project(house.project.folder, house.folder.settings, anew=True)


def test_the_pages_of_what_serves_are_there_when_the_folder_has_others(house: StillHouse) -> None:
    serving = house.project.compiled
    assert keep_pages(house.folder, house.project)
    now = edited(house)
    kept = fitting(house.folder, now, serving)
    assert (kept.compiled, kept.folder) == (serving, house.folder.pages_folder)
    assert [path.name for path in (kept.folder / "templates").iterdir()] == ["browse_reminder.mjml"]
    assert fitting(house.folder, now, now.compiled) is now


def test_pages_that_do_not_go_with_what_serves_are_no_help(house: StillHouse) -> None:
    assert kept_project(house.folder, house.project.compiled) is None  # nothing was kept
    keep_pages(house.folder, house.project)
    now = edited(house)
    other = msgspec.structs.replace(now.compiled, profile="Other")
    assert kept_project(house.folder, other) is None
    assert fitting(house.folder, now, other).declarations is now.declarations


def test_new_pages_take_the_place_of_the_old_ones_with_modules_and_packages_beside_them(house: StillHouse) -> None:
    home = house.project.folder
    keep_pages(house.folder, house.project)
    (home / "teas").mkdir()
    (home / "teas" / "__init__.py").write_text("LEAST = 4\n")
    (home / "templates" / "more.mjml").write_text("<mjml></mjml>")
    (home / "notes.txt").write_text("no page")
    now = edited(house, "class ProductViewed", "from teas import LEAST\n\nclass ProductViewed")
    now = edited(house, ">= 3", ">= LEAST")
    assert keep_pages(house.folder, now)
    kept = house.folder.pages_folder
    found = sorted(str(path.relative_to(kept)) for path in kept.rglob("*") if path.suffix in (".py", ".mjml", ".txt"))
    assert found == ["shop.py", "teas/__init__.py", "templates/browse_reminder.mjml", "templates/more.mjml"]
    del sys.modules["teas"]


def test_kept_pages_are_not_kept_from_themselves_and_too_many_are_not_kept(
    house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_pages(house.folder, house.project)
    kept = kept_project(house.folder, house.project.compiled)
    assert kept is not None
    assert not keep_pages(house.folder, kept)
    monkeypatch.setattr(kept_pages, "FILES_MAX", 1)
    assert not keep_pages(house.folder, house.project)
    monkeypatch.setattr(kept_pages, "FILES_MAX", 2)
    assert keep_pages(house.folder, house.project)


def test_pages_that_are_not_as_they_were_kept_are_named(house: StillHouse) -> None:
    home = house.project.folder
    assert changed_pages(house.folder, home) == []  # nothing is kept yet
    keep_pages(house.folder, house.project)
    assert changed_pages(house.folder, home) == []
    (home / "shop.py").write_text((home / "shop.py").read_text() + "\n# half a thought (")
    (home / "templates" / "new.mjml").write_text("")
    (home / "templates" / "browse_reminder.mjml").unlink()
    assert changed_pages(house.folder, home) == ["shop.py", "templates/browse_reminder.mjml", "templates/new.mjml"]
    (home / "livepost.toml").write_text("")  # no page
    assert len(changed_pages(house.folder, home)) == 3
