"""What a large list costs those who come beside it: two calls of 10,000 recipients while single messages go on."""

import asyncio
from collections.abc import Iterator
from itertools import count

import orjson

from bench.figures import Figure, mega, milli, share
from bench.load import Load, drive, request
from bench.sending import sends
from bench.server import API, CLOCK, Server, served

_RECIPIENTS = 10_000
_CALLS = 2
_RATE = 50
"""Single messages a second."""

_CALM = 3.0
"""Seconds of single messages alone, before and after."""

_LOOK = 0.02

_numbers = count()


async def crowd() -> list[Figure]:
    """Post two lists of 10,000 at once with respond-async, each with its own text for everybody, beside 50 gonder/s."""
    async with served() as server:
        await _singles(server, _CALM)
        idle, cpu = server.rss(), server.cpu()
        alone, _ = await _singles(server, _CALM)
        spent_alone = server.cpu() - cpu
        cpu, began, sizes = server.cpu(), CLOCK.monotonic(), [idle]
        lists = asyncio.gather(*(_until_taken(server, _list(server)) for _ in range(_CALLS)))
        watch = asyncio.ensure_future(_watch(server, sizes))
        beside = asyncio.ensure_future(_singles(server, _CALM))
        again = sum(await lists)
        took = CLOCK.monotonic() - began
        waits, refused = await beside
        spent = server.cpu() - cpu - spent_alone
        watch.cancel()
        if server.count("batch_id IS NOT NULL") != _CALLS * _RECIPIENTS:
            raise RuntimeError("a list is not there whole, and once")
    return [
        Figure(name="20,000 recipients accepted in", value=f"{took:.2f} s, {again} sent away", wanted="≤ 2 s"),
        Figure(name="server CPU for them, until 3 s later", value=f"{spent:.2f} s"),
        Figure(name="gonder beside them, p50 / p99 / most", value=_spread(waits), wanted="p99 ≤ 500 ms"),
        Figure(name="gonder beside them, sent away with 503", value=f"{refused} of {refused + len(waits)}", wanted="0"),
        Figure(name="gonder alone, p50 / p99 / most", value=_spread(alone)),
        Figure(name="memory (RSS) above idle, at most", value=mega(max(sizes) - idle), wanted="≤ 40 MB"),
    ]


def _list(server: Server) -> bytes:
    people = [
        {"telefon": f"0533{next(_numbers):07d}", "isim": f"Ayşe {place}", "degiskenler": {"tutar": f"{place},50"}}
        for place in range(_RECIPIENTS)
    ]
    body = {"alicilar": people, "mesaj": "Sayın {isim}, bakiyeniz {tutar} TL.", "sablon": True, "tur_id": 5}
    headers = (("Prefer", "respond-async"),)
    return request("POST", f"{API}/toplu-gonder", token=server.token, body=orjson.dumps(body), headers=headers)


async def _until_taken(server: Server, asked: bytes) -> int:
    """Ask as often as it takes, as 503 tells a client to; answers how often it was sent away."""
    for refused in count():
        load = await drive(server.port, iter([asked]), connections=1)
        if not load.refused:
            return refused
        if b"kuyruk_dolu" not in load.last:
            raise RuntimeError(load.last.decode())
    raise AssertionError


async def _singles(server: Server, long: float) -> tuple[list[float], int]:
    """Send single messages at a steady rate; answers their waits, and how many were sent away."""
    began, drives = CLOCK.monotonic(), []
    for place in range(round(long * _RATE)):
        await CLOCK.sleep_until(began + place / _RATE)
        drives.append(asyncio.ensure_future(drive(server.port, _one(server), connections=1)))
    loads: list[Load] = await asyncio.gather(*drives)
    return [wait for load in loads for wait in load.waits], sum(load.refused for load in loads)


def _one(server: Server) -> Iterator[bytes]:
    return sends(server, 1)


async def _watch(server: Server, sizes: list[int]) -> None:
    while True:
        sizes.append(server.rss())
        await CLOCK.sleep_until(CLOCK.monotonic() + _LOOK)


def _spread(waits: list[float]) -> str:
    return f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))} / {milli(max(waits))}"
