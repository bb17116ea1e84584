"""Whether destinations could be kept in step: keys, addresses, and what the project has."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.errors import SettingsError
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec
from livepost.runtime.courier.audiences import accounts_of, check_audiences, wanted_of
from livepost.settings.audience import Audience
from livepost.settings.settings import Settings

COMPILED = Compiled(
    segments=(SegmentSpec(name="browsing", condition={}),),
    features=(
        FeatureSpec(name="views", kind="count", event="Product Viewed"),
        FeatureSpec(name="idle", kind="since", event="Product Viewed"),
        FeatureSpec(name="$address", kind="latest", event="$identify"),
    ),
)


def settings_with(**other: Any) -> Settings:
    told: dict[str, Any] = {"name": "crm", "vendor": "klaviyo", "key": "env:CRM", "segments": {"browsing": "L1"}}
    return Settings(audiences=[Audience(**(told | other))])


def test_an_account_has_the_key_and_the_vendors_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM", "pk_x")
    account = accounts_of(settings_with())["crm"]
    assert (account.url, account.key) == ("https://a.klaviyo.com", "pk_x")


def test_a_key_that_is_not_there_and_an_unsafe_address_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM", raising=False)
    with pytest.raises(SettingsError, match="the key of the audience crm"):
        accounts_of(settings_with())
    monkeypatch.setenv("CRM", "pk_x")
    with pytest.raises(SettingsError, match="the audience crm"):
        accounts_of(settings_with(url="http://169.254.169.254/"))


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"segments": {"browsin": "L1"}}, "the segment browsin, which is not there; did you mean browsing"),
        ({"features": ["view"]}, "the feature view, which is not there; did you mean views"),
        ({"features": ["$address"]}, "the feature \\$address"),
        ({"features": ["idle"]}, "changes as time goes by"),
    ],
)
def test_what_the_project_does_not_have_is_refused(other: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        check_audiences(settings_with(**other), COMPILED)
    check_audiences(settings_with(features=["views"]), COMPILED)


def test_everybody_is_looked_at_again_when_other_things_are_wanted() -> None:
    [one] = settings_with().audiences
    [other] = settings_with(features=["views"]).audiences
    [later] = settings_with(refresh="5m").audiences
    assert wanted_of(one).config == wanted_of(later).config != wanted_of(other).config
