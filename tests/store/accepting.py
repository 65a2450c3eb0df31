"""Processes that accept until they are killed, and say what they were told yes for. Not a test: test_kill.py starts it.

For each name on its input it forks one (loading all this anew each time would take most of the test), tells `pid N`
and, when that one has died, `dead`. The child tells each acknowledgement after it: `m ID TEXT` for a message, `b ID
SIZE` for a batch. A line is one write to a pipe: it is told whole or not at all.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.contracts.desk import NOW, Desk, draft, key, standing

from guvercin.core.message import Lane
from guvercin.core.outcome import Accepted
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.verbs.accepting import Quota

QUOTA = Quota(limit=10**9, day="2026-02-23", renews_in=NOW - NOW)


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def till(desk: Desk, name: str) -> None:
    number = 0
    while True:
        number += 1
        text = f"{name}-{number}"
        if number % 10:
            accepted = await desk.take(draft(text=text), under=key(text), quota=QUOTA)
            tell(f"m {standing(accepted).id} {text}")
        else:
            batch = await desk.accept_batch([draft(text=text, lane=Lane.BULK)] * 20, body=text.encode())
            tell(f"b {batch.batch_id} 20")


async def line(desk: Desk, name: str) -> None:
    number = 0
    while True:
        number += 1
        claimed = await desk.claim()
        if claimed is not None:
            await desk.settle(claimed, Accepted(f"{name}-{number}", NOW))
        await asyncio.wait([asyncio.ensure_future(desk.store.check(NOW))])


async def accept(folder: str, name: str) -> None:
    desk = Desk(SqliteStore(Path(folder)))
    await desk.store.open()
    await asyncio.gather(*(till(desk, f"{name}-{number}") for number in range(8)), line(desk, name))


def main(folder: str) -> None:
    for name in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(accept(folder, name.strip()))
        tell(f"pid {pid}")
        os.waitpid(pid, 0)
        tell("dead")


main(sys.argv[1])
