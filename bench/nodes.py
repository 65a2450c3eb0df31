"""Several gateways on one PostgreSQL: what they send together, and what the primary has to do for it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from tests.store import server as postgres

from bench.figures import Figure, micro, middle
from bench.load import drive, request
from bench.server import API, CLOCK, Server, cpu_of, served
from guvercin.store.lock import EVENTS, LOCKS

_MOST = 3
_ACCOUNTS = 12
_MESSAGES = 3_000
_ROUNDS = 3

_WRITERS = f"""SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) FROM pg_locks
WHERE locktype = 'advisory' AND classid = {LOCKS} AND objid = {EVENTS}"""  # noqa: S608 -- our own numbers
_SHARES = "SELECT count(DISTINCT node), count(*) FROM lease WHERE subject LIKE 'account:%'"
_LEFT = "SELECT count(*) FROM message WHERE status IN ('queued', 'sending')"

_numbers = count()


async def nodes() -> list[Figure]:
    """Take messages the whole way through one, two and three gateways: 12 sandbox accounts, no gaps, PostgreSQL here.

    «The writer's lock» is that which lets one gateway commit at a time: its share of the time says how near the end is,
    and time a message times messages is what no further gateway can add to.
    """
    figures: list[Figure] = []
    for gateways in range(1, _MOST + 1):
        async with _running(gateways) as (cluster, servers):
            rounds = [await _round(cluster, servers) for _ in range(_ROUNDS + 1)][1:]
        rate, ours, theirs, held, waits = (middle(each) for each in zip(*rounds, strict=True))
        name = f"{gateways} gateway" + ("s" if gateways > 1 else "")
        figures += [
            Figure(name=f"{name}: messages a second, whole way", value=f"{rate:,.0f}"),
            Figure(name=f"{name}: CPU a message, gateways · PostgreSQL", value=f"{micro(ours)} · {micro(theirs)}"),
            Figure(
                name=f"{name}: the writer's lock",
                value=f"held {held:.0%} of the time, {micro(held / rate)} a message; {waits:.1f} gateways wait for it",
            ),
        ]
    return figures


async def _round(cluster: postgres.Server, servers: Sequence[Server]) -> tuple[float, float, float, float, float]:
    """Answer messages a second, CPU a message of gateways and of PostgreSQL, and the lock's use: held, waited for."""
    ours, theirs, began = sum(server.cpu() for server in servers), cpu_of(cluster), CLOCK.monotonic()
    each = _MESSAGES // len(servers)
    loads = [drive(server.port, _sends(server, each), connections=24 // len(servers)) for server in servers]
    sending = asyncio.gather(*loads)
    samples: list[tuple[int, int]] = []
    with _session(cluster) as session:
        while not sending.done() or session.execute(_LEFT).fetchone()[0]:
            for _ in range(20):
                samples.append(session.execute(_WRITERS).fetchone())
                await CLOCK.sleep_until(CLOCK.monotonic() + 0.01)
    took = CLOCK.monotonic() - began
    held, waits = (sum(column) / len(samples) for column in zip(*samples, strict=True))
    sent = sum(len(load.waits) for load in await sending)  # who is sent away by a full gateway costs it little
    cpu = sum(server.cpu() for server in servers) - ours
    return sent / took, cpu / sent, (cpu_of(cluster) - theirs) / sent, held, waits


def _sends(server: Server, amount: int) -> Iterator[bytes]:
    for number in (next(_numbers) for _ in range(amount)):
        body = {
            "telefon": f"+90532{number:07d}",
            "mesaj": "Randevunuz yarın 14.30'da.",
            "hesap_id": 1 + number % _ACCOUNTS,
        }
        headers = (("Prefer", "respond-async"),)
        yield request("POST", f"{API}/gonder", token=server.token, body=orjson.dumps(body), headers=headers)


@asynccontextmanager
async def _running(gateways: int) -> AsyncIterator[tuple[postgres.Server, Sequence[Server]]]:
    """Run so many gateways on an empty PostgreSQL that syncs, and share the accounts out."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(postgres.running(()))
        cluster.create("bench")
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guvercin-bench-")))
        settings = {"GUVERCIN_DATABASE_URL": cluster.url("bench"), "GUVERCIN_SHARED_DIR": str(home / "shared")}
        servers = [
            await stack.enter_async_context(served(folder=home / str(number), settings=settings))
            for number in range(gateways)
        ]
        for number in range(1, _ACCOUNTS):
            await servers[0].ask("POST", f"{API}/hesaplar", {"isim": f"Hat {number}", "tur": "sandbox"})
        gap = {"en_az": 0.0, "en_cok": 0.0}
        for number in range(_ACCOUNTS):
            await servers[0].ask("PATCH", f"{API}/hesaplar/{number + 1}", {"araliklar": {"tekli": gap, "toplu": gap}})
        with _session(cluster) as session:
            while session.execute(_SHARES).fetchone() != (gateways, _ACCOUNTS):
                await CLOCK.sleep_until(CLOCK.monotonic() + 0.1)
        yield cluster, servers


def _session(cluster: postgres.Server) -> Any:
    import psycopg  # noqa: PLC0415 -- an extra

    return psycopg.connect(cluster.url("bench"), autocommit=True)
