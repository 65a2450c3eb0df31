"""How fast what happened reaches a receiver that is fast itself."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded

from bench.figures import Figure
from guvercin.api import notices
from guvercin.config import Config
from guvercin.core.address import Neighbours
from guvercin.core.hook import HookEvent
from guvercin.gateway.calling import Outside
from guvercin.gateway.clock import SystemClock
from guvercin.gateway.couriers import PURPOSE, Couriers
from guvercin.main.databases import make_folder
from guvercin.sealing import Seal
from guvercin.store.sqlite import engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.verbs.hooks import NewHook

_EVENTS = 10_000
_WANTED = 500
_MESSAGE = (
    "INSERT INTO message (id, account_id, token_id, recipient, body, category, lane, priority, status, created_at, "
    "due_at, expires_at, sent_at) VALUES (?, 1, 1, ?, 'm', 10, 'single', 6, 'read', 0, 0, 0, 0)"
)
_SINK = """
import asyncio, sys
from guvercin.testing.sink import WebhookSink
async def serve():
    async with WebhookSink(keeps=False) as sink:
        print(sink.port, flush=True)
        await sink.until(lambda: sink.count >= int(sys.argv[1]))
        print(sink.count, flush=True)
asyncio.run(serve())
"""


@contextmanager
def _sink() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a receiver in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", _SINK, str(_EVENTS)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 -- asked for above
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def _fill(path: Path) -> None:
    """Write 2,500 messages of as many people, each with its four events."""
    with engine_for(path).connect() as connection:
        one = connection.exec_driver_sql
        one("INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (x'01', '', '{}', 0)")
        one(
            "INSERT INTO account (name, kind, pace, on_unknown, line_state, line_since, created_at) "
            "VALUES ('a', 'sandbox', '{}', 'bekle', 'connected', 0, 0)"
        )
        for number in range(1, _EVENTS // 4 + 1):
            one(_MESSAGE, (number, f"+90532{number:07}"))
        connection.commit()


def _happen(path: Path) -> None:
    kinds = (HookEvent.SENT, HookEvent.DELIVERED, HookEvent.READ, HookEvent.FAILED)
    with engine_for(path).connect() as connection:
        for kind in kinds:
            connection.exec_driver_sql(
                f"INSERT INTO event (at, kind, account_id, message_id) SELECT 0, '{kind.value}', 1, id FROM message"  # noqa: S608 -- our own words
            )
        connection.commit()


async def hooks() -> list[Figure]:
    """Deliver 10,000 events, signed, over loopback to a receiver in another process; all else is as in a server."""
    folder = Path(tempfile.mkdtemp(prefix="guvercin-bench-"))
    try:
        with _sink() as (process, port):
            took, cpu = await _deliver(folder, process, port)
    finally:
        shutil.rmtree(folder)
    rate, alone = _EVENTS / took, _EVENTS / cpu
    return [
        Figure(name="10,000 events to a fast receiver", value=f"{rate:,.0f}/s", wanted=f"{_WANTED}/s or more"),
        Figure(name="of this process's CPU alone", value=f"{alone:,.0f}/s a core", wanted=f"{_WANTED}/s or more"),
    ]


async def _deliver(folder: Path, process: "subprocess.Popen[str]", port: int) -> tuple[float, float]:
    config = Config(data_dir=folder)
    make_folder(config)
    _fill(config.database)
    clock, seal = SystemClock(), Seal(folder)
    store = SqliteStore(folder)
    await store.open()
    key = bytes(range(32))
    url = f"http://127.0.0.1:{port}/"
    new = NewHook(token_id=1, url=url, events=tuple(HookEvent), account_ids=None, sealed=seal.close(key, PURPOSE))
    await store.add_hook(new, now=clock.now())
    _happen(config.database)
    couriers = Couriers(
        store=store,
        seal=seal,
        open_way=lambda: Outside(Neighbours.read(["127.0.0.1"]), clock.monotonic),
        write=lambda notice: notices.body(notice, config.timezone),
        clock=clock,
        rng=Random(1),
    )
    began, cpu = clock.monotonic(), sum(os.times()[:2])
    await couriers.step(clock.now())
    assert process.stdout is not None  # noqa: S101 -- as above
    count = int(await asyncio.to_thread(process.stdout.readline))
    took, used = clock.monotonic() - began, sum(os.times()[:2]) - cpu
    if count < _EVENTS:
        raise RuntimeError(f"only {count} arrived")
    await couriers.close()
    await store.close()
    return took, used
