"""One database: written by its writer alone (see writer.py), read by a few that can't write."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import TypeVar

from sqlalchemy import Connection, Engine

from guvercin.core.errors import Code, GuvercinError
from guvercin.store.seen import Seen
from guvercin.store.statements.accepting import LAST_DUE
from guvercin.store.times import to_ms
from guvercin.store.writer import Committed, Writer

T = TypeVar("T")

_READERS = 2


class Database:
    """A writer, a few readers, and how far this machine has seen the database. The verbs stand beside, by subject."""

    def __init__(
        self, *, writer: Writer, engine: Engine, seen: Seen, is_unavailable: Callable[[Exception], bool]
    ) -> None:
        """Take what writes and what reads. `is_unavailable` says which trouble means that the database is away."""
        self._writer = writer
        self._engine = engine
        self._seen = seen
        self._is_unavailable = is_unavailable
        self._readers: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._last_due = 0

    async def open(self) -> None:
        try:
            self._seen.open()
            await self._writer.open()
            self._last_due = await self._writer.do(lambda tx: int(tx.execute(LAST_DUE).fetchone()[0]))
            # All now: a database that vanishes later can still be read by those who have it open.
            for _ in range(_READERS):
                self._idle.put(await asyncio.to_thread(self._engine.connect))
            self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="guvercin-reader")
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._writer.close()
        readers, self._readers = self._readers, None
        if readers is not None:
            await asyncio.to_thread(readers.shutdown)
        while not self._idle.empty():
            self._idle.get().close()
        self._seen.close()

    def listen(self, listener: Callable[[Committed], None]) -> None:
        self._writer.listen(listener)

    @property
    def waiting(self) -> int:
        """Answer how many changes wait for the writer."""
        return self._writer.waiting

    async def check(self, now: datetime) -> None:
        beat = "INSERT INTO heartbeat (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
        await self._writer.do(lambda tx: tx.execute(beat, (to_ms(now),)).rowcount)

    def _line_ms(self, now: datetime) -> int:
        """Answer a place behind everything accepted so far: a clock set back must not let a newcomer overtake."""
        self._last_due = max(self._last_due, to_ms(now))
        return self._last_due

    def _renewed(self, connection: Connection) -> Connection | None:  # noqa: ARG002 -- some databases can be lost
        """Answer a new connection in the place of one that was lost; null: it was not."""
        return None

    def _read_now(self, query: Callable[[Connection], T]) -> T:
        connection = self._idle.get()  # as many as there are threads
        try:
            try:
                return query(connection)
            except Exception:
                renewed = self._renewed(connection)
                if renewed is None:
                    raise
                connection = renewed
            return query(connection)
        except Exception as trouble:
            if self._is_unavailable(trouble):
                raise GuvercinError(Code.STORE_UNAVAILABLE, retry_after=timedelta(seconds=5)) from trouble
            raise
        finally:
            with suppress(Exception):  # ends SQLAlchemy's transaction; the driver holds none
                connection.rollback()
            self._idle.put(connection)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        if self._readers is None:
            raise GuvercinError(Code.CLOSING, retry_after=timedelta(seconds=5))
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, query)
