"""A worker's process as its parent sees it: what is said to one that has just ended is no trouble of anybody's."""

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from guvercin.transports.web import protocol as p
from guvercin.transports.web.child import Child

STANDS_IN = """
import os, pathlib, signal, sys
pathlib.Path(sys.argv[2], "pid").write_text(str(os.getpid()))
print(sys.argv[1], flush=True)
signal.pause()
"""


@pytest.mark.anyio
async def test_what_is_said_to_a_worker_that_has_just_ended_troubles_nobody(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    hello = p.encode(p.Hello(version=p.VERSION, engine="none")).decode().strip()
    command = (sys.executable, "-c", STANDS_IN, hello)
    child = await Child.start(tmp_path, environment=os.environ, command=command)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # whoever waits for it in a thread of his own has already seen it off
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 -- nobody on the loop is told before
    child.post(p.Ping(id=child.next_id()))
    await child.gone.wait()
    await child.kill()
    del child
    gc.collect()
    assert heard == []
