"""What processes say on stderr: values are masked however they come there, and the same looks find them without."""

import io
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livepost.observe.redactor import CUT, LINE_MAX, VALUE_MAX, Redactor, masked

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
URL_SAFE = LETTERS + LETTERS.upper() + "-_"


def words(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    """Return words that begin and end with a letter, so that the look for them is exact."""
    inner = st.text(alphabet, min_size=least - 2, max_size=most - 2)
    return st.builds("{}{}{}".format, st.sampled_from("qwz"), inner, st.sampled_from("kxj"))


ADDRESSES = st.builds("{}@{}.example".format, words(LETTERS + ".+_-=", 3, 60), words(LETTERS + "-", 3, 40))
KEYS = st.builds(
    "{}{}".format, st.sampled_from(("lp_secret_", "lp_write_", "sk_live_", "whsec_")), words(URL_SAFE, 16, 60)
)
LINKS = st.sampled_from(("/u/", "/c/", "/o/", "/preferences/", "/confirm/"))
DIGITS = st.text("0123456789", min_size=9, max_size=12)

SECRETS = st.one_of(
    ADDRESSES.map(lambda one: (one, one)),
    ADDRESSES.map(lambda one: (one.replace("@", "%40"), one.replace("@", "%40"))),
    st.ip_addresses(v=4)
    .filter(lambda one: not one.is_loopback and not one.is_unspecified)
    .map(lambda one: (str(one),) * 2),
    st.ip_addresses(v=6)
    .filter(lambda one: not one.is_loopback and not one.is_unspecified)
    .map(lambda one: (str(one),) * 2),
    st.builds("+4{}".format, DIGITS).map(lambda one: (one, one)),
    st.builds("+49 {} {} {}".format, *[st.integers(100, 9999)] * 3).map(lambda one: (one, one)),
    KEYS.map(lambda one: (one, one)),
    words(URL_SAFE, 16, 60).map(lambda one: (one, f"Authorization: Bearer {one}")),
    words(URL_SAFE, 16, 60).map(lambda one: (one, f"(b'x-api-key', b'{one}')")),
    words(URL_SAFE, 16, 60).map(lambda one: (one, f"postgresql://livepost:{one}@db.example/shop")),
    words(URL_SAFE, 16, 60).map(lambda one: (one, f"https://api.example/v1/send?sig={one}")),
    words(URL_SAFE, 16, 60).map(lambda one: (one, f'{{"password": "{one}"}}')),
    st.builds(
        lambda place, one: (one, f"https://mail.shop.example{place}{one}"), LINKS, words(URL_SAFE, 22, VALUE_MAX)
    ),
)
"""What must not be read, and how it is said."""

AROUND = st.sampled_from((" ", "'", '"', "<", "(", "\t", "=> ", "ValueError: ", ": "))


def written(text: str, cuts: list[int]) -> str:
    """Return what comes out of a redactor that a text was written to in pieces."""
    out = io.StringIO()
    stream = Redactor(out)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        stream.write(text[start:end])
    stream.flush()
    return out.getvalue()


@given(SECRETS, AROUND, st.lists(st.integers(0, 10_000), max_size=5))
@example(("2001:db8::17", "[2001:db8::17]:443"), " ", [])
@example(("203.0.113.9", "::ffff:203.0.113.9"), " ", [])
@example(("bounces+ann=shop.example", "bounces+ann=shop.example@mail.example"), " ", [12])
def test_no_value_is_read_however_the_line_is_written(secret: tuple[str, str], around: str, cuts: list[int]) -> None:
    value, said = secret
    line = f"livepost: not done{around}{said} again\nnext\n"
    assert value in line  # the control: without the redactor the same look finds it
    out = written(line, cuts)
    assert value not in out
    assert out.startswith("livepost: not done") and out.endswith("\nnext\n")


@given(SECRETS)
def test_masked_twice_is_masked_once(secret: tuple[str, str]) -> None:
    once = masked(f"said {secret[1]} there")
    assert masked(once) == once


@pytest.mark.parametrize(
    "line",
    [
        "livepost: port 8025 on 127.0.0.1 is taken (Address already in use)",
        "2026-11-24 10:22:33.123 position 1764000000000 of 12, 3.51.3",
        'bounces is not set: say bounces = "bounces@shop.example" in livepost.toml first',
        "To: expected a bare address such as name@shop.example, got something else; fix the profile",
        "engine ended with -9; starting it again in 0.5 s",
        '  File "/srv/livepost/runtime/front/process.py", line 565, in _say',
        'the secret of mail_events: say secret = "env:POSTMARK_SECRET" in livepost.toml',
        "expected a form of /hooks/esp/{provider}, got /u/short; ::1 and 0.0.0.0 are of this host",
    ],
)
def test_what_says_nothing_of_anybody_stays(line: str) -> None:
    assert masked(line) == line


def test_a_line_at_its_bound_is_whole_and_one_beyond_is_cut_with_what_the_cut_went_through() -> None:
    at = "a " * (LINE_MAX // 2)
    assert masked(at) == at
    beyond = "b " * ((LINE_MAX - 10) // 2) + "ann.mueller@shop.example"
    told = written(f"{beyond}\nnext\n", [])
    assert "ann" not in told and told.endswith(f"{CUT}\nnext\n")
    assert len(told) == LINE_MAX - VALUE_MAX + len(f"{CUT}\nnext\n")


def test_of_a_line_without_end_only_the_bound_is_kept() -> None:
    out = io.StringIO()
    stream = Redactor(out)
    for _ in range(100):
        stream.write("x" * 10_000)
    stream.write("\n")
    assert len(out.getvalue()) <= LINE_MAX + len(CUT) + 1


SPEAKERS = {
    "print": "print(VALUE, file=sys.stderr)",
    "an error that ends the process": "raise RuntimeError(VALUE)",
    "an error of a thread": "threading.Thread(target=lambda: int(VALUE)).start()",
    "an error of a task that nobody awaits": (
        "async def fail(): raise RuntimeError(VALUE)\n"
        "async def main():\n    task = asyncio.ensure_future(fail())\n    await asyncio.sleep(0.01)\n"
        "    del task\n    gc.collect()\nasyncio.run(main())"
    ),
    "a warning": "warnings.warn(VALUE)",
    "a logger that nobody set up": "logging.getLogger('x').error('no %s', VALUE)",
    "a logger that was set up": "logging.basicConfig(); logging.getLogger('x').warning('no %s', VALUE)",
    "uvicorn's logger": (
        "import uvicorn; uvicorn.Config('x:y', log_level='warning')\n"
        "try: int(VALUE)\nexcept ValueError:\n    "
        "logging.getLogger('uvicorn.error').exception('Exception in ASGI application')"
    ),
    "an error that is thrown away": "class Odd:\n    def __del__(self): raise RuntimeError(VALUE)\nOdd()",
    "a last word": "sys.exit(VALUE)",
}


def said(program: str, *, redactor: bool) -> str:
    """Return what a process of its own says on stderr."""
    before = "import asyncio, gc, logging, sys, threading, warnings\n"
    before += "from livepost.observe.redactor import mask_stderr\nmask_stderr()\n" if redactor else ""
    # the value is put together so that no traceback's source line has it
    before += "VALUE = '@'.join(('canary', 'shop.example'))\n"
    run = [sys.executable, "-c", before + program]
    return subprocess.run(run, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("way", SPEAKERS)
def test_every_way_to_stderr_goes_through_it(way: str) -> None:
    assert "canary@shop.example" in said(SPEAKERS[way], redactor=False), "the control: it is said without"
    told = said(SPEAKERS[way], redactor=True)
    assert "[address]" in told and "canary" not in told
