"""What a message costs the gateway on PostgreSQL, against SQLite: over HTTP, in turns, in one run."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.store import server as postgres

from bench.figures import Figure, micro, middle, spread
from bench.sending import in_turns, whole
from bench.server import Server, served

_ROUNDS = 5
_REQUESTS = 2_000
_CYCLES = 1_000


async def databases() -> list[Figure]:
    """Accept messages, and take others the whole way, on both databases; PostgreSQL runs on this machine and syncs.

    CPU is the gateway's own: of PostgreSQL's nothing is in it. What is wanted is our aim.
    """
    async with _both() as (file, server):
        accepts = await in_turns(file, server, amounts=(_REQUESTS, _REQUESTS))
    ways: list[list[tuple[float, float]]] = [[], []]
    async with _both() as both:
        for number in range(_ROUNDS + 1):
            for each, rounds in zip(both, ways, strict=True):
                if not number:
                    await each.no_gaps()
                measured = await whole(each, _CYCLES)
                if number:
                    rounds.append(measured)
    rates = [middle([rate for _, rate in rounds]) for rounds in ways]
    return [
        *_compared("accept", [[cpu for cpu, _ in rounds] for rounds in accepts]),
        *_compared("whole way", [[cpu for cpu, _ in rounds] for rounds in ways]),
        Figure(name="whole way, messages a second", value=f"{rates[0]:,.0f} on SQLite, {rates[1]:,.0f} on PostgreSQL"),
    ]


def _compared(what: str, cpus: list[list[float]]) -> list[Figure]:
    """Write the CPU of each, and the ratio of rounds that came one after the other."""
    ratios = [theirs / ours for ours, theirs in zip(*cpus, strict=True)]
    found = [
        Figure(name=f"{what}, CPU a message on {name}", value=f"{micro(middle(rounds))}  [{spread(rounds)}]")
        for name, rounds in zip(("SQLite", "PostgreSQL"), cpus, strict=True)
    ]
    value = f"× {middle(ratios):.2f}  [{min(ratios):.2f}–{max(ratios):.2f}]"
    return [*found, Figure(name=f"{what}, PostgreSQL against SQLite", value=value, wanted="≤ × 1.5")]


@asynccontextmanager
async def _both() -> AsyncIterator[tuple[Server, Server]]:
    """Run a gateway on each database."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(postgres.running(()))
        cluster.create("bench")
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guvercin-bench-")))
        settings = {"GUVERCIN_DATABASE_URL": cluster.url("bench")}
        file = await stack.enter_async_context(served())
        yield file, await stack.enter_async_context(served(folder=home, settings=settings))
