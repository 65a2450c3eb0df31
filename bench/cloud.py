"""What the official line costs: whole ways against the fake of Meta's server, and Meta's statuses alone."""

import asyncio
import hmac
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import orjson

from bench.figures import Figure, mega, micro, middle, milli, share, spread
from bench.filling import fill
from bench.load import drive, request
from bench.server import API, CLOCK, ROOT, Server, served
from bench.soaking import slope
from guvercin.cli.graph import APP_SECRET, BUSINESS_ID, NUMBER_ID, TOKEN, VERIFY_TOKEN
from guvercin.store.sqlite import FILE_NAME, engine_for

_ROUNDS = 3
_CYCLES = 3_000
_STATUSES = 5_000
_STEADY = 100
_SECONDS = 20
_DELAY = 0.05
_numbers = count()


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _fake(port: int, *options: str) -> AsyncIterator[int]:
    """Run the fake of Meta's server; answers its process id."""
    command = ["-m", "guvercin", "deneme-graph", "--port", str(port), "--sinirsiz", *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        for _ in range(1_000):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await CLOCK.sleep_until(CLOCK.monotonic() + 0.02)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _town(*options: str, is_told: bool = True, folder: Path | None = None) -> AsyncIterator[tuple[Server, int]]:
    """Run a server with one more cloud account and the fake that it sends to; answers the server and the account."""
    port = _free_port()
    async with AsyncExitStack() as stack:
        settings = {"GUVERCIN_GRAPH_URL": f"http://127.0.0.1:{port}"}
        server = await stack.enter_async_context(served(settings=settings, folder=folder))
        account_id = _next_account(server)
        told = ["--webhook", f"http://127.0.0.1:{server.port}/meta/webhook/{account_id}"] if is_told else []
        await stack.enter_async_context(_fake(port, *options, *told))
        form = {"sablon_adi": "fatura_hazir", "dil": "tr", "yerler": ["mesaj"]}
        given = {
            "numara_id": NUMBER_ID,
            "isletme_id": BUSINESS_ID,
            "erisim_anahtari": TOKEN,
            "uygulama_sirri": APP_SECRET,
            "dogrulama_sozu": VERIFY_TOKEN,
            "sablonlar": {"10": form},
        }
        await server.ask("POST", f"{API}/hesaplar", {"isim": "Bulut", "tur": "cloud", "bulut": given})
        gap = {"en_az": 0.0, "en_cok": 0.0}
        await server.ask("PATCH", f"{API}/hesaplar/{account_id}", {"araliklar": {"tekli": gap, "toplu": gap}})
        yield server, account_id


def _next_account(server: Server) -> int:
    with engine_for(server.folder / FILE_NAME, query_only=True).connect() as connection:
        return int(connection.exec_driver_sql("SELECT max(id) + 1 FROM account").scalar_one())


def _body(account_id: int) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "telefon": f"+90532{number % 10_000_000:07d}",
        "mesaj": f"Randevunuz yarın 14.30'da. ({number})",
        "hesap_id": account_id,
    }


def _sends(server: Server, account_id: int, amount: int) -> Iterator[bytes]:
    for _ in range(amount):
        yield request(
            "POST",
            f"{API}/gonder",
            token=server.token,
            body=orjson.dumps(_body(account_id)),
            headers=(("Prefer", "respond-async"),),
        )


async def _whole(server: Server, account_id: int, amount: int) -> tuple[float, float]:
    """Answer the server's CPU per message from accept to read, and how many were sent a second."""
    before, began = server.cpu(), CLOCK.monotonic()
    await drive(server.port, _sends(server, account_id, amount))
    await _none_left(server, "status IN ('queued', 'sending')")
    rate = amount / (CLOCK.monotonic() - began)
    await _none_left(server, "status IN ('queued', 'sending', 'sent', 'delivered')")
    return (server.cpu() - before) / amount, rate


async def _none_left(server: Server, where: str) -> None:
    while server.count(where):
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.1)


async def cloud() -> list[Figure]:
    """Take messages the whole way over the fake Graph: accept, send, and three signed statuses each."""
    figures: list[Figure] = []
    for label, options, wanted in (
        ("one status a webhook", ("--gecikme", "0"), "≤ 1,600 µs"),
        ("20 statuses a webhook", ("--gecikme", "0", "--grup", "20"), "≤ 1,000 µs"),
    ):
        async with _town(*options) as (server, account_id):
            await _whole(server, account_id, _CYCLES // 4)
            rounds = [await _whole(server, account_id, _CYCLES) for _ in range(_ROUNDS)]
        cpus = [cpu for cpu, _ in rounds]
        figures += [
            Figure(name=f"{label}: CPU per message", value=f"{micro(middle(cpus))}  [{spread(cpus)}]", wanted=wanted),
            Figure(name=f"{label}: sent a second", value=f"{middle([rate for _, rate in rounds]):,.0f}"),
        ]
    return [*figures, await _steady()]


async def _steady() -> Figure:
    """Send at a steady rate, wait for each acknowledgement, and take the fake's own delay off."""
    waits: list[float] = []
    async with _town("--gecikme", str(_DELAY)) as (server, account_id), aiohttp.ClientSession() as client:

        async def send(at: float, *, counts: bool) -> None:
            await CLOCK.sleep_until(at)
            headers = {"Authorization": f"Bearer {server.token}"}
            url = f"http://127.0.0.1:{server.port}{API}/gonder"
            async with client.post(url, json=_body(account_id), headers=headers) as answer:
                await answer.read()
            if counts:
                waits.append(CLOCK.monotonic() - at - _DELAY)

        began = CLOCK.monotonic() + 0.5
        moments = [began + number / _STEADY for number in range(_STEADY * _SECONDS)]
        await asyncio.gather(*(send(at, counts=at - began > 2) for at in moments))
    value = f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))}"
    return Figure(name=f"{_STEADY} a second, p50 / p99 over Meta's delay", value=value, wanted="p99 ≤ 15 ms")


async def soak(minutes: int, rate: int) -> list[Figure]:
    """Send so many messages a second the whole way over the fake Graph, and watch the memory."""
    sizes: list[tuple[float, int]] = []
    async with _town("--gecikme", str(_DELAY)) as (server, account_id):
        began, cpu = CLOCK.monotonic(), server.cpu()
        for second in range(1, minutes * 60 + 1):
            await drive(server.port, _sends(server, account_id, rate), connections=8)
            if second % 30 == 0:
                sizes.append(((CLOCK.monotonic() - began) / 60, server.rss()))
                print(f"  minute {sizes[-1][0]:5.1f}: {mega(server.rss())}", flush=True)
            await CLOCK.sleep_until(began + second)
        spent = (server.cpu() - cpu) / (CLOCK.monotonic() - began)
        await _none_left(server, f"account_id = {account_id} AND status <> 'read'")
        sent = server.count("status = 'read'")
    calm = [(minute, rss) for minute, rss in sizes if minute >= minutes / 2]
    return [
        Figure(name="messages read, of those asked for", value=f"{sent:,} of {rate * minutes * 60:,}"),
        Figure(name="memory (RSS), first / last", value=f"{mega(sizes[0][1])} / {mega(sizes[-1][1])}", wanted="flat"),
        Figure(name=f"its slope after {calm[0][0]:.0f} minutes", value=f"{slope(calm) / 1e6:+.2f} MB an hour"),
        Figure(name="CPU", value=f"{spent:.0%} of a core"),
    ]


async def grown(rows: int) -> list[Figure]:
    """Take Meta's statuses alone into a log that is long already."""
    with TemporaryDirectory(prefix="guvercin-bench-") as folder:
        filled = fill(Path(folder), rows, waiting=0)
        print(f"  filled {rows:,} rows in {filled.took:,.0f} s, {mega(filled.size)}", flush=True)
        return await statuses(Path(folder))


async def statuses(folder: Path | None = None) -> list[Figure]:
    """Take Meta's statuses alone: one in a call, twenty in a call, and a kill -9 right after the last answer."""
    async with _town("--gecikme", "0", is_told=False, folder=folder) as (server, account_id):
        await drive(server.port, _sends(server, account_id, _STATUSES))
        await _none_left(server, f"account_id = {account_id} AND status IN ('queued', 'sending')")
        ids = _remote_ids(server, account_id)
        figures = []
        for label, word, size in (("one", "delivered", 1), ("twenty", "read", 20)):
            before = server.cpu()
            load = await drive(server.port, _calls(account_id, ids, word, size), connections=32)
            if load.refused:
                raise RuntimeError(load.last.decode())
            cost, rate = (server.cpu() - before) / len(ids), len(ids) / load.took
            figures += [
                Figure(
                    name=f"{label} in a call: CPU per status", value=micro(cost), wanted="≤ 150 µs" if size > 1 else ""
                ),
                Figure(name=f"{label} in a call: kept a second", value=f"{rate:,.0f}", wanted="≥ 3,000"),
            ]
        os.kill(server.pid, signal.SIGKILL)
        lost = server.count(f"account_id = {account_id} AND status != 'read'")
    return [*figures, Figure(name="lost by kill -9 after the last answer", value=f"{lost} of {len(ids)}", wanted="0")]


def _remote_ids(server: Server, account_id: int) -> list[str]:
    with engine_for(server.folder / FILE_NAME, query_only=True).connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT remote_id FROM message WHERE account_id = ? ORDER BY id", (account_id,)
        )
        return [row[0] for row in rows]


def _calls(account_id: int, ids: list[str], word: str, size: int) -> Iterator[bytes]:
    """Write signed calls of so many statuses each."""
    for first in range(0, len(ids), size):
        items = [
            {"id": remote_id, "status": word, "timestamp": "1771846200", "recipient_id": "905320000000"}
            for remote_id in ids[first : first + size]
        ]
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER_ID}, "statuses": items}
        told = {"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
        body = orjson.dumps({"object": "whatsapp_business_account"} | told)
        signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, sha256).hexdigest()
        path = f"/meta/webhook/{account_id}"
        yield request("POST", path, token="", body=body, headers=(("X-Hub-Signature-256", signature),))
