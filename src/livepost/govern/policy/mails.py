"""Rules about mails: special categories, addresses of links, unsubscribe, tracking."""

from __future__ import annotations

import re
from collections.abc import Iterator

from livepost.govern.policy.code import leaks
from livepost.govern.policy.finding import Found
from livepost.govern.policy.given import Given
from livepost.govern.policy.liquid import addresses_in, flows, names_in
from livepost.project.reads import MailReads

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
DIGITS = re.compile(r"\+?\d[\d ()/-]{7,}\d")
PIXEL = re.compile(r"<(?:mj-image|img)\b[^>]*?\bsrc\s*=\s*[\"'](https?://[^\"']*)[\"'][^>]*>", re.I)
TINY = re.compile(r"\b(?:width|height)\s*[=:]\s*[\"']?\s*[01](?:px)?\b", re.I)


def no_special(given: Given) -> Iterator[Found]:
    """PC07: what is of a special category (GDPR art. 9) is in no subject and no template."""
    special = {name: one.special for name, one in given.policy.fields.items() if one.special}
    of = {
        feature: next((leaf for leaf in given.purposes.leaves(given.purposes.feature(feature)) if leaf in special), "")
        for feature in given.features
    }
    for mail in given.mails:
        for feature, place in given.used(mail).items():
            if of.get(feature):
                yield Found(
                    f"the mail {mail.template} of {mail.campaign} speaks of {feature}, which is of the special "
                    f"category {special[of[feature]]!r} ({of[feature]}); a mail is read by others, too: take it out",
                    place,
                )


def no_value_as_name(given: Given) -> Iterator[Found]:
    """PC08: no personal value is a key, a partition path, a label, a field of a log, or part of a URL."""
    personal = set(given.personal_features)
    for mail in given.mails:
        for path, text in given.sources(mail.template):
            carried = flows(text, given.carried(mail))
            for one in addresses_in(text):
                for feature in sorted(carried.get(one.name, frozenset()) & personal):
                    yield Found(
                        f"a link of the mail {mail.template} carries {feature}, which ends up in logs of whoever it "
                        "leads to; leave it out of the address",
                        f"{path}:{one.line}",
                    )
    for path, text in given.files.items():
        if path.endswith(".py") and "/" not in path:
            for line, told in leaks(text, _personal_names(given)):
                yield Found(f"{told}; leave the value out", f"{path}:{line}")
    for what, name, where in _labels(given):
        if EMAIL.search(name) or DIGITS.fullmatch(name):
            yield Found(
                f"the {what} {name[:2]}... looks like somebody's address or number, and names of this kind are labels "
                "of metrics and part of records; call it something else",
                where,
            )


def unsubscribe(given: Given) -> Iterator[Found]:
    """PC10: a marketing mail has a way to unsubscribe, and the shop's postal address."""
    marketing = [mail for mail in given.mails if mail.class_ == "marketing"]
    if marketing and not given.settings.shop_address.strip():
        yield Found("shop_address is empty, which marketing has to carry; write it", given.in_settings("shop_address"))
    for mail in marketing:
        sources = list(given.sources(mail.template))
        named = {one.name for _, text in sources for one in names_in(text)}
        for variable, what in (("unsubscribe_url", "no link to unsubscribe"), ("shop_address", "no postal address")):
            if sources and variable not in named:
                yield Found(
                    f"the mail {mail.template} of {mail.campaign} is marketing and has {what}; "
                    f"write {{{{ {variable} }}}} into it",
                    sources[0][0],
                )


def tracking(given: Given) -> Iterator[Found]:
    """PC11: whoever is watched is watched for a purpose: behaviour, openings, pictures of others."""
    opens, known = given.settings.opens, given.policy.purposes
    if opens and opens in known and known[opens].basis != "consent":
        yield Found(
            f"openings of mails are seen for {opens}, whose basis is {known[opens].basis}; only consent allows that",
            given.in_settings("opens"),
        )
    if opens and opens not in known and opens != "open_tracking":
        yield Found(
            f'openings of mails are seen for {opens}, which is none of [purposes]; declare it, or say opens = ""',
            given.in_settings("opens"),
        )
    for event in given.compiled.events:
        if not given.purposes.of(event.cls):
            yield Found(
                f"{event.cls} is collected for no purpose; name some in [events] or [defaults]",
                given.in_policy("events", event.cls),
            )
    for mail in given.mails:
        yield from _pictures(given, mail)


def _pictures(given: Given, mail: MailReads) -> Iterator[Found]:
    """Yield pictures of other hosts that tell who opened a mail: tiny ones, and those whose address depends on them."""
    for path, text in given.sources(mail.template):
        for found in PIXEL.finditer(text):
            if TINY.search(found.group()) or "{{" in found[1]:
                yield Found(
                    f"the mail {mail.template} has a picture that tells another host who opened it; the setting "
                    "`opens` does that with consent",
                    f"{path}:{text.count(chr(10), 0, found.start()) + 1}",
                )


def _personal_names(given: Given) -> set[str]:
    """Return what personal values are called in an author's code."""
    fields = (name.rpartition(".")[2] for name in given.purposes.personal if name.count(".") == 1)
    own = {one.rpartition(".")[2] for one in given.personal_features.values()}
    return {*given.personal_features, *(name for name in fields if name in own)}


def _labels(given: Given) -> Iterator[tuple[str, str, str]]:
    """Yield names that become labels and parts of records: what, the name, its place."""
    settings = given.settings
    yield "workspace", settings.workspace, given.in_settings("workspace")
    for key in given.keys:
        yield "source of the key " + key.id, key.source, "keys.json"
    for pipeline in given.policy.pipelines:
        yield "pipeline", pipeline, given.in_policy("pipelines", pipeline)
    for one in given.outgoing:
        yield one.kind, one.name, "livepost.toml"
    for audience in settings.audiences:
        for label in (*audience.segments.values(), *audience.fields.values()):
            yield "audience's list", label, given.in_settings("audiences", audience.name)
