"""Pages that move by themselves: one stream of server-sent events for each open page, read off the event table.

Laws
1. Every message holds the whole live part of its page. So a browser that was away, or a server that was killed, needs
   nothing but to come again; no message builds on an earlier one.
2. What changes is drawn once for each page, language and role, however many look at it, and at most once a second.
3. A bell only shortens the wait: without it the table is asked once a second, while anybody looks.
4. Nothing in a live part belongs to one visitor: buttons there send the form beside it.
5. When the house closes its streams end first, for a server waits for whoever is still being answered.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass

from guvercin.core.event import Event
from guvercin.gateway.clock import Clock
from guvercin.gateway.gateway import Gateway
from guvercin.store.writer import Committed

LEAST = 1.0
"""Seconds between two drawings of one page."""

PING = 15.0
"""Seconds after which a silent stream says that it lives, and looks whether its visitor is still welcome."""

_POLL = 1.0
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The live part of a page. Views of one `key` show the same.

    `concerns`: whether an event can change it. `every`: seconds after which it is drawn anew without any event.
    """

    key: Hashable
    draw: Callable[[], Awaitable[str]]
    concerns: Callable[[Event], bool]
    every: float = 30.0


class _Channel:
    """What those who look at one view share."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.changed = asyncio.Event()
        self.bells: set[asyncio.Event] = set()
        self.text = ""
        self.message = b""
        self.task: asyncio.Task[None] | None = None


class Live:
    """All open streams. Belongs to one event loop."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._channels: dict[Hashable, _Channel] = {}
        self._bell = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._is_closed = False

    def heard(self, committed: Committed) -> None:
        """Hear that something was committed."""
        del committed
        self._bell.set()

    def close(self) -> None:
        """End every stream, and let none begin."""
        self._is_closed = True
        for channel in self._channels.values():
            for bell in channel.bells:
                bell.set()

    async def stream(self, view: View, is_welcome: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """Answer the events of one page until it is closed, the visitor's session ends, or the house closes."""
        bell = asyncio.Event()
        channel = self._join(view, bell)
        told = b""
        try:
            yield b"retry: 1000\n\n"
            while not self._is_closed and await is_welcome():
                if channel.message != told:
                    told = channel.message
                    yield told
                elif told:
                    yield b": ping\n\n"
                await self._clock.wait(self._clock.monotonic() + PING, bell)
                bell.clear()
        finally:
            self._leave(channel, bell)

    def _join(self, view: View, bell: asyncio.Event) -> _Channel:
        channel = self._channels.get(view.key)
        if channel is None:
            channel = self._channels[view.key] = _Channel(view)
            channel.task = asyncio.create_task(self._keep_drawing(channel))
        channel.bells.add(bell)
        if channel.message:
            bell.set()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_events())
        return channel

    def _leave(self, channel: _Channel, bell: asyncio.Event) -> None:
        channel.bells.discard(bell)
        if channel.bells:
            return
        if self._channels.get(channel.view.key) is channel:
            del self._channels[channel.view.key]
        if channel.task is not None:
            channel.task.cancel()
        if not self._channels and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _keep_drawing(self, channel: _Channel) -> None:
        while True:
            channel.changed.clear()
            try:
                text = await channel.view.draw()
            except Exception:  # noqa: BLE001 -- the page itself tells of it; its stream ends, and comes again
                for bell in channel.bells:
                    bell.set()
                self._channels.pop(channel.view.key, None)
                return
            if text != channel.text:
                channel.text, channel.message = text, _message(text)
                for bell in channel.bells:
                    bell.set()
            await self._clock.sleep_until(self._clock.monotonic() + LEAST)
            await self._clock.wait(self._clock.monotonic() + channel.view.every - LEAST, channel.changed)

    async def _read_events(self) -> None:
        cursor = await self._gateway.last_event_id()
        while True:
            self._bell.clear()
            events = await self._gateway.events_after(cursor, limit=_AT_ONCE)
            for channel in self._channels.values():
                if not channel.changed.is_set() and any(map(channel.view.concerns, events)):
                    channel.changed.set()
            if events:
                cursor = events[-1].id
            if len(events) == _AT_ONCE:
                continue
            # A burst of commits is one look: nothing is drawn more often than that anyway.
            await self._clock.wait(self._clock.monotonic() + _POLL, self._bell)
            await self._clock.sleep_until(self._clock.monotonic() + 0.1)


def _message(text: str) -> bytes:
    body = f'<hx-partial hx-target="#canli" hx-swap="innerMorph">{text}</hx-partial>'
    return "".join([*(f"data: {line}\n" for line in body.splitlines()), "\n"]).encode()
