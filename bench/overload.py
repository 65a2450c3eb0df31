"""What happens when more is asked than can be done: who is taken is served soon, the rest is sent away before that."""

from bench.figures import Figure, mega, milli, share
from bench.load import Load, drive
from bench.sending import sends
from bench.server import Server, served

_ROUNDS = 3
_REQUESTS = 6_000
_CROWDS = (200, 1_000)


async def overload() -> list[Figure]:
    """Send `gonder` with respond-async over 200 and 1,000 connections that never pause, not even when sent away."""
    async with served() as server:
        await drive(server.port, sends(server, _REQUESTS // 6))
        before, taken = server.rss(), server.count("1")
        figures = []
        for connections in _CROWDS:
            loads = [
                await drive(server.port, sends(server, _REQUESTS), connections=connections) for _ in range(_ROUNDS)
            ]
            taken += sum(len(load.waits) for load in loads)
            figures += _figures(f"{connections:,} connections", loads, server)
        if (found := server.count("1")) != taken:
            raise RuntimeError(f"{taken} messages were promised and {found} are there")
        figures.append(Figure(name="memory (RSS), before and after", value=f"{mega(before)}, {mega(server.rss())}"))
    return figures


def _figures(name: str, loads: list[Load], server: Server) -> list[Figure]:
    waits = [wait for load in loads for wait in load.waits]
    refused = sum(load.refused for load in loads)
    sent_away = refused / (len(waits) + refused)
    return [
        Figure(name=f"{name}: accepted, p50 / p99", value=_both(waits), wanted="p99 ≤ 500 ms"),
        Figure(name=f"{name}: accepted a second", value=f"{len(waits) / sum(load.took for load in loads):,.0f}"),
        Figure(name=f"{name}: sent away with 503", value=f"{sent_away:.1%}"),
        Figure(name=f"{name}: memory (RSS)", value=mega(server.rss())),
    ]


def _both(waits: list[float]) -> str:
    return f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))}"
