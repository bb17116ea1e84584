"""The author's words come from `livepost` itself, and importing it loads none of the house."""

import subprocess
import sys

import pytest

import livepost

WORDS = [
    *(
        "Cap",
        "Email",
        "Event",
        "Identified",
        "Key",
        "Money",
        "PageViewed",
        "Personal",
        "Profile",
        "Quiet",
        "ScreenViewed",
    ),
    *(
        "broadcast",
        "calendar_days",
        "calendar_months",
        "calendar_weeks",
        "campaign",
        "count",
        "days",
        "distinct",
        "ecommerce",
        "exists",
    ),
    *("facet", "first", "hours", "in_", "latest", "maximum", "mean", "minimum", "minutes", "recent"),
    *("seconds", "segment", "since", "top", "total", "weeks"),
]


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running `code`."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_every_word_is_exported() -> None:
    assert sorted(livepost.__all__) == WORDS
    assert all(getattr(livepost, word) is not None for word in WORDS)
    assert set(WORDS) <= set(dir(livepost))


def test_a_word_is_the_same_object_each_time() -> None:
    assert livepost.Event is livepost.Event
    assert livepost.count is livepost.count


def test_what_is_no_word_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cuont'"):
        _ = livepost.cuont


def test_importing_livepost_loads_none_of_the_house() -> None:
    loaded = loaded_after("import livepost")
    assert {name for name in loaded if name.startswith("livepost.")} == set()
    assert "msgspec" not in loaded


def test_the_authors_words_load_no_store_and_no_server() -> None:
    """The negative control of the test above: asking for a word does load its room, and only what that needs."""
    loaded = loaded_after("from livepost import Event, Profile, campaign, ecommerce")
    assert "msgspec" in loaded
    assert "livepost.project.event" in loaded
    rooms = {name.split(".")[1] for name in loaded if name.startswith("livepost.")}
    assert rooms == {"errors", "expr", "ids", "model", "project"}
    assert not {"apsw", "numpy", "duckdb", "starlette", "cryptography"} & loaded
