"""As much of Python's database interface over apsw as the product asks of pysqlite3.

apsw lets us write SQLite's file system; it carries a copy of SQLite, so it takes pysqlite3's place and never stands
beside it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, ClassVar

import apsw

sqlite_version = apsw.sqlite_lib_version()
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))
paramstyle = "qmark"
threadsafety = 1
Binary = memoryview


class Warning(Exception):  # noqa: A001, N818 -- PEP 249's names, all of these
    pass


class Error(Exception):
    sqlite_errorcode: int = 0


class InterfaceError(Error):
    pass


class DatabaseError(Error):
    pass


class OperationalError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


class InternalError(DatabaseError):
    pass


_CLASSES: dict[type[Exception], type[Error]] = {
    apsw.ConstraintError: IntegrityError,
    apsw.MismatchError: IntegrityError,
    apsw.MisuseError: ProgrammingError,
    apsw.BindingsError: ProgrammingError,
    apsw.ConnectionClosedError: ProgrammingError,
    apsw.TooBigError: DataError,
    apsw.CorruptError: DatabaseError,
    apsw.NotADBError: DatabaseError,
}


@contextmanager
def _told_as_pep_249() -> Iterator[None]:
    try:
        yield
    except apsw.Error as trouble:
        told = _CLASSES.get(type(trouble), OperationalError)(str(trouble))
        told.sqlite_errorcode = int(getattr(trouble, "extendedresult", 0))
        raise told from trouble


class Cursor:
    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        raw = self.connection.raw
        with _told_as_pep_249():
            statement = Connection.words.get(statement, statement)
            before = raw.total_changes()
            cursor = raw.cursor()
            cursor.exec_trace = self._describe
            self._rows = cursor.execute(statement, parameters).fetchall()
            is_change = statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE")
            self.rowcount = (raw.changes() if raw.total_changes() != before else 0) if is_change else -1
            self.lastrowid = raw.last_insert_rowid()
        return self

    def _describe(self, cursor: apsw.Cursor, _: str, __: object) -> bool:
        """Look at the columns before the first row: after the last one apsw has forgotten them."""
        names = cursor.get_description()
        self.description = tuple((name[0], None, None, None, None, None, None) for name in names) or None
        return True

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> "Cursor":
        for parameters in many:
            self.execute(statement, parameters)
        return self

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        count = self.arraysize if size is None else size
        found, self._rows = self._rows[:count], self._rows[count:]
        return found

    def fetchall(self) -> list[Any]:
        found, self._rows = self._rows, []
        return found

    def close(self) -> None:
        self._rows = []


class Connection:
    words: ClassVar[dict[str, str]] = {}
    """Statements that are to be read as others: what a control does to the product."""
    on_open: ClassVar[Callable[["Connection"], None]] = lambda _: None
    on_commit: ClassVar[Callable[["Connection", Callable[[], Cursor]], Cursor]] = lambda _, commit: commit()

    def __init__(self, uri: str, *, timeout: float) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        self.isolation_level: str | None = None
        self.changes_at_commit = 0
        with _told_as_pep_249():
            self.raw = apsw.Connection(uri, flags=flags)
            self.raw.set_busy_timeout(int(timeout * 1000))
        Connection.on_open(self)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        if statement == "COMMIT":
            return Connection.on_commit(self, lambda: Cursor(self).execute(statement))
        return Cursor(self).execute(statement, parameters)

    def cursor(self) -> Cursor:
        return Cursor(self)

    def create_function(self, name: str, count: int, work: Callable[..., Any], *, deterministic: bool) -> None:
        self.raw.create_scalar_function(name, work, count, deterministic=deterministic)

    @property
    def total_changes(self) -> int:
        return self.raw.total_changes()

    @property
    def in_transaction(self) -> bool:
        return self.raw.in_transaction

    def commit(self) -> None:
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(apsw.Error):  # it is closed, whatever could not be tidied up meanwhile
            self.raw.close()


def connect(
    uri_name: str,
    *,
    uri: bool,
    timeout: float,
    isolation_level: None,
    check_same_thread: bool,
    cached_statements: int,
) -> Connection:
    """Open as the product asks for it, and in no other way."""
    assert uri
    assert isolation_level is None
    assert not check_same_thread
    assert cached_statements
    return Connection(uri_name, timeout=timeout)


def take_the_place_of_pysqlite3() -> None:
    """Be what `from pysqlite3 import dbapi2` finds. Before the product is loaded."""
    assert not {"pysqlite3", "sqlite3", "_sqlite3", "guvercin.store.sqlite"} & sys.modules.keys()
    package = ModuleType("pysqlite3")
    package.dbapi2 = sys.modules[__name__]  # type: ignore[attr-defined]
    sys.modules["pysqlite3"] = package
    sys.modules["pysqlite3.dbapi2"] = sys.modules[__name__]
