"""The Store in PostgreSQL: the same verbs over the same statements, written by one session, read by a few.

Several gateways may run on one database. Each writes alone while it writes (postgres.Hand), tells the others of it
(telling.py), and runs the accounts whose leases it has (leasing.py).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from guvercin.core.errors import Code, GuvercinError
from guvercin.sealing import Seal
from guvercin.store.hand import by_hand
from guvercin.store.leasing import LeaseRows, NodeStanding, nodes
from guvercin.store.lock import DatabaseOwned
from guvercin.store.postgres import engine_for, is_busy, is_owned, is_unavailable, session_for
from guvercin.store.schema import HEAD, KNOWN
from guvercin.store.seen import Seen
from guvercin.store.sql_store import SqlStore
from guvercin.store.telling import Ear, Mouth
from guvercin.store.writer import GROUP, Committed, Tx, Writer

_log = logging.getLogger(__name__)


class Receipts:
    """What PostgreSQL knows of a transaction by its number."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect

    def take(self, tx: Tx) -> Any:
        """Answer the number of a transaction, null if it has written nothing."""
        return tx.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()[0]

    def ask(self, receipt: Any) -> bool | None:
        """Say whether it was committed; null: its session still lives."""
        with self._connect() as connection:
            found = by_hand(connection).execute("SELECT pg_xact_status(CAST(? AS xid8))", (receipt,)).fetchone()[0]
        return None if found == "in progress" else bool(found == "committed")


class PostgresStore(SqlStore):
    """The Store in one database of a server. See guvercin.store.store.Store for what each verb promises."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        is_guest: bool = False,
        capacity: int = 4_096,
        group: int = GROUP,
        monotonic: Callable[[], float] = lambda: 0.0,
        shelf: Path | None = None,
    ) -> None:
        """Take the database at `url`; `folder` keeps how far this machine has seen it.

        `shelf` is the folder with the key, which all gateways share; null: `folder`.

        `is_guest`: another process may be the gateway. `capacity`, `group` and `monotonic` are the writer's.
        """
        seen, key = Seen(folder), shelf or folder
        engine = engine_for(url, query_only=True, seal=Seal(key))
        writing = engine_for(url, owner=not is_guest, seal=Seal(key))
        self._url = url
        self._mouth = Mouth()
        self._ear: Ear | None = None
        self._newer: str | None = None
        writer = Writer(
            writing.connect,
            path=None,
            is_busy=is_busy,
            is_unavailable=is_unavailable,
            on_commit=seen.mark,
            capacity=capacity,
            group=group,
            monotonic=monotonic,
            receipts=Receipts(engine.connect),
            before_commit=self._mouth.tell,
        )
        super().__init__(writer=writer, engine=engine, seen=seen, is_unavailable=is_unavailable)

    async def scrub(self, *, now: datetime) -> bool:  # noqa: ARG002 -- as the Store has it
        """Leave it to PostgreSQL, whose vacuum takes what was forgotten when nobody looks at it any more."""
        return True

    async def compact(self) -> None:
        """Leave that to PostgreSQL, too."""

    async def open(self) -> None:
        """Open it. DatabaseOwned while a gateway of an older version has it for itself, or a migration."""
        try:
            await super().open()
        except GuvercinError as trouble:
            if is_owned(trouble):
                raise DatabaseOwned from None
            raise

    def lease_rows(self, *, node: str, run: str, address: str, shelf: str, ttl_ms: int) -> LeaseRows:
        """Make this gateway's hand on the rows of leases."""
        return LeaseRows(
            engine_for(self._url, owner=True), node=node, run=run, address=address, shelf=shelf, ttl_ms=ttl_ms
        )

    def listen_to(self, node: str) -> None:
        """Hear from now on what gateways other than `node`, which is ours, tell of their commits."""
        loop = asyncio.get_running_loop()

        def heard(done: Committed) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear
                loop.call_soon_threadsafe(self._writer.tell, done)

        self._mouth.node = node
        self._ear = Ear(lambda: session_for(self._url), node, heard, self._see_schema)
        self._ear.open()

    def _see_schema(self, found: str) -> None:
        """Say once that a newer version has begun. Whether we can run on its schema is asked where sessions begin."""
        if found not in KNOWN and found != self._newer:
            self._newer = found
            _log.warning("newer_version_began", extra={"schema": found, "ours": HEAD})

    def speak(self, *, has_neighbours: bool) -> None:
        """Tell others of every commit, while there are any."""
        self._mouth.has_neighbours = has_neighbours

    async def nodes(self) -> Sequence[NodeStanding]:
        """Answer the gateways that live."""
        return await self._read(nodes)

    async def close(self) -> None:
        """Close it, deaf first."""
        ear, self._ear = self._ear, None
        if ear is not None:
            await asyncio.to_thread(ear.close)
        await super().close()

    async def backup(self, target: Path) -> None:  # noqa: ARG002 -- as the Store has it
        """Not here: a server's data is copied by its own tools."""
        raise GuvercinError(Code.UNSUPPORTED)

    def _renewed(self, connection: Connection) -> Connection | None:
        """Answer a new session in the place of one that the server has ended."""
        if not _is_lost(connection):
            return None
        with suppress(Exception):
            connection.close()
        return self._engine.connect()


def _is_lost(connection: Connection) -> bool:
    try:
        return by_hand(connection).in_transaction
    except Exception:  # noqa: BLE001 -- a connection that can't even be asked
        return True
