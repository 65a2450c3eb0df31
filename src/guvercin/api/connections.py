"""The connections of callers: how many there may be, and how long a slow one may keep its place.

uvicorn and httptools bound neither, so this stands between them and the sockets. Laws
1. A request has to be here, whole, `patience` seconds after its first byte; what comes faster than RATE gets more time.
   A new connection has to begin within `patience`, an answer has to be taken on within it, and an idle connection ends
   after uvicorn's own limit. Whoever is slower is cut off.
2. What describes a request (head, chunk sizes, trailers) may take ROOM bytes beyond the size of its body.
3. Of requests that are sent without waiting for answers, AHEAD are kept beside the one that is being answered.
4. Of `most` connections each is served. Those few above it hear 503, and beyond them nobody is let in: what callers
   can make this process hold is bounded.
5. New connections are taken as they come, many in one turn of the event loop: a busy server doesn't leave them outside.
"""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from guvercin.api.reception import TURNED_AWAY

RATE = 1_000
"""Bytes a second: half of what the slowest mobile line carries."""

ROOM = 64 * 1024
"""Bytes of head: four times what any client of ours has ever sent."""

_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n"
    b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
)

AHEAD = 16
"""Each costs a hundred times the bytes that it takes to ask for it."""

_SPARE = 50
"""Connections above the limit that are let in to hear 503."""

_OWN = 100
"""Descriptors that are no caller's: the database and its readers, and files on their way."""

_TAKEN_AT_ONCE = 100
_AFTER_TROUBLE = 1.0
"""Seconds for which nobody is let in when the system has no descriptors or memory for more."""


class Connection(HttpToolsProtocol):
    """One caller's connection. `most` and `patience` are set by a subclass that `bounded` makes."""

    most: int
    patience: float

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._is_whole = False
        self._began = self.loop.time()
        self._taken = self._carried = 0
        """Bytes of the present request, and those of them that were its body."""
        self._cycles: list[RequestResponseCycle] = []
        """The requests of this connection that have no whole answer yet."""
        self._stuck_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to watch a new connection."""
        super().connection_made(transport)
        if len(self.connections) > self.most + _SPARE:
            self._cut()
            return
        if len(self.connections) > self.most:
            self.app_state = {**self.app_state, TURNED_AWAY: True}
        self._timer = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching, and tell every request that nobody waits for it: uvicorn tells the last one alone."""
        self._tell_gone()
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what came, and count it."""
        if self._is_whole:
            self._begin()
        super().data_received(data)
        self._taken += len(data)
        if self._taken - 2 * self._carried > ROOM and not self.transport.is_closing():
            self.logger.warning("A request's head is too large.")
            if not any(cycle.response_started for cycle in self._cycles):
                self.transport.write(_HEAD_TOO_LARGE)
                self._tell_gone()
                self.transport.close()
                return
            self._cut()

    def on_message_begin(self) -> None:
        """Begin to count a request, the second of two that came together too."""
        self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take a request on. ValueError, which uvicorn answers with 400 and the end: too many wait already."""
        if len(self.pipeline) >= AHEAD:
            raise ValueError("too many requests without waiting for answers")
        super().on_headers_complete()
        self._cycles = [cycle for cycle in (*self._cycles, self.cycle) if not cycle.response_complete]

    def on_body(self, body: bytes) -> None:
        """Count what is the request's own."""
        self._carried += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Be patient from now on: it is our turn."""
        self._is_whole = True
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Note since when the caller takes nothing on."""
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the caller has taken something on."""
        self._stuck_since = None
        super().resume_writing()

    def _cut(self) -> None:
        self._tell_gone()  # before the transport is closed: writing to it then is an error
        self.transport.abort()

    def _tell_gone(self) -> None:
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()

    def _begin(self) -> None:
        self._is_whole = False
        self._began = self.loop.time()
        self._taken = self._carried = 0

    def _look(self) -> None:
        """Cut the caller off, or look again when it can be too slow at the earliest."""
        now = self.loop.time()
        if not self._is_whole and self.flow.read_paused:  # we have not taken what is there: not the caller's fault
            self._began = now
        ends = [self._stuck_since + self.patience] if self._stuck_since is not None else []
        if not self._is_whole:
            ends.append(self._began + self.patience + self._taken / RATE)
        end = min(ends, default=now + self.patience)
        if self.transport.is_closing() or end <= now:
            self._cut()
        else:
            self._timer = self.loop.call_at(min(end, now + self.patience), self._look)


def bounded(most: int, patience: float) -> type[Connection]:
    """Make the kind of connection of a server that serves `most` at once and waits `patience` seconds for each."""
    return type("BoundedConnection", (Connection,), {"most": most, "patience": patience})


def room_for(wanted: int) -> int:
    """Ask the system to let this process hold `wanted` connections; answers for how many there is room."""
    needed = wanted + _SPARE + _OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        with suppress(OSError, ValueError):  # a system that has limits of its own beside this one
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else min(needed, hard), hard)
            )
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _SPARE - _OWN))


class Listener:
    """A listening socket, in the place of an asyncio server: uvloop's takes one connection in a turn of the loop."""

    def __init__(
        self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol], loop: asyncio.AbstractEventLoop
    ) -> None:
        """Take connections from now on. `listening` is closed with this object."""
        self.sockets = (listening,)
        self._listening = listening
        self._protocol = protocol
        self._loop = loop
        self._meetings: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        self._open()

    def close(self) -> None:
        """Take no more connections."""
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening)
            self._listening.close()

    async def wait_closed(self) -> None:
        """Return: what `close` does is done at once."""

    def _open(self) -> None:
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening, self._take)

    def _take(self) -> None:
        for _ in range(_TAKEN_AT_ONCE):
            try:
                taken, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptors, no memory: those who wait outside go on waiting
                self._loop.remove_reader(self._listening)
                self._loop.call_later(_AFTER_TROUBLE, self._open)
                return
            meeting = self._loop.create_task(self._meet(taken))
            self._meetings.add(meeting)
            meeting.add_done_callback(self._meetings.discard)

    async def _meet(self, taken: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, taken)
        except OSError:  # gone before it was let in
            taken.close()
