"""A shop's data from its SQLite file into an empty PostgreSQL: every row of every table, in one transaction.

Laws
1. Nothing is copied over anything: a target that holds anything of a shop is refused.
2. Counts are compared before anything is kept, and the next ids go on where the file's would have.
3. The file is put aside before the copy counts: two databases that both believe to have to send would write twice.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine, Table, func, select, text

from guvercin.store.lock import GATEWAY, LOCKS, DatabaseOwned
from guvercin.store.tables import metadata
from guvercin.store.tables.house import heartbeat

_AT_ONCE = 1_000

_OF_A_SERVER = frozenset({"node", "lease"})
"""Who runs what on PostgreSQL; a file has no such rows."""


class NotEmpty(Exception):  # noqa: N818 -- a word of the domain
    """The target holds something of a shop already."""


class Miscounted(Exception):  # noqa: N818 -- as NotEmpty
    """The target has other numbers of rows than the file. Nothing was kept."""


def move(source: Engine, target: Engine, put_aside: Callable[[], Callable[[], None]]) -> Mapping[str, int]:
    """Copy everything; answers how many rows of which table. Nobody writes to either meanwhile.

    Both stand at the newest schema. `put_aside` takes the file out of the way, and answers what puts it back: that is
    done if the copy could not be kept. NotEmpty, Miscounted, DatabaseOwned.
    """
    with source.connect() as whence, target.connect() as to:
        to.execution_options(isolation_level="READ COMMITTED")  # one transaction: the store's own begin by hand
        if not to.scalar(text(f"SELECT pg_try_advisory_xact_lock({LOCKS}, {GATEWAY})")):
            raise DatabaseOwned
        if any(_count(to, table) for table in _tables() if table is not heartbeat):
            raise NotEmpty
        to.execute(text("SET LOCAL statement_timeout = 0"))
        to.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        to.execute(heartbeat.delete())
        for table in _tables():
            _copy(whence, to, table)
        _go_on(whence, to)
        counts = {table.name: _count(whence, table) for table in _tables()}
        if counts != {table.name: _count(to, table) for table in _tables()}:
            raise Miscounted
        whence.rollback()
        put_back = put_aside()
        try:
            to.commit()
        except BaseException:
            put_back()
            raise
    return {name: count for name, count in counts.items() if count}


def _tables() -> Sequence[Table]:
    return [table for table in metadata.sorted_tables if table.name not in _OF_A_SERVER]


def _count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def _copy(whence: Connection, to: Connection, table: Table) -> None:
    """Copy one table, in the order of its key: rows that name others of their own table come after those."""
    for rows in whence.execute(select(table).order_by(*table.primary_key)).mappings().partitions(_AT_ONCE):
        to.execute(table.insert(), [dict(row) for row in rows])


def _go_on(whence: Connection, to: Connection) -> None:
    """Let the next ids be those that the file would have given."""
    for name, given in whence.execute(text("SELECT name, seq FROM sqlite_sequence")):
        if name in metadata.tables and given:
            to.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :given)"), {"name": name, "given": given}
            )
