"""A receiver of webhooks on loopback that can be as bad as receivers are: for our tests and yours.

    async with WebhookSink(secret) as sink:
        … url = sink.url …
        await sink.until(lambda: len(sink.taken) == 3)

Every delivery that it takes is verified (Standard Webhooks) before it is believed. `fault` is what it does instead of
answering well, until it is set back to null.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook


class Fault(StrEnum):
    """What a receiver does wrong."""

    RESET = "reset"
    CLOSES = "closes"
    SILENT = "silent"
    TRICKLES = "trickles"
    ENDLESS = "endless"
    HUGE_HEAD = "huge_head"
    REDIRECTS = "redirects"
    ERROR = "error"
    BUSY = "busy"
    GONE = "gone"
    NONSENSE = "nonsense"
    HALF = "half"


_ANSWERS = {
    Fault.REDIRECTS: b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n",
    Fault.ERROR: b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
    Fault.BUSY: b"HTTP/1.1 429 Wait\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    Fault.GONE: b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    Fault.NONSENSE: b"\x16\x03\x01\x02\x00 this is no HTTP at all\r\n\r\n",
    Fault.HALF: b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nhalf of it",
}
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One delivery that was verified. `body` is decoded JSON."""

    name: str
    body: Any
    raw: bytes


class WebhookSink:
    """A receiver. Without a secret nothing is verified."""

    def __init__(
        self, secret: str | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None, keeps: bool = True
    ) -> None:
        """Listen on a free port, or on this one. `keeps`: remember every delivery, not only how many there were."""
        self.secret = secret
        self.fault: Fault | None = None
        self.taken: list[Taken] = []
        self.count = 0
        self.asked = 0
        self._port = port
        self._tls = tls
        self._keeps = keeps
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._is_over = False
        self._bell = asyncio.Event()

    @property
    def port(self) -> int:
        """Answer where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Answer its address."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}/webhook"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.die()

    async def die(self) -> None:
        """Vanish as a killed process does: every connection is reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._is_over = True
        serving = [task for task in self._lines.values() if task is not None]
        for line in self._lines:
            line.transport.abort()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once something holds; looked at with every delivery."""
        while not condition():
            self._bell.clear()
            await self._bell.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines[writer] = asyncio.current_task()
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._take(reader, writer):
                    pass
        except asyncio.CancelledError:
            if not self._is_over:
                raise
        finally:
            self._lines.pop(writer, None)
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request; says whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked += 1
        if self.fault is not None:
            self._bell.set()
            return await self._misbehave(self.fault, writer)
        body = None
        if self.secret is not None:
            body = Webhook(self.secret).verify(raw, headers)
        self.count += 1
        if self._keeps:
            self.taken.append(Taken(name=headers.get("webhook-id", ""), body=body, raw=raw))
        writer.write(_GOOD)
        await writer.drain()
        self._bell.set()
        return True

    async def _misbehave(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        match fault:
            case Fault.RESET:
                writer.transport.abort()
                return False
            case Fault.CLOSES:
                return False
            case Fault.SILENT:
                await asyncio.Event().wait()
            case Fault.TRICKLES | Fault.ENDLESS | Fault.HUGE_HEAD:
                await self._go_on(fault, writer)
            case _:
                writer.write(_ANSWERS[fault])
                await writer.drain()
        return fault is not Fault.HALF

    @staticmethod
    async def _go_on(fault: Fault, writer: asyncio.StreamWriter) -> None:
        """Write without an end, until the other side has had enough."""
        piece, pause = {
            Fault.TRICKLES: (b"x", 0.05),
            Fault.ENDLESS: (b"x" * 65_536, 0.0),
            Fault.HUGE_HEAD: (b"x" * 65_536, 0.0),
        }[fault]
        begins = b"HTTP/1.1 200 OK\r\nX-Long: " if fault is Fault.HUGE_HEAD else b"HTTP/1.1 200 OK\r\n\r\n"
        writer.write(begins)
        never = asyncio.Event()
        while True:
            writer.write(piece)
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await never.wait()
