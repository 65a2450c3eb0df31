"""What the panel costs: every page on a long log, what a first visit takes over the wire, and pages that stay open."""

import asyncio
import gzip
import re
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex

from bench.figures import Figure, middle, milli, share
from bench.filling import fill
from bench.server import API, CLOCK, Server, served
from guvercin.config import load as load_config
from guvercin.gateway.chance import SystemChance
from guvercin.gateway.people import People
from guvercin.main.databases import open_store

PAGES = (
    "/panel",
    "/panel/hesaplar",
    "/panel/hesaplar/1",
    "/panel/gonder",
    "/panel/mesajlar",
    "/panel/mesajlar?durum=failed",
    "/panel/mesajlar?tarih=7&tur=1",
    "/panel/mesajlar?kaynak=panel",
    "/panel/mesajlar?ara=bu+s%C3%B6z+hi%C3%A7bir+yerde+yok",
    "/panel/mesajlar/1000",
    "/panel/toplu",
    "/panel/raporlar",
    "/panel/raporlar?sure=gun",
    "/panel/raporlar?sure=yil",
    "/panel/istemeyenler",
    "/panel/anahtarlar",
    "/panel/ayarlar",
)
_ROUNDS = 20
_OPEN = 50
_SECONDS = 20
_RATE = 10
_COUNTED_BY = 300.0


async def _sign_in(folder: Path) -> str:
    async with open_store(load_config(data_dir=folder)) as store:
        people = People(store=store, clock=CLOCK, rng=SystemChance())
        person = await people.set_up(await people.make_setup_code(), token_hex(16))
        return await people.open_session(person, agent="bench", address="127.0.0.1")


def _get(connection: HTTPConnection, path: str, secret: str) -> bytes:
    connection.request("GET", path, headers={"Cookie": f"guvercin={secret}", "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return body


async def pages(rows: int = 1_000_000) -> list[Figure]:
    """Ask the real server for every page on a log of a year; the CPU is the server's own."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as made:
        folder = Path(made) / "veri"
        await asyncio.to_thread(fill, folder, rows, waiting=1_000)
        secret = await _sign_in(folder)
        async with served(folder=folder) as server:
            counted = await _counted(server)
            figures.append(Figure(name="every day counted, from nothing", value=f"{counted:,.1f} s"))
            figures += [await asyncio.to_thread(_measure, server, path, secret) for path in PAGES]
    return figures


async def _counted(server: Server) -> float:
    """Wait until the days are counted; answers how long after the start that was."""
    began = CLOCK.monotonic()
    while CLOCK.monotonic() - began < _COUNTED_BY:
        async with open_store(load_config(data_dir=server.folder)) as store:
            if await store.counted_to() is not None:
                break
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.5)
    return CLOCK.monotonic() - began


def _measure(server: Server, path: str, secret: str) -> Figure:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    _get(connection, path, secret)
    before, times, body = server.cpu(), [], b""
    for _ in range(_ROUNDS):
        began = CLOCK.monotonic()
        body = _get(connection, path, secret)
        times.append(CLOCK.monotonic() - began)
    cpu = (server.cpu() - before) / _ROUNDS
    connection.close()
    value = f"CPU {milli(cpu)}, p50 {milli(middle(times))}, p90 {milli(share(times, 0.9))}, {len(body) / 1e3:,.1f} KB"
    return Figure(name=path, value=value, wanted="≤ 100 ms")


async def visit() -> list[Figure]:
    """Count what a first visit takes over the wire: the first page and all that it names."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as made:
        folder = Path(made) / "veri"
        async with served(folder=folder) as server:
            secret = await _sign_in(folder)
            connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
            packed = _get(connection, "/panel", secret)
            text = gzip.decompress(packed).decode()
            named = sorted(set(re.findall(r"/panel/static/[\w.-]+", text)))
            shown = [name for name in named if "alarm" not in name]
            sizes = {name: len(_get(connection, name, secret)) for name in shown}
            connection.close()
    total = len(packed) + sum(sizes.values())
    return [Figure(name="a first visit, over the wire", value=f"{total / 1e3:,.1f} KB", wanted="≤ 120 KB")]


async def looking() -> list[Figure]:
    """Keep 50 pages open while 10 messages a second go through, and ask what that costs beside the messages alone."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as made:
        folder = Path(made) / "veri"
        async with served(folder=folder) as server:
            await server.no_gaps()
            secret = await _sign_in(folder)
            await _send(server, _RATE * 5)
            paths = ["/panel/canli?sayfa=ozet", "/panel/canli?sayfa=hesaplar", "/panel/canli?sayfa=mesajlar&ustu=1"]
            told: list[int] = []
            open_ones = [asyncio.create_task(_look(server.port, paths[n % 3], secret, told)) for n in range(_OPEN)]
            await CLOCK.sleep_until(CLOCK.monotonic() + 2)
            watched = await _share_of_a_core(server)
            for each in open_ones:
                each.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)
            alone = await _share_of_a_core(server)
    return [
        Figure(name=f"{_RATE} messages a second alone", value=f"{100 * alone:,.1f} % of a core"),
        Figure(name=f"… with {_OPEN} open pages", value=f"{100 * watched:,.1f} % of a core"),
        Figure(name="the open pages", value=f"{100 * (watched - alone):,.1f} % of a core", wanted="≤ 5 %"),
        Figure(name="what they were told", value=f"{len(told):,} pieces, {sum(told) / 1e6:,.1f} MB"),
    ]


async def _share_of_a_core(server: Server) -> float:
    before, began = server.cpu(), CLOCK.monotonic()
    await _send(server, _RATE * _SECONDS)
    return (server.cpu() - before) / (CLOCK.monotonic() - began)


async def _send(server: Server, count: int) -> None:
    for number in range(count):
        due = CLOCK.monotonic() + 1 / _RATE
        body = {"telefon": f"+90532{number:07}", "mesaj": f"Merhaba {number}"}
        await server.ask("POST", f"{API}/gonder", body)
        await CLOCK.sleep_until(due)


async def _look(port: int, path: str, secret: str, told: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: guvercin={secret}\r\n\r\n".encode())
    try:
        while piece := await reader.read(65_536):
            told.append(len(piece))
    finally:
        writer.close()
