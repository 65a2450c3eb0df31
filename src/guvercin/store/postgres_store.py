"""The Store in PostgreSQL: the same verbs over the same statements, written by one session, read by a few.

The writer's session holds the gateway's lock: what can write is what runs the accounts. A session that is lost, and its
lock with it, is opened again; if another gateway has taken the lock meanwhile, this one can't write any more.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from guvercin.core.errors import Code, GuvercinError
from guvercin.sealing import Seal
from guvercin.store.hand import by_hand
from guvercin.store.lock import DatabaseOwned
from guvercin.store.postgres import engine_for, is_busy, is_owned, is_unavailable
from guvercin.store.seen import Seen
from guvercin.store.sql_store import SqlStore
from guvercin.store.writer import GROUP, Tx, Writer


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
    ) -> None:
        """Take the database at `url`; `folder` keeps how far this machine has seen it.

        `is_guest`: another process may be the gateway. `capacity`, `group` and `monotonic` are the writer's.
        """
        seen = Seen(folder)
        engine = engine_for(url, query_only=True, seal=Seal(folder))
        writing = engine_for(url, owner=not is_guest, seal=Seal(folder))
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
        )
        super().__init__(writer=writer, engine=engine, seen=seen, is_unavailable=is_unavailable)

    async def scrub(self, *, now: datetime) -> bool:  # noqa: ARG002 -- as the Store has it
        """Leave it to PostgreSQL, whose vacuum takes what was forgotten when nobody looks at it any more."""
        return True

    async def compact(self) -> None:
        """Leave that to PostgreSQL, too."""

    async def open(self) -> None:
        """Open it. DatabaseOwned when another gateway runs on it."""
        try:
            await super().open()
        except GuvercinError as trouble:
            if is_owned(trouble):
                raise DatabaseOwned from None
            raise

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
