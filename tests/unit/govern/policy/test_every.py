"""Each rule finds what breaks it and nothing else; without it, what breaks it passes."""

# ruff: noqa: E501 - a case a line, so that one sees what is tried

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from livepost.govern.policy.every import RULES, check, without_policy
from livepost.govern.policy.given import KeyGiven
from livepost.ids import digest
from livepost.measure.feedback import feedback_of, heard
from livepost.model.feedback import Heard, MailEvent
from tests.unit.govern.policy.shop import MAIL, PAGE, POLICY, given_of


class Case(NamedTuple):
    """A change to the project, and words of the sentence about it (none: it breaks nothing)."""

    rule: str
    told: str
    change: dict[str, Any]
    where: str = ""


def said(old: str, new: str, text: str = POLICY) -> dict[str, Any]:
    """Return the change of a policy."""
    assert old in text, old
    return {"policy": text.replace(old, new)}


def page(old: str, new: str) -> dict[str, Any]:
    """Return the change of a page."""
    assert old in PAGE, old
    return {"page": PAGE.replace(old, new)}


def mail(text: str, name: str = "reminder.mjml") -> dict[str, Any]:
    """Return the change of a template."""
    return {"files": {f"templates/{name}": text}}


def settings(**given: Any) -> dict[str, Any]:
    """Return the change of settings."""
    return {"settings": given}


def policy_and(change: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return a change with one of the policy besides."""
    return {**change, **said(old, new)}


def crm(**given: Any) -> dict[str, Any]:
    """Return settings with another audience."""
    told = {"name": "crm", "vendor": "klaviyo", "key": "env:CRM", "segments": {"keen": "L1"}, "features": ["looked_at"]}
    return settings(audiences=[told | given])


AUDIENCE_FIELDS = '"Shopper.keen", "Shopper.looked_at"'
DEFAULTS = 'purposes = ["shop"]\nretention = "365d"\nmask = "hide"\nowner = "privacy@shop.example"'
WEB = '"web" = { owner = "data@shop.example", alarm = "oncall@shop.example" }\n'
TOLD = settings(mail_events=[{"provider": "postmark", "secret": "env:POSTMARK"}])
HASHING = "\nimport hashlib\ndef odd(shopper):\n    {}\n"

BROKEN: tuple[Case, ...] = (
    Case("PC01", "with no purpose", said(DEFAULTS, DEFAULTS.replace('purposes = ["shop"]\n', "")) | {"policy": POLICY.replace(DEFAULTS, DEFAULTS.replace('purposes = ["shop"]\n', "")).replace("[events]", '[events]\nIdentified = { purposes = ["shop"] }')}, "policy.toml:"),
    Case("PC01", "is no field of this project", said('"email.domain" =', '"Identified.emial" ='), "policy.toml:"),
    Case("PC01", "none of [purposes]", said('"email.domain" = { purposes = ["shop"]', '"email.domain" = { purposes = ["shop", "selling"]')),
    Case("PC01", "[defaults] names selling", said(DEFAULTS, DEFAULTS.replace('["shop"]', '["shop", "selling"]'))),
    Case("PC02", "with no retention", said(DEFAULTS, DEFAULTS.replace('retention = "365d"\n', ""))),
    Case("PC03", "with no mask", said(DEFAULTS, DEFAULTS.replace('mask = "hide"\n', ""))),
    Case("PC03", "Identified.email has no mask", said(DEFAULTS, DEFAULTS.replace('mask = "hide"\n', ""))),
    Case("PC04", "with no owner", said(DEFAULTS, DEFAULTS.replace('owner = "privacy@shop.example"', ""))),
    Case("PC04", "with no owner", said(DEFAULTS, DEFAULTS.replace("privacy@shop.example", " "))),
    Case("PC05", "more than anybody looked at", said(AUDIENCE_FIELDS, AUDIENCE_FIELDS + ', "Shopper.*"'), "policy.toml:"),
    Case("PC05", "more than anybody looked at", said(AUDIENCE_FIELDS, AUDIENCE_FIELDS + ', "*"')),
    Case("PC06", "nothing is promised of the webhook erp", said("[destinations.erp]", "[destinations.other]"), "livepost.toml:"),
    Case("PC06", "did you mean Shopper.rich", said('"Shopper.rich"', '"Shopper.ritch"')),
    Case("PC06", "does not let go there", said(', "Shopper.looked_at"]', "]")),
    Case("PC06", "does not let go there", said('"Identified.email", "Shopper.keen"', '"Shopper.keen"')),
    Case("PC06", "asks for consent to letters", crm(purpose="letters")),
    Case("PC06", "Shopper.rich <- Shopper.spend <- OrderCompleted.total", said('OrderCompleted = { purposes = ["marketing", "shop"] }', 'OrderCompleted = { purposes = ["statistics"] }') | {"page": PAGE.replace("until=OrderCompleted, ", "").replace("(spend >= 500) & (views_7d >= 1)", "spend >= 500")}),
    Case("PC06", "campaign.reminder <- Shopper.keen <- Shopper.views_7d <- ProductViewed", {"policy": POLICY.replace('ProductViewed = { purposes = ["marketing", "shop"] }', 'ProductViewed = { purposes = ["shop"] }')}),
    Case("PC06", "is for letters, which is none", page('purpose="marketing"', 'purpose="letters"'), "shop.py:"),
    Case("PC06", "has no purpose, so nothing goes there", said('purposes = ["shop"]\nfields = ["Shopper.rich"', 'purposes = []\nfields = ["Shopper.rich"')),
    Case("PC06", "writes to people", said('"Identified.email" = { purposes = ["marketing", "shop"] }', '"Identified.email" = { purposes = ["shop"] }')),
    Case("PC07", "special category 'sex life'", policy_and(mail(MAIL + "{{ gender }}"), '"email.domain" =', '"Identified.gender" = { purposes = ["marketing"], special = "sex life" }\n"email.domain" ='), "templates/reminder.mjml:1"),
    Case("PC07", "special category 'sex life'", policy_and(page("Hello {{ first_name }}", "Hello {{ gender }}"), '"email.domain" =', '"Identified.gender" = { purposes = ["marketing"], special = "sex life" }\n"email.domain" ='), "shop.py:"),
    Case("PC07", "special category 'health'", policy_and(mail(MAIL), '"email.domain" =', '"ProductViewed.product_id" = { purposes = ["marketing", "shop"], special = "health" }\n"email.domain" =')),
    Case("PC08", "a link of the mail reminder carries first_name", mail(MAIL + "<a href='https://x.example/?n={{ first_name | url_encode }}'>"), "templates/reminder.mjml:1"),
    Case("PC08", "carries first_name", mail(MAIL + '\n{% assign who = first_name | downcase %}<mj-section background-url="https://x.example/{{ who }}.png"/>'), "templates/reminder.mjml:2"),
    Case("PC08", "carries first_name", mail(MAIL + '{% capture path %}/a/{{ first_name }}{% endcapture %}<a href="{{ path }}">')),
    Case("PC08", "carries first_name", {"page": PAGE.replace("products=shopper.looked_at", "products=shopper.looked_at, who=[shopper.first_name]"), "files": {"templates/reminder.mjml": MAIL + '<a href="https://x.example/{{ who[0] }}">'}}),
    Case("PC08", "written to a log", {"page": PAGE.replace("    return Email", "    print(shopper.first_name)\n    return Email")}, "shop.py:"),
    Case("PC08", "written to a log", {"page": PAGE.replace("    return Email", "    name = shopper.first_name\n    logging.info('x %s', name)\n    return Email") + "\nimport logging\n"}),
    Case("PC08", "part of a URL", {"page": PAGE.replace("    return Email", "    link = f'https://x.example/{shopper.first_name}'\n    return Email")}),
    Case("PC08", "looks like somebody's address", {"keys": (KeyGiven(id="1", kind="write", source="ada@example.com"),), **said('"web" =', '"ada@example.com" =')}),
    Case("PC10", "no link to unsubscribe", mail("<mjml><mj-body>{{ first_name }}{{ shop_address }}</mj-body></mjml>"), "templates/reminder.mjml"),
    Case("PC10", "no postal address", mail("<mjml><mj-body>{{ unsubscribe_url }}</mj-body></mjml>")),
    Case("PC10", "shop_address is empty", settings(shop_address=" ")),
    Case("PC11", "whose basis is contract", settings(opens="shop")),
    Case("PC11", "none of [purposes]", settings(opens="watching")),
    Case("PC11", "collected for no purpose", said('ProductViewed = { purposes = ["marketing", "shop"] }', "ProductViewed = { purposes = ['none'] }") | {"page": PAGE.replace("    views_7d = count(ProductViewed, over=days(7))\n", "").replace("views_7d >= 3", "spend >= 3").replace(" & (views_7d >= 1)", "").replace("    looked_at = top(ProductViewed.product_id, k=3)\n", "").replace(", products=shopper.looked_at", ""), "settings": {"audiences": []}}),
    Case("PC11", "tells another host who opened it", mail(MAIL + '<mj-image src="https://px.example.org/o.gif" width="1px" />')),
    Case("PC11", "tells another host who opened it", mail(MAIL + '<img src="https://px.example.org/{{ views_7d }}.gif">')),
    Case("PC12", "no purpose in common", said('OrderCompleted = { purposes = ["marketing", "shop"] }', 'OrderCompleted = { purposes = ["statistics"] }') | {"page": PAGE.replace("until=OrderCompleted, ", ""), "settings": {"webhooks": []}}, "shop.py:"),
    Case("PC12", "recital 50", said('[purposes.shop]\n', '[purposes.shop]\ncompatible = ["marketing"]\n'), "policy.toml:"),
    Case("PC12", "none of [purposes]", said('[purposes.shop]\n', '[purposes.shop]\ncompatible = ["selling"]\n')),
    Case("PC13", "home is not said", said('home = "eu"', 'home = ""')),
    Case("PC13", "home is 'ch'", said('home = "eu"', 'home = "ch"')),
    Case("PC13", "keeps data in 'us'", said('regions = ["eu", "us"]', 'regions = ["eu"]'), "policy.toml:"),
    Case("PC13", "says no region", said('region = "us"', "")),
    Case("PC14", "longer than any of its purposes allows (730d)", said('"email.domain" = { purposes = ["shop"]', '"email.domain" = { purposes = ["shop"], retention = "731d"'), "policy.toml:"),
    Case("PC14", "longer than any of its purposes allows", said(DEFAULTS, DEFAULTS.replace("365d", "900d")) ),
    Case("PC14", "the log keeps events for 400 days", settings(retention_days=400)),
    Case("PC15", "hashed without a key", {"page": PAGE + HASHING.format("return hashlib.sha256(shopper.first_name.encode()).hexdigest()")}, "shop.py:"),
    Case("PC15", "hashed without a key", {"page": PAGE + HASHING.format("h = hashlib.md5(); name = shopper.first_name; h.update(name.encode())")}),
    Case("PC15", "hashed without a key", {"page": PAGE + HASHING.format("return hashlib.new('sha1', shopper.first_name.encode())")}),
    Case("PC15", "hashed without a key", {"files": {"helpers.py": "from hashlib import sha256\n\n\ndef f(shopper):\n    return sha256(shopper.first_name.encode())\n"}}, "helpers.py:5"),
    Case("PC16", "which is none of hosts", said('"a.klaviyo.com", ', "")),
    Case("PC16", "which is none of hosts", settings(mail="sendgrid:", mail_password="env:SG") | said("[destinations.erp]", '[destinations.mail]\npurposes = ["marketing"]\nfields = ["Identified.email", "Shopper.first_name"]\nregion = "us"\n\n[destinations.erp]')),
    Case("PC16", "which is every host", said('"*.example.net"', '"*"')),
    Case("PC16", "example.net, which is none", settings(ledger="postgresql://a@example.net/b")),
    Case("PC17", "may do people", {"keys": (KeyGiven(id="1", kind="write", source="web", scopes=("people", "send:events")),)}),
    Case("PC17", "others on this machine", {"keys_file": "data/keys/keys.json"}, "data/keys/keys.json"),
    Case("PC17", "may do everything", {"keys": (KeyGiven(id="1", kind="secret", source="web", scopes=("*",)),)}),
    Case("PC18", "events come from app", {"keys": (KeyGiven(id="1", kind="write", source="app"),)}),
    Case("PC18", "events come from livepost", TOLD),
    Case("PC18", "events come from livepost", policy_and(TOLD, WEB, WEB + WEB.replace("web", "esp:postmark"))),
    Case("PC18", "has no alarm", said('alarm = "oncall@shop.example"', 'alarm = " "')),
    Case("PC18", "no source of events has an owner", said('"web" = { owner = "data@shop.example", alarm = "oncall@shop.example" }', "")),
    Case("PC19", "a key of AWS", {"files": {"conf.yaml": "id: AKIA" + "ABCDEFGH12345678\n"}}, "conf.yaml:1"),
    Case("PC19", "a private key", {"files": {"key.txt": "x\n-----BEGIN " + "PRIVATE KEY-----\n"}}, "key.txt:2"),
    Case("PC19", "a password in a URL", {"files": {"a.env": "DB=postgres://me:hun" + "ter2x@db/x\n"}}),
    Case("PC19", "a secret", {"page": PAGE + "\npassword = 'p4sSw0rD-9z-" + "QqX7-vvT2kk'\n"}, "shop.py:"),
    Case("PC19", "a secret key of Livepost", {"files": {"notes.md": "lp_secret_" + "a1" * 16}}),
    Case("PC20", "there is no ropa.md", {"files": {"ropa.md": None}}, "ropa.md"),
    Case("PC20", "not those of the project", {"files": {"ropa.md": "# Records of processing\n"}}, "ropa.md:2"),
)  # fmt: skip

CLEAN: tuple[Case, ...] = (
    Case("PC01", "", {}),
    Case("PC01", "", said('"email.domain" =', '"OrderCompleted.total" = { purposes = ["shop", "marketing"] }\n"email.domain" =')),
    Case("PC03", "", said('"email.domain" = { purposes = ["shop"], mask = "bucket" }', "")),
    Case("PC05", "", settings(audiences=[], webhooks=[])),
    Case("PC06", "", crm(id="email")),
    Case("PC06", "", said('[purposes.marketing]\n', '[purposes.marketing]\ncompatible = ["shop"]\n')),
    Case("PC07", "", said('"email.domain" =', '"Identified.gender" = { special = "sex life" }\n"email.domain" =')),
    Case("PC08", "", mail(MAIL + "<a href='https://x.example/{{ products[0] }}'>{{ first_name }}</a>")),
    Case("PC08", "", {"page": PAGE.replace("    return Email", "    print(shopper.views_7d)\n    return Email")}),
    Case("PC08", "", mail(MAIL + '{% assign first = products[0] %}<a href="https://x.example/{{ first }}">')),
    Case("PC10", "", page('purpose="marketing"', 'purpose="shop", class_="transactional"') | mail("<mjml></mjml>")),
    Case("PC10", "", mail("<mjml>{% render 'foot' %}</mjml>") | {"files": {"templates/reminder.mjml": "<mjml>{% render 'foot' %}</mjml>", "templates/foot.liquid": "{{ unsubscribe_url }}{{ shop_address }}"}}),
    Case("PC11", "", settings(opens="marketing")),
    Case("PC11", "", mail(MAIL + '<mj-image src="https://shop.example/logo.png" width="120px" />')),
    Case("PC12", "", said('[purposes.marketing]\n', '[purposes.marketing]\ncompatible = ["statistics"]\n')),
    Case("PC13", "", said('regions = ["eu", "us"]', 'regions = ["eu", "us", "ch"]')),
    Case("PC14", "", settings(retention_days=365)),
    Case("PC15", "", {"page": PAGE + HASHING.format("return hashlib.blake2b(shopper.first_name.encode(), key=KEY)")}),
    Case("PC15", "", {"page": PAGE + HASHING.format("return hashlib.sha256(str(shopper.views_7d).encode())")}),
    Case("PC16", "", settings(webhooks=[{"name": "erp", "url": "https://hooks.a.example.net/x", "secret": "env:ERP"}])),
    Case("PC16", "", settings(webhooks=[{"name": "erp", "url": "http://127.0.0.1:9000/x", "secret": "env:ERP"}])),
    Case("PC17", "", {"keys": (KeyGiven(id="1", kind="write", source="web", scopes=("send:events",)),)}),
    Case("PC18", "", {"keys": ()}),
    Case("PC18", "", policy_and(TOLD, WEB, WEB + WEB.replace("web", "livepost"))),
    Case("PC19", "", {"files": {"livepost.toml": 'mail_password = "env:SMTP_PASSWORD_9"\nkey = "file:/run/secrets/a1b2c3d4"\n'}}),
    Case("PC19", "", {"files": {"notes.md": "password: 'correct horse battery staple'\nhttps://shop.example/a?token=short\n"}}),
)  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.rule} {case.told}"[:50])
def test_what_breaks_a_rule_is_found_by_it_alone(case: Case, tmp_path: Path) -> None:
    report = check(given_of(tmp_path, **case.change))
    errors = [one for one in report.findings if one.severity == "error"]
    assert {one.rule for one in errors} == {case.rule}, [str(one) for one in errors]
    told = [one for one in errors if case.told in one.sentence]
    assert told, [one.sentence for one in errors]
    assert any(one.where.startswith(case.where) for one in told), [one.where for one in told]
    assert not report.holds


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.rule} {case.told}"[:50])
def test_a_rule_that_is_not_asked_lets_it_pass(case: Case, tmp_path: Path) -> None:
    others = tuple(rule for rule in RULES if rule.id != case.rule)
    assert check(given_of(tmp_path, **case.change), others).holds


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.rule)
def test_what_is_allowed_raises_no_alarm(case: Case, tmp_path: Path) -> None:
    report = check(given_of(tmp_path, **case.change))
    assert [str(one) for one in report.findings if one.rule == case.rule] == []


def test_the_source_that_is_asked_for_is_the_one_that_records_of_providers_events_have(tmp_path: Path) -> None:
    event = MailEvent(provider="postmark", kind="delivered", event_id="1")
    meant = feedback_of(event, digest, 1_000)
    assert meant is not None
    record = heard(Heard(feedback=meant, new=True, decision=b"d" * 16, person=b"p" * 16), known=True)
    assert record is not None
    with_it = policy_and(TOLD, WEB, WEB + WEB.replace("web", record.source))
    assert check(given_of(tmp_path, **with_it)).holds
    assert not check(given_of(tmp_path, **TOLD)).holds


def test_a_project_that_keeps_its_policy_has_nothing_found(tmp_path: Path) -> None:
    report = check(given_of(tmp_path))
    assert [str(one) for one in report.findings] == []
    assert {one.rule: one.state for one in report.outcomes if one.state != "holds"} == {"PC09": "not_yet"}


def test_every_rule_has_what_breaks_it_and_what_does_not() -> None:
    ids = {rule.id for rule in RULES if not rule.not_yet}
    assert ids == {case.rule for case in BROKEN}
    assert len(RULES) == 20
    assert [rule.id for rule in RULES] == [f"PC{number:02}" for number in range(1, 21)]
    assert min(sum(case.rule == rule for case in BROKEN) for rule in ids) >= 1


def test_a_mail_that_speaks_of_what_it_may_not_know_is_warned_of(tmp_path: Path) -> None:
    report = check(given_of(tmp_path, **mail(MAIL + "{{ gender }}")))
    assert report.holds
    [found] = report.findings
    assert (found.rule, found.severity) == ("PC06", "warning")
    assert "gender will be empty in the mail reminder" in found.sentence
    assert "Shopper.gender <- Identified.gender" in found.sentence


def test_a_rule_that_has_nothing_to_look_at_says_so_and_is_not_green(tmp_path: Path) -> None:
    [lake] = [one for one in check(given_of(tmp_path)).outcomes if one.rule == "PC09"]
    assert (lake.state, "no lake" in lake.note) == ("not_yet", True)


def test_a_project_that_promises_nothing_is_told_so() -> None:
    report = without_policy()
    assert not report.holds
    assert "there is no policy.toml" in report.findings[0].sentence
