"""The way to Graph, where the network cuts an answer into pieces."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web

from guvercin.transports.cloud.graph import Answer, Graph

ANSWER = {"messages": [{"id": "wamid.TEST"}]}


class Dripping:
    """A server that sends its answer in two pieces, the second once it is told to."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        content = orjson.dumps(ANSWER)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(content)
        await response.prepare(request)
        await response.write(content[:9])
        await self.goes_on.wait()
        await response.write(content[9:])
        return response


@pytest.fixture
async def server() -> AsyncIterator[tuple[Dripping, Graph]]:
    dripping = Dripping()
    app = web.Application()
    app.router.add_post("/messages", dripping.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    graph = Graph(f"http://127.0.0.1:{runner.addresses[0][1]}", token="EAAG-test")
    yield dripping, graph
    await graph.close()
    await runner.cleanup()


async def test_an_answer_in_pieces_is_read_to_its_end(server: tuple[Dripping, Graph]) -> None:
    dripping, graph = server
    asked = asyncio.ensure_future(graph.post("messages", b"{}"))
    asyncio.get_running_loop().call_later(0.2, dripping.goes_on.set)  # the first piece is there, and read, by then
    told = await asked
    assert isinstance(told, Answer)
    assert (told.status, told.body) == (200, ANSWER)
