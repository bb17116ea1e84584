"""The code of the how-to runs, word for word."""

import re
from pathlib import Path
from typing import Any

from livepost.testing import Rehearsal

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "rehearse-a-campaign.md"


def test_the_code_of_the_how_to_runs(shop: Rehearsal) -> None:
    first, second = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(first + second, names)
    names["test_three_looks_bring_one_reminder"](shop)
    names["test_one_in_twenty_is_left_out"]()


def test_every_word_of_a_rehearsal_is_in_the_how_to() -> None:
    text = PAGE.read_text()
    words = {name for name in vars(Rehearsal) if not name.startswith("_")} - {"close"}
    assert [word for word in sorted(words) if f"shop.{word}" not in text] == []
