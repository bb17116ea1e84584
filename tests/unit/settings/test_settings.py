"""What the typed class promises by itself."""

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.load import load
from livepost.settings.settings import Settings, attribute, describe, keys


def test_every_setting_has_a_default_and_a_description() -> None:
    assert Settings().port == 8300
    assert all(describe(key).endswith(".") for key in keys())


def test_the_key_from_is_held_by_sender_because_python_reserves_it() -> None:
    assert "from" in keys()
    assert attribute("from") == "sender"


def test_fresh_is_read_in_every_unit() -> None:
    told = {"45s": 45_000, "90m": 5_400_000, "1h": 3_600_000, "2d": 172_800_000}
    assert {text: Settings(fresh=text).fresh_ms for text in told} == told


def test_caps_are_read_in_every_unit() -> None:
    assert Settings(caps="1 per 1d, 4 per 36h").caps_ms == ((1, 86_400_000), (4, 36 * 3_600_000))
    assert Settings().caps_ms == ()


def test_links_lead_to_the_public_url_without_a_double_slash() -> None:
    assert Settings(public_url="https://mail.example.com/").base_url == "https://mail.example.com"


def test_links_lead_to_localhost_while_no_public_url_is_given() -> None:
    assert Settings(port=8301).base_url == "http://localhost:8301"


def test_the_data_folder_is_a_path() -> None:
    assert Settings(data="shop/data").data_folder.parts == ("shop", "data")


def test_topics_are_a_table_or_json_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text('[topics]\ntea = "All about tea"\n')
    assert load(tmp_path, {}).settings.topics == {"tea": "All about tea"}
    assert load(tmp_path, {"LIVEPOST_TOPICS": '{"pot": "Pots"}'}).settings.topics == {"pot": "Pots"}


@pytest.mark.parametrize(
    "line",
    [
        'topics = {Tea = "x"}',
        'topics = {tea = ""}',
        'frequencies = "1 per 7h"',
        'frequencies = "1 per 7d,1 per 30d"',
        "languages = []",
        'languages = ["EN"]',
        'page_color = "red"',
    ],
)
def test_what_people_are_offered_has_a_form(tmp_path: Path, line: str) -> None:
    (tmp_path / "livepost.toml").write_text(line)
    with pytest.raises(SettingsError, match="does not fit"):
        load(tmp_path, {})
