"""`uyari` at a terminal: what is the matter, and a trial over every channel."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.cli.running import Guvercin, free_port


@contextmanager
def topic(status: int) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Stand in for an ntfy server on this machine; lend a topic's address and what was published there."""
    taken: list[tuple[str, str, bytes]] = []

    class Topic(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.path, self.headers["x-title"], body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Topic)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dukkan", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_the_matter_on_an_empty_day(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    assert guvercin("uyari").out == "All is well.\n"
    assert guvercin("alert", "--json").json == {"ok": True, "data": []}


def test_without_a_channel_a_trial_says_how_to_get_one(guvercin: Guvercin) -> None:
    refused = guvercin("uyari", "dene", code=1)
    assert "No channel is set up" in refused.err
    assert "GUVERCIN_ALERT_NTFY" in refused.err


def test_a_trial_arrives_and_says_so(guvercin: Guvercin) -> None:
    with topic(200) as (address, taken):
        guvercin.env["GUVERCIN_ALERT_NTFY"] = address
        assert guvercin("uyari", "dene").out == "ntfy: Sent\n"
        assert guvercin("alert", "test", "--json").json == {"ok": True, "data": {"ntfy": None}}
    assert [path for path, _, _ in taken] == ["/dukkan", "/dukkan"]
    assert all(title and body for _, title, body in taken)


def test_a_channel_that_takes_nothing_is_named(guvercin: Guvercin) -> None:
    with topic(500) as (address, taken):
        guvercin.env["GUVERCIN_ALERT_NTFY"] = address
        refused = guvercin("uyari", "dene", code=1)
    assert len(taken) == 1
    assert "olumsuz_yanit" in refused.out
    assert "Not every channel took it: ntfy" in refused.err


def test_one_of_two_channels_is_partly_done(guvercin: Guvercin) -> None:
    with topic(200) as (address, _):
        guvercin.env |= {
            "GUVERCIN_ALERT_NTFY": address,
            "GUVERCIN_ALERT_EMAIL": "owner@shop.example",
            "GUVERCIN_SMTP_HOST": "127.0.0.1",
            "GUVERCIN_SMTP_PORT": str(free_port()),
        }
        done = guvercin("uyari", "dene", code=4)
    assert "ntfy: Sent" in done.out
    assert "Not every channel took it" in done.err
