"""The fake Graph in a thread of its own: whoever talks to it does so over the network, and shares no loop with it."""

import asyncio
import threading
from collections.abc import Coroutine
from random import Random  # noqa: TID251 -- seeded here, handed down as an argument
from typing import Any, TypeVar

from aiohttp import web
from tests.contracts.meta_schema import validator

from guvercin.gateway.clock import SystemClock
from guvercin.testing.graph import FakeGraph

T = TypeVar("T")


class GraphThread:
    """A running fake. `do` runs one of its coroutines where it lives."""

    def __init__(self, **traits: Any) -> None:
        self.graph = FakeGraph(clock=SystemClock(), rng=Random(20260223), validate=validator(), **traits)
        self.loop = asyncio.new_event_loop()
        self.url = ""
        self._doors: list[web.AppRunner] = []
        self._thread = threading.Thread(target=self._run, name="fake-graph", daemon=True)

    def start(self) -> "GraphThread":
        self._thread.start()
        self.url = self.wait(self.graph.start())
        return self

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.loop.is_closed():
            return
        self.wait(self.graph.stop())
        for door in self._doors:
            self.wait(door.cleanup())
        self.wait(_end_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def open_door(self, app: web.Application) -> str:
        """Serve an app in the fake's thread; answers its address."""

        async def serve() -> str:
            door = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            self._doors.append(door)
            await door.setup()
            await web.TCPSite(door, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{door.addresses[0][1]}"

        return await self.do(serve())

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


async def _end_tasks() -> None:
    """End what is still being answered: an answer may be planned for much later."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
