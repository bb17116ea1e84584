"""The snippet as it is served: how heavy, how long it is kept, and that it is still the readable file."""

from __future__ import annotations

import gzip
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from livepost.collect import snippet
from livepost.collect.limits import MAX_EVENT_BYTES
from livepost.collect.snippet import MAX_SNIPPET_BYTES, load_snippet, stripped
from livepost.intake.context import CONSENT_EVENT
from livepost.project import ecommerce
from livepost.project.event import Event, event_name

SOURCE = Path(snippet.__file__).with_name("livepost.js").read_text()

BASES = {"ProductEvent", "OrderEvent", "CheckoutStep", "CouponEvent"}


def number(name: str) -> int:
    """Return a bound that the snippet names."""
    (found,) = re.findall(rf"const {name} = (\d+);", SOURCE)
    return int(found)


def test_it_weighs_at_most_4_kb_gzipped() -> None:
    body = load_snippet().packed.body
    assert len(body) <= MAX_SNIPPET_BYTES == 4096
    assert gzip.decompress(body) == load_snippet().plain.body


def test_the_readable_file_would_be_too_heavy_so_the_weight_is_measured_and_not_assumed() -> None:
    assert len(gzip.compress(SOURCE.encode(), 9)) > MAX_SNIPPET_BYTES


def test_only_comments_indentation_and_empty_lines_are_left_out() -> None:
    assert stripped("  // why\n  a('// b'); // c\n\n\tb();") == "a('// b'); // c\nb();\n"
    kept = load_snippet().plain.body.decode().splitlines()
    assert kept == [line.strip() for line in SOURCE.splitlines() if line.strip() and line.strip()[:2] != "//"]


def test_no_string_or_template_of_it_goes_over_several_lines_so_leaving_lines_out_is_safe() -> None:
    lines = [line for line in SOURCE.splitlines() if not line.strip().startswith("//")]
    assert [line for line in lines if line.count("`") % 2 or line.count('"') % 2 or "/*" in line] == []


def test_it_evaluates_nothing_and_writes_no_style_and_no_cookie() -> None:
    forbidden = r"\beval\b|new Function|innerHTML|\.style\b|document\.write|\.cookie\b|setTimeout\(\s*[\"'`]"
    code = load_snippet().plain.body.decode()
    assert re.findall(forbidden, code) == []
    assert re.findall(forbidden, code + "eval(x); document.cookie = y; setTimeout('z')") != []


def test_it_names_this_version_and_the_intakes_word_for_consent() -> None:
    assert f'const VERSION = "{version("livepost")}";' in SOURCE
    assert f'const CONSENT_EVENT = "{CONSENT_EVENT}";' in SOURCE


def test_its_ecommerce_words_are_segments_events() -> None:
    (table,) = re.findall(r"const ECOMMERCE = \{(.*?)\};", SOURCE, re.DOTALL)
    told = {
        f"{thing} {happening}"
        for thing, happenings in re.findall(r'"?([A-Z][\w ]*)"?: "([^"]+)"', table)
        for happening in happenings.split(",")
    }
    kinds = [one for one in vars(ecommerce).values() if isinstance(one, type) and issubclass(one, Event)]
    declared = {
        event_name(kind) for kind in kinds if kind.__module__ == ecommerce.__name__ and kind.__name__ not in BASES
    }
    assert told == declared


def test_its_bounds_are_within_the_collectors() -> None:
    assert number("MAX_CALL_BYTES") <= MAX_EVENT_BYTES
    assert number("MAX_CALL_BYTES") < number("MAX_PIECE_BYTES") < 64 * 1024


def test_it_is_served_to_any_page_kept_for_a_while_and_not_taken_for_anything_else(collector: Any) -> None:
    reply = collector.send("GET", "/livepost.js")
    assert (reply.status, reply.body) == (200, load_snippet().plain.body)
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=3600"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["vary"] == "Accept-Encoding"
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "gzip; q=1.0, deflate"])
def test_it_is_gzipped_for_whoever_takes_that(collector: Any, accepted: str) -> None:
    reply = collector.send("GET", "/livepost.js", accept_encoding=accepted)
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body) == load_snippet().plain.body


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped"])
def test_it_is_plain_for_whoever_does_not(collector: Any, accepted: str) -> None:
    reply = collector.send("GET", "/livepost.js", accept_encoding=accepted)
    assert "content-encoding" not in reply.headers
    assert reply.body == load_snippet().plain.body


@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_a_browser_that_has_it_is_told_so(collector: Any, accepted: str) -> None:
    etag = collector.send("GET", "/livepost.js", accept_encoding=accepted).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        reply = collector.send("GET", "/livepost.js", accept_encoding=accepted, if_none_match=known)
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)
    assert collector.send("GET", "/livepost.js", accept_encoding=accepted, if_none_match='"other"').status == 200


def test_its_forms_have_tags_of_their_own(collector: Any) -> None:
    assert load_snippet().plain.etag != load_snippet().packed.etag


def test_head_tells_all_but_the_body(collector: Any) -> None:
    get, head = (collector.send(method, "/livepost.js", accept_encoding="gzip") for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


def test_it_cannot_be_posted_to(collector: Any) -> None:
    reply = collector.send("POST", "/livepost.js")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
