"""What sending costs: the accept, and the whole way of a message."""

from collections.abc import Iterator
from itertools import count

import orjson

from bench.figures import Figure, micro, middle, milli, share, spread
from bench.load import Load, drive, request
from bench.server import API, CLOCK, Server, served

_ROUNDS = 3
_REQUESTS = 3_000
_CYCLES = 4_000
_numbers = count()


def sends(server: Server, amount: int) -> Iterator[bytes]:
    """Write `gonder` requests that don't wait, each to another number."""
    for number in (next(_numbers) for _ in range(amount)):
        body = {"telefon": f"+90532{number % 10_000_000:07d}", "mesaj": f"Randevunuz yarın 14.30'da. ({number})"}
        yield request(
            "POST",
            f"{API}/gonder",
            token=server.token,
            body=orjson.dumps(body),
            headers=(("Prefer", "respond-async"),),
        )


async def _round(server: Server, amount: int) -> tuple[float, Load]:
    """Answer the server's CPU per accepted message, and the load."""
    before = server.cpu()
    load = await drive(server.port, sends(server, amount))
    if load.refused:
        raise RuntimeError(load.last.decode())
    return (server.cpu() - before) / amount, load


async def in_turns(*servers: Server, amounts: tuple[int, ...]) -> list[list[tuple[float, Load]]]:
    """Answer the rounds of each server, one server after the other in each round; the first round is not counted."""
    found: list[list[tuple[float, Load]]] = [[] for _ in servers]
    for number in range(_ROUNDS + 1):
        for server, amount, rounds in zip(servers, amounts, found, strict=True):
            measured = await _round(server, amount)
            if number:
                rounds.append(measured)
    return found


async def accept() -> list[Figure]:
    """Send `gonder` with respond-async over 64 connections, to us and to us committing every message alone."""
    async with served() as grouped, served("--group", "1") as alone:
        rounds, others = await in_turns(grouped, alone, amounts=(_REQUESTS, _REQUESTS // 3))
    cpus, loads = [cpu for cpu, _ in rounds], [load for _, load in rounds]
    other_cpus, other_loads = [cpu for cpu, _ in others], [load for _, load in others]
    rate, other_rate = middle([load.rate for load in loads]), middle([load.rate for load in other_loads])
    waits = [wait for load in loads for wait in load.waits]
    return [
        Figure(name="server CPU per request", value=f"{micro(middle(cpus))}  [{spread(cpus)}]", wanted="≤ 600 µs"),
        Figure(name="the same, committing alone", value=f"{micro(middle(other_cpus))}  [{spread(other_cpus)}]"),
        Figure(name="requests a second", value=f"{rate:,.0f}, alone {other_rate:,.0f}"),
        Figure(name="group commit brings", value=f"× {rate / other_rate:.1f}", wanted="≥ × 5"),
        Figure(name="answer, p50 / p99", value=f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))}"),
    ]


async def cycle() -> list[Figure]:
    """Take messages the whole way (accept, claim, send, settle, delivered, read), with no gap between two sends."""
    async with served() as server:
        await server.no_gaps()
        await whole(server, _CYCLES // 4)
        rounds = [await whole(server, _CYCLES) for _ in range(_ROUNDS)]
    cpus = [cpu for cpu, _ in rounds]
    rates = [rate for _, rate in rounds]
    return [
        Figure(name="server CPU per message", value=f"{micro(middle(cpus))}  [{spread(cpus)}]", wanted="≤ 1,000 µs"),
        Figure(name="messages a second, accept to sent", value=f"{middle(rates):,.0f}"),
    ]


async def whole(server: Server, amount: int) -> tuple[float, float]:
    """Answer the server's CPU per message of some whole ways, and how many were sent a second."""
    before, began = server.cpu(), CLOCK.monotonic()
    await drive(server.port, sends(server, amount))
    await _none_left(server, "status IN ('queued', 'sending')")
    rate = amount / (CLOCK.monotonic() - began)
    await _none_left(server, "status IN ('queued', 'sending', 'sent', 'delivered')")
    return (server.cpu() - before) / amount, rate


async def _none_left(server: Server, where: str) -> None:
    while server.count(where):
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.1)
