"""The load: connections that each ask, wait for the answer and ask again. As little work as can be, on shared cores."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

_LENGTH = b"content-length: "


@dataclass(slots=True, kw_only=True)
class Load:
    """What a drive brought.

    `waits` are the seconds from a request that was granted to the end of its answer; `took` those of the whole drive.
    """

    waits: list[float] = field(default_factory=list)
    refused: int = 0
    took: float = 0.0
    last: bytes = b""

    @property
    def rate(self) -> float:
        """Answer granted requests per second."""
        return len(self.waits) / self.took


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, requests: Iterator[bytes], load: Load, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._load = load
        self._done = done
        self._buffer = b""
        self._asked_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._buffer.find(_LENGTH) + len(_LENGTH)
        length = int(self._buffer[at : self._buffer.index(b"\r", at)])
        if len(self._buffer) < head + 4 + length:
            return
        if self._buffer.startswith(b"HTTP/1.1 2"):
            self._load.waits.append(perf_counter() - self._asked_at)
        else:
            self._load.refused += 1
        self._load.last, self._buffer = self._buffer, b""
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server closed a connection in mid-load"))

    def _ask(self) -> None:
        assert self._transport is not None  # noqa: S101 -- set before anything is asked
        request = next(self._requests, None)
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._asked_at = perf_counter()
        self._transport.write(request)


async def drive(port: int, requests: Iterator[bytes], *, connections: int = 64) -> Load:
    """Send every request to a server on this machine, over some connections; each has one request under way."""
    loop = asyncio.get_running_loop()
    load = Load()
    began = perf_counter()
    ends: list[asyncio.Future[None]] = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        ends.append(done)
        await loop.create_connection(lambda done=done: _Connection(requests, load, done), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    load.took = perf_counter() - began
    return load


def request(
    method: str, path: str, *, token: str, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Write one HTTP/1.1 request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
