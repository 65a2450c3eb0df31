"""What looking costs: `durum` of one message, and a page of the log."""

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random  # noqa: TID251 -- seeded: every run asks for the same messages

from bench.figures import Figure, micro, middle, milli, share, spread
from bench.load import Load, drive, request
from bench.sending import sends
from bench.server import API, Server, served

_ROUNDS = 3
_MESSAGES = 5_000
_STATUSES = 3_000
_PAGES = 300


async def read() -> list[Figure]:
    """Ask `durum` of any message over 64 connections and one at a time, and `gonderimler` in pages of 50 and 200."""
    rng = Random(42)

    def statuses(server: Server) -> Iterator[bytes]:
        while True:
            yield request("GET", f"{API}/durum/{rng.randint(1, _MESSAGES)}", token=server.token)

    def pages(server: Server, limit: int) -> Iterator[bytes]:
        while True:
            yield request("GET", f"{API}/gonderimler?limit={limit}", token=server.token)

    async with served() as server:
        await drive(server.port, sends(server, _MESSAGES))
        busy = await _rounds(server, lambda: islice(statuses(server), _STATUSES), connections=64)
        calm = await _rounds(server, lambda: islice(statuses(server), _STATUSES // 4), connections=1)
        short = await _rounds(server, lambda: islice(pages(server, 50), _PAGES), connections=8)
        long = await _rounds(server, lambda: islice(pages(server, 200), _PAGES // 3), connections=8)
    return [
        *_figures("durum, 64 connections", busy),
        *_figures("durum, one at a time", calm),
        *_figures("a page of 50", short),
        *_figures("a page of 200", long),
    ]


async def _rounds(
    server: Server, requests: Callable[[], Iterator[bytes]], *, connections: int
) -> list[tuple[float, Load]]:
    """Answer the server's CPU per request and the load, of each round."""
    found = []
    for _ in range(_ROUNDS):
        before = server.cpu()
        load = await drive(server.port, requests(), connections=connections)
        if load.refused:
            raise RuntimeError(load.last.decode())
        found.append(((server.cpu() - before) / len(load.waits), load))
    return found


def _figures(name: str, rounds: list[tuple[float, Load]]) -> list[Figure]:
    cpus = [cpu for cpu, _ in rounds]
    waits = [wait for _, load in rounds for wait in load.waits]
    return [
        Figure(name=f"{name}: server CPU", value=f"{micro(middle(cpus))}  [{spread(cpus)}]"),
        Figure(name=f"{name}: p50 / p99", value=f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))}"),
    ]
