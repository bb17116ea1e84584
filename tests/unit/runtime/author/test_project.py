import os
import sys
from pathlib import Path

import pytest

from livepost.errors import ProjectError
from livepost.runtime.author.project import import_anew, import_shop, load_project, served
from livepost.settings.settings import Settings
from tests.unit.runtime.still import make_project


def test_a_project_is_loaded_with_its_declarations_and_compiled(tmp_path: Path) -> None:
    project = load_project(make_project(tmp_path / "shop"), Settings())
    assert [campaign.name for campaign in project.compiled.campaigns] == ["browse_reminder"]
    assert project.folder == tmp_path / "shop"


def test_a_folder_without_a_page_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"expected shop\.py in .*, found none; `livepost init DIR` makes a project"):
        import_shop(tmp_path)


def test_two_folders_in_one_process_have_a_page_each(tmp_path: Path) -> None:
    one, other = make_project(tmp_path / "one"), make_project(tmp_path / "other", browse_reminder="come_back")
    names = [load_project(folder, Settings()).compiled.campaigns[0].name for folder in (one, other, one)]
    assert names == ["browse_reminder", "come_back", "browse_reminder"]


def test_a_page_imported_by_a_test_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "shop")
    assert import_shop(folder) is import_shop(folder) is sys.modules["shop"]


def test_a_page_may_import_a_module_beside_it_and_the_path_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "beside_the_page.py").write_text("ANSWER = 42\n")
    (tmp_path / "shop.py").write_text("from beside_the_page import ANSWER\n")
    before = list(sys.path)
    assert import_shop(tmp_path).ANSWER == 42
    assert sys.path == before
    del sys.modules["beside_the_page"]


@pytest.mark.parametrize(
    ("page", "line", "said"),
    [
        ("from livepost import Event\n\nlooks = {}['a']\n", 3, "KeyError: 'a'"),
        ("def broken(:\n", 1, "SyntaxError"),
        ("import livepost\nimport nowhere_to_be_found\n", 2, "ModuleNotFoundError"),
        ("def fails():\n    return 1 / 0\n\nfails()\n", 2, "ZeroDivisionError"),
    ],
)
def test_a_page_that_cannot_be_imported_is_said_with_file_and_line(
    tmp_path: Path, page: str, line: int, said: str
) -> None:
    (tmp_path / "shop.py").write_text(page)
    with pytest.raises(ProjectError, match=said) as raised:
        import_shop(tmp_path)
    assert raised.value.where == f"{tmp_path / 'shop.py'}:{line}"
    assert "shop" not in sys.modules


def test_a_declaration_that_cannot_be_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="expected views_7d to be compared with a number such as 3, got 'three'"):
        load_project(make_project(tmp_path / "shop", **{">= 3": '>= "three"'}), Settings())


def test_the_clocks_speed_multiplies_fresh_and_nothing_else(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "shop")
    plain = load_project(folder, Settings()).compiled
    quick = load_project(folder, Settings(), speed=2_000).compiled
    assert quick.campaigns[0].fresh_ms == 2_000 * plain.campaigns[0].fresh_ms
    assert (quick.features, quick.segments, quick.events) == (plain.features, plain.segments, plain.events)


def test_a_page_is_imported_anew_with_the_modules_beside_it(tmp_path: Path) -> None:
    beside, page = tmp_path / "beside_the_page.py", tmp_path / "shop.py"
    beside.write_text("ANSWER = 42\n")
    page.write_text("from beside_the_page import ANSWER\n")
    old = import_shop(tmp_path)
    beside.write_text("ANSWER = 1_764\n")
    assert import_shop(tmp_path) is old
    new = import_anew(tmp_path)
    assert (old.ANSWER, new.ANSWER) == (42, 1_764)
    assert sys.modules["shop"] is new
    del sys.modules["beside_the_page"]


def test_an_edit_of_the_same_length_within_the_same_second_is_read(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "shop")
    before = load_project(folder, Settings())
    page = folder / "shop.py"
    written = page.stat().st_mtime
    page.write_text(page.read_text().replace(">= 3", ">= 4"))
    os.utime(page, (written, written))
    assert load_project(folder, Settings(), anew=True).compiled != before.compiled
    assert not list(folder.rglob("*.pyc"))


def test_a_page_that_is_broken_by_now_leaves_the_old_one_whole(tmp_path: Path) -> None:
    page = tmp_path / "shop.py"
    page.write_text("ANSWER = 42\n")
    old = import_shop(tmp_path)
    page.write_text("def broken(:\n")
    with pytest.raises(ProjectError):
        import_anew(tmp_path)
    assert sys.modules["shop"] is old


def test_what_serves_has_the_pages_as_they_are_now_if_they_are_its_own(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "shop")
    before = load_project(folder, Settings())
    page = folder / "shop.py"
    page.write_text(page.read_text().replace(">= 3", ">= 4"))
    coming = load_project(folder, Settings(), anew=True).compiled
    now = served(before, folder, coming, Settings(), 1.0)
    assert now.compiled == coming != before.compiled
    assert now.declarations is not before.declarations
    page.write_text(page.read_text().replace(">= 4", ">= 5"))  # edited once more: not what was applied
    other = served(before, folder, coming, Settings(), 1.0)
    assert (other.compiled, other.declarations) == (coming, before.declarations)
