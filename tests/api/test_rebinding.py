"""A webhook whose name leads out when it is written down and inside a moment later, in the whole gateway.

A real server process asks the system for names, and nothing but the system answers it: the question is answered here at
the seam that production has for it too (`Outside.look_up`). Everything else is as it runs.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.api.conftest import BASE, connecting, serve
from tests.e2e.server import free_port

from guvercin.core.address import Neighbours
from guvercin.gateway.calling import Outside

OUTER, INNER = "127.77.0.1", "127.0.0.1"
"""Addresses of this machine: the first plays one on the internet, for the owner allowed it; the second is inside."""


class Names:
    """The one who owns the name: answers `leads_to`, and notes what was asked."""

    def __init__(self) -> None:
        self.leads_to = OUTER
        self.asked = 0

    async def __call__(self, _: str) -> Sequence[str]:
        self.asked += 1
        return [self.leads_to]


@asynccontextmanager
async def listening(host: str, port: int) -> AsyncIterator[list[bytes]]:
    """Listen, answer every call with 200 and close; yields what has come."""
    calls: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, host, port)
    async with server:
        yield calls


async def test_nothing_reaches_what_lies_inside(tmp_path: Path, empty_database: Path) -> None:
    port, names = free_port(), Names()
    async with (
        listening(OUTER, port) as outside,
        listening(INNER, port) as inside,
        serve(tmp_path, empty_database, webhook_allow=(OUTER,)) as server,
    ):
        clock = server.clock
        server.house.couriers._open_way = lambda: Outside(
            Neighbours.read([OUTER]), clock.monotonic, limit=2, look_up=names
        )

        async def until(count: int) -> None:
            for _ in range(400):
                if len(outside) >= count and names.asked >= count:
                    return
                await clock.sleep_until(clock.monotonic() + 0.05)
            raise AssertionError(f"{len(outside)} calls, {names.asked} questions")

        with connecting(server.app) as connect:
            async with connect(await server.token()) as client:
                asked = {"url": f"http://magaza.example:{port}/webhook", "olaylar": ["mesaj.gonderildi"]}
                hook = (await client.post("/api/v1/webhooks", json=asked)).json()["data"]["id"]
                message = {"telefon": "+905000000003", "mesaj": "Merhaba"}
                await client.post(f"{BASE}/gonder", json=message)
                await until(1)
                assert b"mesaj.gonderildi" in outside[0]

                names.leads_to = INNER
                deliveries: list[dict[str, Any]] = []
                await client.post(f"{BASE}/gonder", json=message | {"mesaj": "Yine"})
                for _ in range(400):
                    deliveries = (await client.get(f"/api/v1/webhooks/{hook}/bildirimler")).json()["data"]
                    if len(deliveries) == 2 and deliveries[0]["deneme_sayisi"]:
                        break
                    await clock.sleep_until(clock.monotonic() + 0.05)
                assert (deliveries[0]["durum"], deliveries[0]["neden"]) == ("bekliyor", "adres_kapali")
                tried = (await client.post(f"/api/v1/webhooks/{hook}/dene")).json()["data"]
                assert (tried["kabul"], tried["neden"]) == (False, "adres_kapali")

                names.leads_to = OUTER
                again = await client.post(f"/api/v1/webhooks/{hook}/bildirimler/{deliveries[0]['id']}/yeniden")
                assert again.status_code == 200
                await until(2)
        assert inside == []
        assert len(outside) == 2
