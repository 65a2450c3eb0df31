"""The Store in one SQLite file: written by one thread (see writer.py), read by a few that can't write."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from guvercin.store import scrubbing
from guvercin.store.seen import Seen
from guvercin.store.sql_store import SqlStore
from guvercin.store.sqlite import FILE_NAME, copy_database, engine_for, is_busy, is_unavailable
from guvercin.store.writer import GROUP, Tx, Writer


class SqliteStore(SqlStore):
    """The Store in one file. See guvercin.store.store.Store for what each verb promises."""

    def __init__(
        self,
        folder: Path,
        *,
        is_guest: bool = False,
        capacity: int = 4_096,
        group: int = GROUP,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Take the file in `folder`. `is_guest`: another process may own it, so nothing is checkpointed here.

        `capacity`, `group` and `monotonic` are the writer's.
        """
        self.path = folder / FILE_NAME
        seen = Seen(folder)
        writer = Writer(
            lambda: engine_for(self.path, owns_file=not is_guest).connect(),
            path=self.path,
            is_busy=is_busy,
            is_unavailable=is_unavailable,
            on_commit=seen.mark,
            capacity=capacity,
            group=group,
            monotonic=monotonic,
        )
        super().__init__(
            writer=writer, engine=engine_for(self.path, query_only=True), seen=seen, is_unavailable=is_unavailable
        )

    async def scrub(self, *, now: datetime) -> bool:
        has_traces = await asyncio.to_thread(scrubbing.scrub, self.path)
        if has_traces:
            await self._writer.do(lambda tx: scrubbing.remember(tx, now=now))
        return has_traces

    async def compact(self) -> None:
        if not await self._read(lambda connection: scrubbing.is_noted(Tx(connection))):
            await asyncio.to_thread(scrubbing.cut_off, self.path)
            return
        await asyncio.to_thread(scrubbing.compact, self.path)
        await self._writer.do(scrubbing.done)

    async def backup(self, target: Path) -> None:
        await self._read(lambda _: copy_database(self.path, target))
