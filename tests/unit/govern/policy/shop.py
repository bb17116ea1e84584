"""A project that keeps its policy, and changes to it: what the rules are tried on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from livepost.govern.policy.given import Given, KeyGiven
from livepost.govern.policy.records import FILE_NAME, records_of, written
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.settings.policy import Policy, load_policy
from livepost.settings.settings import Settings

PAGE = """
from livepost import Email, Event, Identified, Money, Profile, campaign, count, days, latest, segment, top, total

class ProductViewed(Event):
    product_id: str

class OrderCompleted(Event):
    order_id: str
    total: Money

class Shopper(Profile):
    first_name = latest(Identified.first_name)
    gender = latest(Identified.gender)
    views_7d = count(ProductViewed, over=days(7))
    spend = total(OrderCompleted.total)
    looked_at = top(ProductViewed.product_id, k=3)
    keen = segment(views_7d >= 3)
    rich = segment((spend >= 500) & (views_7d >= 1))

@campaign(audience=Shopper.keen, until=OrderCompleted, purpose="marketing")
def reminder(shopper):
    return Email("reminder", subject="Hello {{ first_name }}", products=shopper.looked_at)
"""
POLICY = """
home = "eu"
regions = ["eu", "us"]
hosts = ["a.klaviyo.com", "hooks.example.com", "*.example.net"]

[controller]
name = "A shop"
contact = "privacy@shop.example"

[purposes.marketing]
text = "Letters"
basis = "consent"
retention = "365d"

[purposes.shop]
text = "Selling"
basis = "contract"
retention = "730d"

[purposes.statistics]
text = "Counting"
basis = "legitimate_interests"
retention = "365d"

[defaults]
purposes = ["shop"]
retention = "365d"
mask = "hide"
owner = "privacy@shop.example"

[fields]
"Identified.email" = { purposes = ["marketing", "shop"] }
"Identified.first_name" = { purposes = ["marketing", "shop"], mask = "partial" }
"email.domain" = { purposes = ["shop"], mask = "bucket" }

[events]
ProductViewed = { purposes = ["marketing", "shop"] }
OrderCompleted = { purposes = ["marketing", "shop"] }

[destinations.crm]
purposes = ["marketing"]
fields = ["Identified.email", "Shopper.keen", "Shopper.looked_at"]
region = "us"

[destinations.erp]
purposes = ["shop"]
fields = ["Shopper.rich", "campaign.reminder"]
region = "eu"

[pipelines]
"web" = { owner = "data@shop.example", alarm = "oncall@shop.example" }
"""
SETTINGS: dict[str, Any] = {
    "shop_address": "1 Main Street, Springfield",
    "audiences": [
        {"name": "crm", "vendor": "klaviyo", "key": "env:CRM", "segments": {"keen": "L1"}, "features": ["looked_at"]}
    ],
    "webhooks": [{"name": "erp", "url": "https://hooks.example.com/x", "secret": "env:ERP"}],
}
MAIL = (
    "<mjml><mj-body>{{ first_name }} {{ products }} <a href='{{ unsubscribe_url }}'>x</a> "
    "{{ shop_address }}</mj-body></mjml>"
)
KEYS = (KeyGiven(id="1", kind="write", source="web"), KeyGiven(id="2", kind="secret", source="web", scopes=("people",)))


def policy_of(text: str, folder: Path) -> Policy:
    """Return a policy as it is read from a folder."""
    (folder / "policy.toml").write_text(text)
    found = load_policy(folder)
    assert found is not None
    return found


def given_of(
    folder: Path,
    *,
    page: str = PAGE,
    policy: str = POLICY,
    settings: Mapping[str, Any] = {},
    files: Mapping[str, str | None] = {},
    keys: Sequence[KeyGiven] = KEYS,
    keys_file: str = "",
) -> Given:
    """Return the project with other parts; its records are current unless `files` has others (None: no such file)."""
    module = ModuleType("a_shop_with_a_policy")
    sys.modules[module.__name__] = module  # types of fields are looked up there
    exec(compile(page, "shop.py", "exec"), vars(module))
    declarations = collect(vars(module))
    texts: dict[str, str | None] = {
        "shop.py": page,
        "policy.toml": policy,
        "livepost.toml": '[[audiences]]\nname = "crm"\n[[webhooks]]\nname = "erp"\n',
        "templates/reminder.mjml": MAIL,
        **files,
    }
    told = livepost_settings({**SETTINGS, **settings})
    made = Given(
        policy=policy_of(policy, folder),
        declarations=declarations,
        compiled=compile_project(declarations),
        settings=told,
        files={path: text for path, text in texts.items() if text is not None},
        keys=keys,
        keys_file=keys_file,
    )
    if FILE_NAME in texts:
        return made
    kept = {**made.files, FILE_NAME: written(records_of(made))}
    return Given(**{**{name: getattr(made, name) for name in Given.__dataclass_fields__}, "files": kept})


def livepost_settings(given: Mapping[str, Any]) -> Settings:
    """Return settings as `livepost.toml` would give them."""
    return msgspec.convert(dict(given), Settings)
