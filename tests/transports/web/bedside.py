"""The test server in a thread of its own, and phones linked to it: what the tests of the linked phone stand on."""

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from guvercin.core.account import Line, LineNews, LineState
from guvercin.core.errors import GuvercinError
from guvercin.core.outcome import LineEvent, Receipt, TransportEvent
from guvercin.gateway.clock import SystemClock
from guvercin.store.sqlite import reading
from guvercin.testing.whatsapp.bed import Bed
from guvercin.testing.whatsapp.connection import Connection
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.phones import Phone, Received
from guvercin.transports.base import Attempt, Outgoing
from guvercin.transports.web.engine import Web
from guvercin.transports.web.run import Limits
from guvercin.transports.web.workers import Workers

T = TypeVar("T")

IN_MEMORY = Path("/dev/shm")
"""Linking writes 812 keys, and the engine waits for the disk after each: in memory it takes a fifth of the time."""

SHORT = Limits(open=20, grace=1.5, ping_every=2.0, ping=5.0, answer=1.5, check=5.0)
"""The limits of a line, for tests that wait for their end."""

_numbers = count(1)


async def until(happened: Callable[[], Any], within: float = 20.0) -> None:
    """Wait until it happened. Fails after so many seconds."""
    async with asyncio.timeout(within):
        while not happened():  # noqa: ASYNC110 -- real processes on real clocks: nothing here rings
            await asyncio.sleep(0.01)  # noqa: TID251 -- as above


class Notes:
    """What a line is lent to remember numbers with: here, a dictionary."""

    def __init__(self) -> None:
        self.seen: dict[str, bool] = {}
        self.asked: list[str] = []
        self.wait: timedelta | None = None
        self.trouble: GuvercinError | None = None

    async def known(self, number: str) -> bool | None:
        if self.trouble is not None:
            raise self.trouble
        return self.seen.get(number)

    async def ask(self, number: str) -> timedelta | None:
        if self.wait is None:
            self.asked.append(number)
        return self.wait

    async def learn(self, number: str, *, is_registered: bool) -> None:
        self.seen[number] = is_registered


class Bedside:
    """A bed whose server lives in a thread of its own: a client under test may not share its loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.bed = self.call_now(self._begin())
        self.server = self.bed.server
        self.workers = self.made_for()

    def made_for(self, accounts_per_worker: int = 1) -> Workers:
        """Make workers of so many seats."""
        return Workers(
            self.folder / "web", environment=lambda: self.environment, accounts_per_worker=accounts_per_worker
        )

    def stop(self) -> None:
        self.call_now(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(self) -> Bed:
        bed = Bed(self.folder / "bed", self.clock)
        await bed.start()
        return bed

    async def _end(self) -> None:
        """Stop the server, and let what it has just closed come to its end."""
        await self.bed.stop()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.1)  # noqa: TID251 -- closed sockets take some turns of the loop

    def call_now(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the server's loop, and await it here."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.bed.environment, "NEONIZE_BOT_TAG": "off"}

    def person(self, *, receipts: tuple[str, ...] = ("", "read")) -> Phone:
        """Add somebody with WhatsApp."""
        number = next(_numbers)
        return self.server.add_phone(f"90532{number:07}", f"Kişi {number}", receipts=receipts)

    def line(
        self,
        account_id: int,
        limits: Limits = SHORT,
        notes: Notes | None = None,
        workers: Workers | None = None,
        until: Callable[[], float | None] = lambda: None,
    ) -> Web:
        return Web(
            numbers=notes or Notes(),
            folder=self.folder / "web" / str(account_id),
            clock=self.clock,
            open_database=reading,
            workers=workers or self.workers,
            limits=limits,
            until=until,
        )

    async def linked(self, account_id: int) -> LinkedDevice:
        """Link a phone to an account's folder, and end the line."""
        linked = Linked(self, account_id)
        try:
            await linked.pair()
        finally:
            await linked.end()
        assert linked.device is not None
        return linked.device


def has_opened(heard: list[TransportEvent]) -> bool:
    return any(isinstance(event, LineEvent) and event.news is LineNews.OPENED for event in heard)


class Linked:
    """One account's line and phone, and everything that the line has told."""

    def __init__(
        self,
        side: Bedside,
        account_id: int,
        *,
        limits: Limits = SHORT,
        workers: Workers | None = None,
        until: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.side = side
        self.folder = side.folder / "web" / str(account_id)
        self.notes = Notes()
        self.web = side.line(account_id, limits, self.notes, workers, until)
        self.phone = side.person()
        self.told: list[TransportEvent] = []
        self.device: LinkedDevice | None = None
        self.run: asyncio.Task[None] | None = None

    async def emit(self, event: TransportEvent) -> None:
        self.told.append(event)

    def news(self) -> list[LineEvent]:
        return [event for event in self.told if isinstance(event, LineEvent)]

    def receipts(self, remote_id: str) -> set[str]:
        return {each.kind.value for each in self.told if isinstance(each, Receipt) and each.remote_id == remote_id}

    async def pair(self) -> None:
        """Link the phone by QR, and leave the line open."""
        self.run = run = asyncio.create_task(self.web.pair(self.emit, None))
        await until(lambda: self.web.link.qr or run.done())
        assert self.web.link.qr, self.told
        self.device = await self.side.call(self.phone.scan(self.web.link.qr))
        await self.opened()

    async def dial(self) -> None:
        """Begin a run of the linked phone; it has not opened yet."""
        await self.end()
        self.told.clear()
        line = Line(state=LineState.CONNECTING, since=self.side.clock.now())
        self.run = asyncio.create_task(self.web.run(self.emit, line))

    async def opened(self) -> None:
        """Wait until the line takes sends."""
        await until(lambda: self.is_open() or self.has_ended())
        assert self.is_open(), self.told

    async def farewell(self, within: float = 20.0) -> LineEvent:
        """Wait until the run has ended, and answer its last word."""
        await until(self.has_ended, within)
        if self.run is not None:
            self.run.result()
        return self.news()[-1]

    def is_open(self) -> bool:
        run = self.web._open_run()
        return run is not None and has_opened(self.told)

    def has_ended(self) -> bool:
        return self.run is None or self.run.done()

    async def end(self) -> None:
        if self.run is not None:
            self.run.cancel()
            await asyncio.gather(self.run, return_exceptions=True)
            self.run = None

    @property
    def pid(self) -> int:
        """Answer the worker's process."""
        assert self.web._run is not None
        return self.web._run.seat.child._process.pid

    async def cut(self) -> None:
        """Break the device's connection."""
        await self.side.call(self.connection().cut())

    def connection(self) -> Connection:
        """Answer the device's connection; it must have one."""
        assert self.device is not None
        connection = self.device.connection
        assert connection is not None
        return connection

    async def stumbled(self, before: Connection) -> None:
        """Wait until the device left a connection for another, and the engine has heard of it.

        The moment in which the line is shut is too short to look for. The probe's answer comes behind what the
        worker had to report.
        """
        device = self.device
        assert device is not None
        await until(lambda: device.connection is not None and device.connection is not before)
        await self.web.probe()
        await until(self.is_open)

    def arrivals(self) -> list[Received]:
        """Answer what this phone's linked device has got through, in order."""
        return [one for one in self.side.server.received if one.sender is self.device]

    def owed(self, remote_id: str) -> list[tuple[str, str, str]]:
        """Answer the receipts of a message that WhatsApp still has to tell this phone's linked device."""
        assert self.device is not None
        return [key for key in self.device.queue if key[:2] == ("receipt", remote_id)]

    def message(self, to: Phone, text: str = "Merhaba") -> Outgoing:
        number = next(_numbers)
        secret = sha256(f"{self.folder} {number}".encode()).digest()
        return Outgoing(message_id=number, secret=secret, recipient=f"+{to.number}", text=text)

    def attempt(self, message: Outgoing) -> Attempt:
        return Attempt(
            message_id=message.message_id,
            secret=message.secret,
            recipient=message.recipient,
            started_at=self.side.clock.now(),
        )


@contextmanager
def bedside(scratch: Path) -> Iterator[Bedside]:
    """Start a server, in memory where there is some."""
    folder = Path(tempfile.mkdtemp(prefix="guvercin-", dir=IN_MEMORY)) if IN_MEMORY.is_dir() else scratch
    side = Bedside(folder)
    side.start()
    try:
        yield side
    finally:
        side.stop()
        if folder is not scratch:
            shutil.rmtree(folder, ignore_errors=True)
