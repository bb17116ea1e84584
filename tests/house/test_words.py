"""The page of words has every word, and its example is a sound project that uses each."""

import ast
import re

import livepost
from livepost.model.compiled import Compiled
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect
from tests.house.source import HOUSE
from tests.house.test_readme import python_blocks

PAGE = (HOUSE / "docs" / "reference" / "words.md").read_text()
(EXAMPLE,) = python_blocks(PAGE)


def declared(page: str) -> Declarations:
    """Return what a page declares."""
    namespace: dict[str, object] = {"__name__": "words"}
    exec(compile(page, "words.md", "exec"), namespace)
    return collect(namespace)


def names_used(page: str) -> set[str]:
    """Return the names that a page uses beyond importing them."""
    return {node.id for node in ast.walk(ast.parse(page)) if isinstance(node, ast.Name)}


def test_every_word_is_on_the_page_and_used_in_its_example() -> None:
    assert [word for word in livepost.__all__ if word not in names_used(EXAMPLE)] == []
    prose = PAGE.replace(EXAMPLE, "")
    assert [word for word in livepost.__all__ if not re.search(rf"`[^`]*\b{word}\b", prose)] == []


def test_a_word_that_is_only_imported_would_be_found() -> None:
    assert names_used("from livepost import count, mean\nmean(1)") == {"mean"}


def test_the_example_is_sound_and_compiles() -> None:
    assert check_project(declared(EXAMPLE), currency="EUR", templates=["reminder"]) == []
    compiled = compile_project(declared(EXAMPLE), currency="EUR")
    assert isinstance(compiled, Compiled)
    assert {one.name for one in compiled.segments} == {
        *("keen", "spender", "bargains", "vip", "browsing", "curious", "unhappy"),
    }


def test_an_example_that_is_not_sound_would_be_told() -> None:
    broken = EXAMPLE.replace("spend_90d / orders_90d", "spend_90d + orders_90d")
    assert "expected money with money" in check_project(declared(broken), currency="EUR")[0].sentence
