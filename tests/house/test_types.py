"""The author's page and the page of all words type-check, the types flow to the mail, wrong uses are refused by both.

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
from tests.house.test_readme import python_blocks

PAGE = SOURCE / "project" / "starter" / "shop.py"
WORDS = HOUSE / "docs" / "reference" / "words.md"
FILES = ("shop.py", "words.py", "right.py", "wrong.py")

RIGHT = """
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_type

from livepost import Event, Identified, Money, PageViewed, Profile
from livepost import calendar_days, calendar_months, calendar_weeks, count, days, distinct, ecommerce, exists, facet
from livepost import first, hours, in_, latest, maximum, mean, minimum, recent, segment, since, top, total
from livepost.project.segment import Segment
from shop import OrderCompleted, ProductAdded, ProductViewed, Shopper, browse_reminder


class Rated(Event):
    stars: int
    part: float
    open: bool
    seen: datetime
    price: Money
    tax: Money = Money(0)


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
    worst = minimum(Rated.stars, over=calendar_months(2, "Europe/Berlin"))
    dearest = maximum(Rated.price, over=days(30))
    earliest = minimum(Rated.seen)
    part = maximum(Rated.part)
    stars = latest(Rated.stars, over=days(7), grid=hours(1))
    rated = exists(Rated, over=calendar_days(7, "UTC"), where=Rated.open)
    kinds = distinct(ProductViewed.category, cap=50, over=calendar_weeks(1, "UTC"))
    domain = latest(facet(Identified, "email.domain"))
    shelves = top(ProductViewed.category, k=3, cap=500)
    gross = total(Rated.price, where=(Rated.price + Rated.tax) / 2 >= 10)
    taxed = count(Rated, where=(Rated.tax / Rated.price >= 0.2) & in_(Rated.stars, [1, 2]))
    cheap = count(Rated, where=Rated.open & in_(Rated.price, [5, Money(9)]))
    several = segment(rated & in_(domain, ["example.com"]) & in_(views, (1, 2)) & in_(dearest, [Money(5), 10]))
    reckoned = segment((views - pieces / 4 > 3) & (gross / views >= 50) & (gross / dearest > 2))
    constants = segment((Money(500) - gross > Money(3)) & (views * Money(5) < gross) & (1 - worst / stars >= part))
    both = segment((2 * gross - dearest > 5) & (views / 2 > worst))
    nested = segment(some & ~more | several & (kinds >= 3) & exists(ProductAdded))
    moments = segment((earliest < maximum(Rated.seen)) & (domain == latest(ProductViewed.category)) & (rated == False))


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
    assert_type(visitor.worst, int | None)
    assert_type(visitor.dearest, Money | None)
    assert_type(visitor.earliest, datetime | None)
    assert_type(visitor.part, float | None)
    assert_type(visitor.stars, int | None)
    assert_type(visitor.rated, bool)
    assert_type(visitor.kinds, int | None)
    assert_type(visitor.domain, str | None)
    assert_type(visitor.nested, bool)
    assert_type(visitor.gross - Money(5), Money)
    assert_type(2 * visitor.gross / 3, Money)
    assert_type(visitor.gross / Money(5), Decimal)


ProductViewed(person="ada", product_id="a")
"""

WRONG = """
from livepost import Cap, Email, Identified, Money, Profile, calendar_days, campaign, count, days, distinct, exists
from livepost import facet, hours, in_, latest, maximum, minimum, segment, since, top, total
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
minimum(OrderCompleted.order_id)  # wrong: text has no smallest
maximum(ProductAdded)  # wrong: maximum takes a field
distinct(OrderCompleted.total)  # wrong: amounts are not told apart
distinct(ProductViewed.product_id, cap="9")  # wrong: a cap is a number
exists(ProductViewed.product_id)  # wrong: exists takes an event
exists(ProductViewed) >= 3  # wrong: whether is no number
latest(ProductViewed.category, over=7)  # wrong: a window is a length of time
since(ProductAdded, over="today")  # wrong: or a calendar window
calendar_days("Europe/Berlin")  # wrong: of how many days
calendar_days(7, 1)  # wrong: a zone has a name
count(ProductViewed, grid=calendar_days(1, "UTC"))  # wrong: a grid is a length of time
facet("$identify", "email.domain")  # wrong: a facet of an event class
facet(Identified, "email.domain") >= 3  # wrong: a facet is text
in_(VIEWS, ["three"])  # wrong: a number among texts
in_(ProductViewed.category, [3])  # wrong: a text among numbers
in_(SPEND, ["500"])  # wrong: money among texts
in_(ProductViewed.category, "shoes")  # wrong: values stand in a list
VIEWS + SPEND  # wrong: a number and money
SPEND - 5  # wrong: money less a number
SPEND * SPEND  # wrong: money times money
VIEWS / SPEND  # wrong: a number by money
VIEWS + "3"  # wrong: a number and text
VIEWS * days(7)  # wrong: a number times a length of time
since(ProductAdded) + hours(1)  # wrong: since changes all the time
latest(OrderCompleted.order_id) + "x"  # wrong: texts do not add
VIEWS / 2 >= "three"  # wrong: a number against text
SPEND / VIEWS >= hours(1)  # wrong: money against a length of time
Money(5) + 3  # wrong: money and a number
Money(5) * Money(3)  # wrong: money times money
top(ProductViewed.product_id)  # wrong: top of how many
count(ProductViewed, over=7)  # wrong: a window is a length of time
segment(VIEWS)  # wrong: a feature is no condition
segment(VIEWS + 1)  # wrong: nor is a number
Shopper.vip & VIEWS  # wrong: nor beside a segment
Shopper.vip >= 3  # wrong: a segment is no number
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
    (folder / "words.py").write_text(python_blocks(WORDS.read_text())[0])
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    return folder


@pytest.fixture(scope="module")
def mypy(folder: Path) -> set[tuple[str, int]]:
    """File and line of each error that mypy --strict tells."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *FILES],
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
@pytest.mark.parametrize("page", ["shop.py", "words.py"])
def test_the_pages_have_no_type_error(checker: str, page: str, request: pytest.FixtureRequest) -> None:
    assert {line for name, line in request.getfixturevalue(checker) if name == page} == set()


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types_flow_from_event_to_mail(checker: str, request: pytest.FixtureRequest) -> None:
    assert {line for name, line in request.getfixturevalue(checker) if name == "right.py"} == set()


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_every_wrong_use_is_refused_and_nothing_else(checker: str, request: pytest.FixtureRequest) -> None:
    marked = {number: text for number, text in enumerate(WRONG.splitlines(), 1) if "# wrong: " in text}
    told = {line for name, line in request.getfixturevalue(checker) if name == "wrong.py"}
    assert {marked.get(line, line) for line in told ^ set(marked)} == set()
