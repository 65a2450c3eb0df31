"""PostgreSQL: how its sessions are set up, and how the hand-written statements run there.

The driver is psycopg, an extra: imported where a database of this kind is asked for, and nowhere else. Core statements
and migrations go through SQLAlchemy and the driver's cursors; hand-written ones straight to libpq as prepared
statements, which costs a third of a cursor's time and runs without Python's lock.

A session gives up a statement after half a minute and notices within seconds that its server is gone: whoever waits for
it hears STORE_UNAVAILABLE.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from guvercin.sealing import Seal
from guvercin.store.hand import BEGIN_WRITING
from guvercin.store.hiding import Hiding, stand_in, without_hiding
from guvercin.store.lock import EVENTS, GATEWAY, LOCKS, SCHEMAS, ServerTooOld
from guvercin.store.schema import HEAD, can_run
from guvercin.store.words import in_postgres

OLDEST = 15
"""The oldest PostgreSQL that the statements were tried on."""

_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

_LOCK_TIMEOUT = "10s"

_PATIENCE = "3s"
"""How long a gateway that ends may keep the next one waiting."""

_SET_UP = (
    "SET statement_timeout = '30s'",
    f"SET lock_timeout = '{_LOCK_TIMEOUT}'",
    # Who writes does it alone: one that was stopped in the middle must not keep the others waiting.
    "SET idle_in_transaction_session_timeout = '3s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET TimeZone = 'UTC'",
    # Whatever the server's owner has chosen may be stricter, never laxer: what was accepted is on the disk.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)

_READ_ONLY = "SET default_transaction_read_only = on"

_BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({LOCKS}, {EVENTS})".encode()

_STANDS_AT = """
    SELECT to_jsonb(a) ->> 'version_num', to_jsonb(a) ->> 'compatible_version' FROM alembic_version a
"""
"""By way of JSON: a database that was put back from long ago hasn't the second."""

_SPOILT = {"25006", "25P02", "25P03", "57014", "40001", "40P01", "55P03"}
"""A standby, a transaction that is over, a time-out, a conflict: to be tried again later, and no bug."""


class Owned(psycopg.OperationalError):
    """Another gateway runs on this database."""


class Outdated(psycopg.OperationalError):
    """A newer version has changed the schema, beyond what we can run on, while this process had no session here."""


class Answer:
    """What a statement has answered, rows as tuples."""

    __slots__ = ("_at", "_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self._at = 0
        self.rowcount = rowcount

    @property
    def lastrowid(self) -> Any:
        """The id that the last row got."""
        return self._rows[-1][0] if self._rows else None

    def fetchone(self) -> Any:
        """Answer the next row, or null."""
        if self._at == len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchall(self) -> list[Any]:
        """Answer the rows that are left."""
        at, self._at = self._at, len(self._rows)
        return self._rows[at:]

    def __iter__(self) -> Iterator[Any]:
        """Answer the rows that are left."""
        return iter(self.fetchall())


class Hand:
    """Runs hand-written statements in a session, each prepared once."""

    def __init__(self, session: "psycopg.Connection[Any]", seal: Seal | None) -> None:
        self._libpq = session.pgconn
        self._seal = seal
        self._rows = Transformer(session)
        self._prepared: dict[str, tuple[bytes, bool, Sequence[Hiding]]] = {}
        self.total_changes = 0
        self.is_lost = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or the session is of no use any more."""
        return self.is_lost or self._libpq.transaction_status != TransactionStatus.IDLE

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        """Run a statement of SQLite's words with a value for each question mark."""
        if statement == BEGIN_WRITING:
            return self._begin_writing()
        name, writes, hidings = self._prepared.get(statement) or self._prepare(statement)
        if hidings:
            values = [*values, *(stand_in(self._seal, each, values[each.place - 1]) for each in hidings)]
        result = self._libpq.exec_prepared(name, _encoded(values))
        if result.status == ExecStatus.TUPLES_OK:
            self._rows.set_pgresult(result)
            count = result.ntuples
            rows: list[Any] = self._rows.load_rows(0, count, tuple) if count else []
        elif result.status == ExecStatus.COMMAND_OK:
            count, rows = result.command_tuples or 0, []
        else:
            raise self._trouble(result)
        if writes:
            self.total_changes += count
        return Answer(rows, count)

    def _begin_writing(self) -> Answer:
        """Begin, alone among those who write: events then become visible in the order of their ids.

        Ids are given before commits, and whoever follows the events by their ids would pass by one that comes late.
        """
        result = self._libpq.exec_(_BEGIN)
        if result.status != ExecStatus.TUPLES_OK:
            raise self._trouble(result)
        return Answer([], 0)

    def _prepare(self, statement: str) -> tuple[bytes, bool, Sequence[Hiding]]:
        name = b"hand%d" % len(self._prepared)
        written, hidings = without_hiding(statement)
        text = in_postgres(written)
        result = self._libpq.prepare(name, text.encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise self._trouble(result)
        self._prepared[statement] = name, text.startswith(("INSERT", "UPDATE", "DELETE")), hidings
        return self._prepared[statement]

    def _trouble(self, result: Any) -> Exception:
        trouble = _trouble(result)
        self.is_lost = self.is_lost or is_lost(trouble)
        return trouble


class Session(psycopg.Connection[Any]):
    """A session that carries a hand."""

    hand: Hand


def _encoded(values: Sequence[Any]) -> Any:
    """Write values as text, as PostgreSQL reads them: the statement says of which type each is."""
    return [None if value is None else _ENCODE.get(type(value), _as_text)(value) for value in values]


def _as_text(value: Any) -> bytes:
    return (value if isinstance(value, str) else str(value)).encode()


_ENCODE: dict[type, Callable[[Any], bytes]] = {
    str: str.encode,
    bytes: lambda value: b"\\x" + value.hex().encode(),
}


def _trouble(result: Any) -> Exception:
    """Make an error of a result, without the values that PostgreSQL repeats in its details."""
    state = result.error_field(DiagnosticField.SQLSTATE)
    message = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or result.error_message or b"the connection is lost"
    told = message.decode("utf-8", "replace").strip()
    if state is None:
        return psycopg.OperationalError(told)
    word = state.decode()
    try:
        kind = psycopg.errors.lookup(word)
    except KeyError:
        kind = psycopg.DatabaseError
    return kind(f"{told} ({word})")


def engine_for(url: str, *, query_only: bool = False, owner: bool = False, seal: Seal | None = None) -> Engine:
    """Make an engine whose sessions are set up as this project needs them.

    `seal` hides the numbers of people who were forgotten, and knows them again.

    `owner`: a gateway's writer and its leases. ServerTooOld; Owned while an older version, which wants to be alone, or
    a migration has the database; Outdated if it has a schema by now that we can't run on.
    """

    def connect() -> Session:
        session = _connected(url)
        try:
            _set_up(session, query_only=query_only, owner=owner, seal=seal)
        except BaseException:
            session.close()
            raise
        return session

    # Errors go to the log, and what a statement was given are numbers, names and texts.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",  # transactions are begun and ended by hand, as in SQLite
        pool_reset_on_return=None,  # as above: nothing is left open
        use_native_hstore=False,
    )
    event.listen(engine, "after_cursor_execute", _count_changes)
    event.listen(engine, "handle_error", _say_less)
    return engine


def session_for(url: str) -> Session:
    """Open the driver's own session, in which every statement is by itself: for who listens."""
    return _connected(url)


def _set_up(session: Session, *, query_only: bool, owner: bool, seal: Seal | None) -> None:
    if session.info.server_version < OLDEST * 10_000:
        raise ServerTooOld
    session.pgconn.exec_("; ".join([*_SET_UP, _READ_ONLY] if query_only else _SET_UP).encode())
    session.hand = Hand(session, seal)
    if owner:
        _own(session.hand)


def _own(hand: Hand) -> None:
    """Take our part of the gateways' locks for as long as the session lives. One that ends now is waited for.

    Versions that knew of one gateway alone have the first whole; so has who migrates while nobody runs. The second says
    which schema we know: whoever raises the compatible version above it needs that one whole.
    """
    hand.execute(f"SET lock_timeout = '{_PATIENCE}'")
    try:
        hand.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, GATEWAY))
        hand.execute("SELECT pg_advisory_lock_shared(?, ?)", (SCHEMAS, int(HEAD)))
    except psycopg.errors.LockNotAvailable:
        raise Owned("another gateway runs on this database") from None
    hand.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    # Asked when nobody can contract the schema any more. A session that was lost may find another one.
    if not can_run(*(hand.execute(_STANDS_AT).fetchone() or (None, None))):
        raise Outdated("a newer version has changed the schema: stop this gateway and start it with that version")


def _connected(url: str) -> Session:
    try:
        settings: dict[str, Any] = {**_KEEPALIVE, "application_name": "guvercin", **conninfo_to_dict(url)}
        return Session.connect(autocommit=True, **settings)
    except psycopg.Error as trouble:
        raise psycopg.OperationalError(without_secrets(str(trouble), url)) from None


def without_secrets(text: str, url: str) -> str:
    """Answer what a driver said of an address, without its password."""
    with suppress(psycopg.Error):
        for name, value in conninfo_to_dict(url).items():
            if "password" in name and value:
                text = text.replace(str(value), "***")
        return text
    return "the address of the database can't be read"


def is_lost(trouble: BaseException) -> bool:
    """Say whether an error means that its session is over: libpq alone doesn't always know."""
    state = trouble.sqlstate if isinstance(trouble, psycopg.Error) else None
    return isinstance(trouble, psycopg.OperationalError) and (state is None or state[:3] in {"080", "57P"})


def _count_changes(connection: Any, cursor: Any, _statement: Any, _values: Any, context: Any, _many: Any) -> None:
    """Count what SQLAlchemy's statements write, so that a job is seen to have written."""
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        connection.connection.driver_connection.hand.total_changes += max(cursor.rowcount, 0)


def _say_less(context: Any) -> None:
    """Take the details off a driver's error: they repeat values."""
    original = context.original_exception
    if is_lost(original) and context.connection is not None:
        with suppress(Exception):
            context.connection.connection.driver_connection.hand.is_lost = True
    if isinstance(original, psycopg.Error) and original.sqlstate is not None:
        told = f"{original.diag.message_primary} ({original.sqlstate})"
        original.args = (told,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (told,)


def is_owned(trouble: BaseException | None) -> bool:
    """Say whether another gateway's lock is behind an error."""
    while trouble is not None:
        if isinstance(_cause(trouble), Owned):
            return True
        trouble = trouble.__cause__
    return False


def _cause(trouble: BaseException) -> BaseException:
    """Answer the driver's own error under SQLAlchemy's."""
    original = getattr(trouble, "orig", None)
    return original if isinstance(original, BaseException) else trouble


def is_busy(_trouble: Exception) -> bool:
    """Nothing is waited for here: PostgreSQL waits by itself, as long as `lock_timeout` says."""
    return False


def is_unavailable(trouble: Exception) -> bool:
    """Say whether the database can't be used: gone, full, starting, a standby. A broken rule or a bug is not that."""
    cause = _cause(trouble)
    if not isinstance(cause, psycopg.Error):
        return False
    return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)) or cause.sqlstate in _SPOILT
