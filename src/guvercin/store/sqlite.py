"""The one place that chooses the SQLite library, and how its connections are set up.

Two copies of SQLite in one process drop each other's locks, so everything here goes through pysqlite3; where it has no
wheel the standard library's own takes its place, alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool, Pool

from guvercin.sealing import Seal
from guvercin.store.hiding import hidden, hide

try:
    from pysqlite3 import dbapi2 as driver
except ImportError:  # no wheel for this machine
    import sqlite3 as driver  # noqa: TID251 -- the only copy then

FILE_NAME = "guvercin.db"

SOUND_VERSION = (3, 51, 3)
"""The first SQLite without the WAL-reset bug, which could corrupt a database that two connections write."""

_BUSY_SECONDS = 5.0
_TURNS = 10
_BUSY_CODES = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED; their extended codes carry these in the low byte


def library_version() -> tuple[int, int, int]:
    """Answer the version of the SQLite library in use."""
    major, minor, patch = driver.sqlite_version_info
    return major, minor, patch


def engine_for(
    path: Path,
    *,
    query_only: bool = False,
    owns_file: bool = False,
    create: bool = False,
    pool: type[Pool] = NullPool,
    is_alone: bool = False,
) -> Engine:
    """Make an engine whose connections are set up as this project needs them.

    Statements may call `hide(phone)`, which stands in the place of the number of somebody who was forgotten, and
    `hidden(phone)`, by which such a one is known again (itself, while nobody was ever forgotten).

    `owns_file`: the server's writer, the only one that checkpoints. Others beside a live server write one short
    transaction at most. `create` makes a missing file; otherwise a missing file is an error. `pool`: whether what is
    closed stays open for the next who asks; a program that keeps its connections has no use for that. `is_alone`: no
    other process opens the file meanwhile, so that locks and the index of the WAL are kept in this one's memory.
    """
    seal = Seal(path.parent)

    def connect() -> Any:
        mode = ("rwc" if create else "rw") + ("&vfs=unix-excl" if is_alone else "")
        connection = driver.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS alone: its fsync leaves the data in the disk's own memory
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what was forgotten is not to be found in the file either
        connection.execute("PRAGMA temp_store = MEMORY")
        if not owns_file:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        if query_only:
            connection.execute("PRAGMA query_only = ON")
        connection.create_function("hide", 1, partial(hide, seal), deterministic=False)
        connection.create_function("hidden", 1, partial(hidden, seal), deterministic=True)
        return connection

    # Errors go to the log, and what a statement was given are numbers, names and texts.
    return create_engine("sqlite://", creator=connect, poolclass=pool, module=driver, hide_parameters=True)


def _log_ahead(connection: Any) -> None:
    """Let commits go to a log of their own first, which a database remembers from its first moment on.

    Of two who find a new one at once SQLite sends one away without waiting, whatever time-out it was given: each could
    wait for the other. A transaction waits.
    """
    for _ in range(_TURNS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except driver.OperationalError as trouble:
            if not is_busy(trouble):
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def copy_database(path: Path, target: Path) -> None:
    """Copy a database, whatever its schema, into a file that is not there yet. A server may write meanwhile."""
    with engine_for(path).connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    # SQLite leaves the copy to the page cache, and a backup is what is left after a power cut.
    with target.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Open somebody else's database for reading, with the one library of this process. OSError: it can't be read.

    Nothing of it is changed, not even a journal that a crash has left hot: such a file can't be read until its owner
    has put it in order.
    """
    try:
        connection = driver.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()
    except driver.Error as trouble:
        raise OSError(f"{path.name}: {type(trouble).__name__}") from trouble


def _cause(trouble: Exception) -> Exception:
    """Answer the driver's own error under SQLAlchemy's."""
    original = getattr(trouble, "orig", None)
    return original if isinstance(original, Exception) else trouble


def is_busy(trouble: Exception) -> bool:
    """Say whether somebody else holds the database for a moment."""
    code = getattr(_cause(trouble), "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _BUSY_CODES


def is_unavailable(trouble: Exception) -> bool:
    """Say whether the database can't be used: gone, full, read-only or damaged. A broken rule or a bug is not that."""
    cause = _cause(trouble)
    return isinstance(cause, driver.DatabaseError) and not isinstance(
        cause, (driver.IntegrityError, driver.ProgrammingError, driver.DataError, driver.NotSupportedError)
    )
