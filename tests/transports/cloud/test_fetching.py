"""The files that people send to Meta's line: asked for by Meta's id, checked, and never with our token elsewhere."""

import base64
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded here, handed down as an argument
from typing import Any

import orjson
import pytest
from aiohttp import web

from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.clock import SystemClock
from guvercin.testing.graph import FakeGraph
from guvercin.transports.cloud import fetching
from guvercin.transports.cloud.contents import source_of
from guvercin.transports.cloud.fetching import digest_of
from guvercin.transports.cloud.graph import Graph, Unsent

NUMBER, TOKEN, LIMIT = "100000000000001", "EAAG-inbound-token", 1_000_000
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8


class Line:
    """A fake Graph, and our way to it."""

    def __init__(self, fake: FakeGraph, graph: Graph, path: Path) -> None:
        self.fake, self.graph, self.path = fake, graph, path

    def put(self, content: bytes, *, told: str | None = None) -> dict[str, Any]:
        """Let Meta have a file; answers the way to it. `told`: another word for its SHA-256."""
        media_id = f"8{len(self.fake.numbers[NUMBER].media):014d}"
        self.fake.numbers[NUMBER].media[media_id] = ("image/jpeg", content)
        digest = base64.b64encode(sha256(content).digest()).decode()
        return {"id": media_id, "sha256": digest if told is None else told}

    async def fetch(self, source: dict[str, Any], *, limit: int = LIMIT) -> bytes:
        self.path.write_bytes(b"")
        await fetching.fetch(self.graph, NUMBER, source, self.path, limit=limit)
        return self.path.read_bytes()

    async def refused(self, source: dict[str, Any], *, limit: int = LIMIT) -> Code:
        with pytest.raises(GuvercinError) as caught:
            await self.fetch(source, limit=limit)
        return caught.value.code


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    fake = FakeGraph(clock=SystemClock(), rng=Random(7))
    fake.add_number(NUMBER, "+90 850 000 00 01", TOKEN)
    graph = Graph(f"{await fake.start()}/v25.0", token=TOKEN)
    try:
        yield Line(fake, graph, tmp_path / "gelen")
    finally:
        await graph.close()
        await fake.stop()


async def test_a_file_comes_whole_and_checked(line: Line) -> None:
    assert await line.fetch(line.put(PICTURE)) == PICTURE
    assert await line.fetch(line.put(PICTURE, told=sha256(PICTURE).hexdigest())) == PICTURE
    assert await line.fetch(line.put(PICTURE, told="")) == PICTURE, "Graph's own word is taken then"


async def test_why_a_file_cannot_be_had(line: Line) -> None:
    source = line.put(PICTURE)
    assert await line.refused(source, limit=len(PICTURE) - 1) is Code.INBOUND_FILE_LARGE
    assert await line.refused(line.put(PICTURE, told=sha256(b"other").hexdigest())) is Code.INBOUND_FILE_AWAY
    line.fake.forget_media()
    assert await line.refused(source) is Code.INBOUND_FILE_GONE
    line.fake.expire(TOKEN)
    assert await line.refused(source) is Code.INBOUND_FILE_AWAY
    await line.fake.stop()
    assert await line.refused(source) is Code.INBOUND_FILE_AWAY


async def test_more_than_was_announced_is_not_read(line: Line) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"x" * 65_536)
        return response

    line.fake._download = endless  # type: ignore[method-assign]  # a file that is larger than its own word for it
    other = FakeGraph(clock=SystemClock(), rng=Random(8))
    other._download = endless  # type: ignore[method-assign]
    other.add_number(NUMBER, "+90 850 000 00 01", TOKEN)
    graph = Graph(f"{await other.start()}/v25.0", token=TOKEN)
    try:
        line.graph, line.fake = graph, other
        assert await line.refused(line.put(b"small", told="")) is Code.INBOUND_FILE_LARGE
        assert line.path.stat().st_size <= LIMIT
    finally:
        await graph.close()
        await other.stop()


@pytest.mark.parametrize(
    "address",
    [
        "https://lookaside.fbsbx.com.evil.test/f",
        "http://lookaside.fbsbx.com/f",
        "https://evil.test/?x=.fbsbx.com",
        "https://fbsbx.com@evil.test/f",
        "https://lookaside.fbsbx.com:8443/f",
        "file:///etc/passwd",
        "",
    ],
)
async def test_the_token_goes_to_nobody_but_meta(line: Line, address: str) -> None:
    assert isinstance(await line.graph.download(address, line.path, limit=LIMIT), Unsent)


def test_a_digest_is_read_in_both_of_metas_ways() -> None:
    digest = sha256(PICTURE)
    assert digest_of(digest.hexdigest()) == digest.hexdigest()
    assert digest_of(base64.b64encode(digest.digest()).decode()) == digest.hexdigest()
    for nothing in (None, "", "4654+8g=", 7, "z" * 64):
        assert digest_of(nothing) is None


def test_the_way_to_a_file_is_metas_id_and_nothing_that_would_lead_elsewhere() -> None:
    image = {"type": "image", "image": {"id": "4711", "sha256": "abc", "mime_type": "image/jpeg"}}
    assert orjson.loads(source_of(image) or b"") == {"id": "4711", "sha256": "abc"}
    for bad in ("../me", "1?x=y", "", 7, None):
        assert source_of({"type": "image", "image": {"id": bad}}) is None
    assert source_of({"type": "text", "text": {"body": "4711", "id": "4711"}}) is None
