"""A line to the collector."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from livepost.demo.line import Browser, FeedError, Line
from tests.unit.demo.collector import DROP, OK, collector

BATCH = b'{"batch":[{"messageId":"m"}]}'


def test_a_batch_is_sent_once_with_the_secret_key() -> None:
    with collector() as heard:
        line = Line(heard.url, "sk")
        line.deliver(BATCH)
        line.close()
    assert heard.events == [{"messageId": "m"}]
    assert heard.headers[0]["Authorization"] == "Basic c2s6"
    assert (line.requests, line.retries) == (1, 0)


@pytest.mark.parametrize("trouble", [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"}), (503, {}), DROP])
def test_a_batch_that_was_not_acknowledged_is_sent_again_word_by_word(trouble: tuple[int, dict[str, str]]) -> None:
    with collector(trouble, trouble) as heard:
        line = Line(heard.url, "sk")
        line.deliver(BATCH)
        line.close()
    assert heard.refused == [heard.batches[0]] * 2
    assert (line.requests, line.retries) == (3, 2)


def test_a_connection_that_the_collector_closed_is_opened_again() -> None:
    with collector(OK, DROP) as heard:
        line = Line(heard.url, "sk")
        line.deliver(BATCH)
        line.deliver(BATCH)
        line.close()
    assert len(heard.batches) == 2


def test_a_refused_key_is_told_at_once() -> None:
    with collector((401, {})) as heard:
        line = Line(heard.url, "wrong")
        with pytest.raises(FeedError, match=r"expected 200, 429 or 503.*got 401.*check the secret key"):
            line.deliver(BATCH)
        line.close()
    assert line.requests == 1


def test_patience_ends() -> None:
    with collector(*[(503, {"Retry-After": "0"})] * 50_000) as heard:
        line = Line(heard.url, "sk", patience_s=0.05)
        with pytest.raises(FeedError, match=r"within 0\.05 s, got status 503: see whether the front runs"):
            line.deliver(BATCH)
        line.close()
    assert heard.batches == []


def test_a_longer_pause_than_the_patience_left_is_not_waited_for() -> None:
    with collector((429, {"Retry-After": "5"})) as heard:
        line = Line(heard.url, "sk", patience_s=1)
        with pytest.raises(FeedError, match="got status 429"):
            line.deliver(BATCH)
        line.close()


def test_any_answer_tells_that_the_collector_is_there() -> None:
    with collector() as heard:
        line = Line(heard.url, "sk")
        line.wait_for_answer()
        line.close()


def test_a_collector_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FeedError, match=r"expected an answer from .* got ConnectionRefusedError"):
        Line(f"http://127.0.0.1:{port}", "sk", patience_s=0).wait_for_answer()


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:8300", ""])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(FeedError, match="expected the collector's address"):
        Line(url, "sk")


def test_a_browser_asks_with_its_own_name_follows_nothing_and_sends_forms() -> None:
    asked: list[tuple[str, str, str, bytes]] = []

    class House(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            asked.append((self.command, self.path, self.headers["User-Agent"], self.rfile.read(size)))
            self.send_response(302)
            self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"on")

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), House) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        browser = Browser(f"http://127.0.0.1:{server.server_port}")
        assert browser.get("https://shop.example/c/t1", "A phone") == b"on"
        assert browser.post("https://shop.example/u/t1", "A phone", [("a", "1"), ("a", "& 2")]) == b"on"
        browser.close()
        server.shutdown()
    assert asked == [("GET", "/c/t1", "A phone", b""), ("POST", "/u/t1", "A phone", b"a=1&a=%26+2")]
    assert browser.get("https://shop.example/c/t1", "A phone") is None  # nobody listens any more


def test_the_api_is_asked_once_with_the_key_that_makes_it_one() -> None:
    with collector() as heard:
        line = Line(heard.url, "sk")
        assert line.ask("POST", "/api/broadcasts", BATCH, "letter-1") == (200, b"{}")
        line.close()
    assert heard.headers[0]["Idempotency-Key"] == "letter-1"
    with pytest.raises(FeedError, match="expected an answer from"):
        line.ask("GET", "/api/segments")
