"""The author's page type-checks as it stands, the types flow to the mail, and wrong uses are refused by both checkers.

The page is checked together with a file of right uses (revealed types) and one of wrong uses, each line marked.
The wrong uses are the negative control: a checker that saw `Any` everywhere would accept them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import HOUSE, SOURCE

PAGE = SOURCE / "project" / "starter" / "shop.py"

RIGHT = """
from datetime import timedelta
from typing import assert_type

from livepost import Money, PageViewed, Profile
from livepost import count, ecommerce, first, hours, latest, mean, recent, segment, since, total
from livepost.project.segment import Segment
from shop import OrderCompleted, ProductAdded, ProductViewed, Shopper, browse_reminder


class Visitor(Profile):
    views = count(ProductViewed, where=ProductViewed.category == "shoes")
    average = mean(OrderCompleted.total)
    largest = first(OrderCompleted.total)
    pieces = total(ecommerce.ProductAdded.quantity)
    categories = recent(ProductViewed.category, n=3)
    page = latest(PageViewed.name)
    quiet = since(OrderCompleted, where=(OrderCompleted.total >= 10) & (OrderCompleted.order_id != "x"))
    some = segment((largest > Money(3)) | (average >= 9.5) | (page == "Home") & ~(pieces < 3))
    more = segment((views >= pieces) & (quiet > since(ProductAdded)) & (quiet < hours(3)))


def of_a_shopper(shopper: Shopper) -> None:
    assert_type(shopper.first_name, str | None)
    assert_type(shopper.views_7d, int)
    assert_type(shopper.spend_90d, Money)
    assert_type(shopper.favourites, list[str])
    assert_type(shopper.browsing, bool)
    assert_type(Shopper.browsing, Segment)
    browse_reminder(shopper)


def of_a_visitor(visitor: Visitor) -> None:
    assert_type(visitor.average, Money | None)
    assert_type(visitor.pieces, int)
    assert_type(visitor.categories, list[str])
    assert_type(visitor.quiet, timedelta | None)


ProductViewed(person="ada", product_id="a")
"""

WRONG = """
from livepost import Cap, Email, Profile, campaign, count, days, hours, latest, segment, since, top, total
from shop import OrderCompleted, ProductAdded, ProductViewed, Shopper, browse_reminder

VIEWS = count(ProductViewed, over=days(7))
SPEND = total(OrderCompleted.total)

VIEWS >= "three"  # wrong: a number against text
segment(VIEWS == "three")  # wrong: nor is it equal to text
VIEWS >= hours(1)  # wrong: a number against a length of time
VIEWS >= SPEND  # wrong: a number against money
SPEND >= "500"  # wrong: money against text
SPEND >= hours(1)  # wrong: money against a length of time
since(ProductAdded) >= 3600  # wrong: a length of time against a number
since(ProductAdded) > VIEWS  # wrong: a length of time against a number
latest(OrderCompleted.order_id) >= 3  # wrong: text against a number
top(ProductViewed.product_id, k=3) >= 3  # wrong: a list against a number
OrderCompleted.total >= "100"  # wrong: a money field against text
ProductViewed.produkt_id  # wrong: no such field
count(ProductViewed.product_id)  # wrong: count takes an event
count("Product Viewed")  # wrong: a name is no event
total(OrderCompleted.order_id)  # wrong: text has no sum
since(ProductAdded, over=days(7))  # wrong: since takes no window
top(ProductViewed.product_id)  # wrong: top of how many
count(ProductViewed, over=7)  # wrong: a window is a length of time
segment(Shopper.vip)  # wrong: a segment is no condition
segment(VIEWS)  # wrong: nor is a feature
Shopper.vip & (VIEWS >= 3)  # wrong: segments of segments are not built
ProductViewed(person="ada")  # wrong: product_id is missing
ProductViewed("ada", product_id="a")  # wrong: fields have names
ProductViewed(person="ada", product_id=3)  # wrong: a number for text
OrderCompleted(person="ada", order_id="1", total=5)  # wrong: a number for money
Cap(2)  # wrong: a cap per what
Cap(2, per=7)  # wrong: a cap is per length of time
campaign(audience=VIEWS >= 3)  # wrong: an audience is a segment
campaign(audience=Shopper.vip, until="Order Completed")  # wrong: until names a class
campaign(audience=Shopper.vip, wait=2)  # wrong: a wait is a length of time
campaign(on=OrderCompleted, class_="news")  # wrong: no such class
Email("vip")  # wrong: a mail has a subject
browse_reminder("ada")  # wrong: a campaign takes a shopper


def of_a_shopper(shopper: Shopper) -> None:
    shopper.favourites.upper()  # wrong: a list has no upper
    shopper.first_name.upper()  # wrong: it may never have been told
    shopper.spend_90d + 1  # wrong: money does not add to a number
    shopper.typo  # wrong: no such feature


@campaign(audience=Shopper.vip)  # wrong: the function returns text
def thanks(shopper: Shopper) -> str:
    return "thanks"


class Other(Profile):
    views = count(ProductViewed)


@campaign(audience=Shopper.vip)
def other(shopper: Other) -> Email:
    return Email("other", subject=shopper.views)  # wrong: a subject is text
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page and both files beside it."""
    folder = tmp_path_factory.mktemp("types")
    shutil.copy(PAGE, folder / "shop.py")
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    return folder


@pytest.fixture(scope="module")
def mypy(folder: Path) -> set[tuple[str, int]]:
    """File and line of each error that mypy --strict tells."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "shop.py", "right.py", "wrong.py"],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(HOUSE / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(\S+?):(\d+): error: ", run.stdout, re.MULTILINE)
    assert found, run.stdout + run.stderr
    return {(name, int(line)) for name, line in found}


@pytest.fixture(scope="module")
def pyright(folder: Path) -> set[tuple[str, int]]:
    """File and line of each error that pyright tells."""
    if shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("pyright needs node, and there is none on PATH")
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(HOUSE / "src")], "pythonVersion": "3.11", "typeCheckingMode": "standard"})
    )
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(run.stdout)["generalDiagnostics"]
    errors = [error for error in told if error["severity"] == "error"]
    return {(Path(error["file"]).name, error["range"]["start"]["line"] + 1) for error in errors}


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_authors_page_has_no_type_error(checker: str, request: pytest.FixtureRequest) -> None:
    assert {line for name, line in request.getfixturevalue(checker) if name == "shop.py"} == set()


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types_flow_from_event_to_mail(checker: str, request: pytest.FixtureRequest) -> None:
    assert {line for name, line in request.getfixturevalue(checker) if name == "right.py"} == set()


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_every_wrong_use_is_refused_and_nothing_else(checker: str, request: pytest.FixtureRequest) -> None:
    marked = {number: text for number, text in enumerate(WRONG.splitlines(), 1) if "# wrong: " in text}
    told = {line for name, line in request.getfixturevalue(checker) if name == "wrong.py"}
    assert {marked.get(line, line) for line in told ^ set(marked)} == set()
