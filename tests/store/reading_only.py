"""A process that may not write and tries to. Not a test: test_faults.py starts it.

Root may write whatever it likes, so that right is given up first: it is gone after the next exec.
"""

import asyncio
import ctypes
import os
import sys
from pathlib import Path

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


async def main(folder: str) -> None:
    from tests.contracts.desk import NOW, Desk

    from guvercin.core.errors import GuvercinError
    from guvercin.store.sqlite_store import SqliteStore

    store = SqliteStore(Path(folder))
    await store.open()
    desk = Desk(store)
    print(len(await desk.rows()))  # noqa: T201
    for asking in (desk.accept(), store.check(NOW)):
        try:
            await asking
            print("yes")  # noqa: T201
        except GuvercinError as refused:
            print(refused.code.value)  # noqa: T201
    print(len(await desk.rows()))  # noqa: T201
    await store.close()


if len(sys.argv) == 2:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux alone has it
    if prctl is not None:
        prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.argv, "without"])  # noqa: S606 -- ourselves
asyncio.run(main(sys.argv[1]))
