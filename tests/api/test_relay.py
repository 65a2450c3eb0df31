"""Calls about one account's line find the gateway that runs it, and are carried once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from guvercin.api.relay import CARRIED, Answer, Relay, account_of
from guvercin.testing.clock import ManualClock

API = "/api/v1/whatsapp"


@pytest.mark.parametrize(
    ("method", "path", "account"),
    [
        ("POST", f"{API}/hesaplar/7/bagla", 7),
        ("GET", f"{API}/hesaplar/7/bagla/qr.png", 7),
        ("GET", f"{API}/hesaplar/7/saglik", 7),
        ("POST", f"{API}/hesaplar/7/duraklat", 7),
        ("PATCH", f"{API}/hesaplar/7", 7),
        ("DELETE", f"{API}/hesaplar/7", 7),
        ("POST", "/meta/webhook/7", 7),
        ("GET", "/meta/webhook/7", 7),
        ("POST", "/panel/hesaplar/7/sil", 7),
        ("GET", "/panel/hesaplar/7/bagla", 7),
        ("GET", f"{API}/numara-kontrol?hesap_id=7&telefon=1", 7),
        ("GET", f"{API}/numara-kontrol", None),
        ("GET", f"{API}/hesaplar/7", None),
        ("GET", "/panel/hesaplar/7", None),
        ("GET", f"{API}/hesaplar", None),
        ("POST", f"{API}/hesaplar", None),
        ("POST", f"{API}/gonder", None),
        ("POST", f"{API}/hesaplar/{'9' * 40}/bagla", None),
    ],
)
def test_few_calls_need_a_line(method: str, path: str, account: int | None) -> None:
    assert account_of(scope(method, path)) == account


def scope(method: str, path: str, *headers: tuple[bytes, bytes]) -> Scope:
    plain, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "headers": list(headers),
        "client": ("203.0.113.9", 5),
        "scheme": "https",
    }


class Wires:
    """A gateway of two: what it has answered itself, and what was asked of the other one."""

    def __init__(self, *addresses: str | None) -> None:
        self.clock = ManualClock()
        self.asked: list[tuple[str, str, Sequence[tuple[str, str]], bytes]] = []
        self.own: list[bytes] = []
        self.sent: list[Message] = []
        self.is_down = False
        self._addresses = list(addresses)
        self.relay = Relay(self._answer, where=self._where, ask=self._ask, clock=self.clock)

    async def call(self, scope: Scope, *body: bytes) -> None:
        messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": number < len(body)}
            for number, part in enumerate(body, start=1)
        ]

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self.relay(scope, receive, send)

    async def _where(self, _: int) -> str | None:
        return self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]

    async def _ask(self, *asked: Any) -> Answer:
        self.asked.append(asked)
        if self.is_down:
            raise ConnectionError
        return 202, [(b"content-type", b"text/plain")], b"oradan"

    async def _answer(self, _: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        self.own.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def test_a_call_is_carried_as_it_came_and_answered_as_it_was() -> None:
    wires = Wires("http://10.0.0.2:8080")
    asked = scope("POST", "/meta/webhook/7?a=%20b", (b"x-hub-signature-256", b"sha256=ab"), (b"connection", b"close"))
    await wires.call(asked, b"bir", b"iki")
    ((method, url, headers, body),) = wires.asked
    assert (method, url, body) == ("POST", "http://10.0.0.2:8080/meta/webhook/7?a=%20b", b"biriki")
    assert dict(headers) == {
        "x-hub-signature-256": "sha256=ab",
        CARRIED.decode(): "1",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
    }
    assert wires.own == []
    assert wires.sent == [
        {"type": "http.response.start", "status": 202, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.body", "body": b"oradan"},
    ]


@pytest.mark.parametrize("why", ["ours", "carried", "down", "nobodys"])
async def test_what_is_not_carried_is_answered_here(why: str) -> None:
    wires = Wires({"ours": "", "nobodys": None}.get(why, "http://10.0.0.2:8080"))
    wires.is_down = why == "down"
    headers = [(CARRIED, b"1")] if why == "carried" else []
    calling = wires.call(scope("POST", f"{API}/hesaplar/7/bagla", *headers), b"bir", b"iki")
    if why == "nobodys":
        waiting = asyncio.create_task(calling)
        for _ in range(40):
            await wires.clock.settle()
            wires.clock.advance(timedelta(seconds=0.1))
        await waiting
    else:
        await calling
    assert wires.own == [b"biriki"]
    assert len(wires.asked) == (1 if why == "down" else 0)


async def test_an_account_on_its_way_is_waited_for() -> None:
    wires = Wires(None, None, "http://10.0.0.2:8080")
    calling = asyncio.create_task(wires.call(scope("POST", f"{API}/hesaplar/7/devam"), b"{}"))
    for _ in range(3):
        await wires.clock.settle()
        wires.clock.advance(timedelta(seconds=0.1))
    await calling
    assert len(wires.asked) == 1
