"""What PostgreSQL needs beyond the laws of a Store: its schema, its words, and a server that goes in mid-commit."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from tests.contracts.desk import Desk
from tests.store.server import Server

from guvercin.core.errors import GuvercinError
from guvercin.core.event import EventKind
from guvercin.store import pacing, reading, statements, tally
from guvercin.store.hand import BEGIN_WRITING, by_hand
from guvercin.store.lock import GATEWAY, LOCKS, DatabaseOwned
from guvercin.store.schema import HEAD, prepare, version
from guvercin.store.statements import claiming
from guvercin.store.tables import metadata
from guvercin.store.words import in_postgres
from guvercin.store.writer import Tx, Writer

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore, Receipts

VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
WRITTEN_IN = [
    *(import_module(f"{statements.__name__}.{subject.name}") for subject in iter_modules(statements.__path__)),
    pacing,
    tally,
    reading,
]
FRAGMENTS = {claiming._TURN, reading._MESSAGES}
"""Beginnings of statements."""


def connecting(url: str) -> Callable[[], Connection]:
    from guvercin.store.postgres import engine_for

    return engine_for(url).connect


# -- words


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT 1 WHERE a = ? AND b = ?", "SELECT 1 WHERE a = $1 AND b = $2"),
        ("SELECT max(a) FROM t WHERE b = max(?2, ?1)", "SELECT max(a) FROM t WHERE b = greatest($2, $1)"),
        ("SELECT min(coalesce(a, ?), b)", "SELECT least(coalesce(a, $1), b)"),
        ("SELECT min(coalesce(a, b))", "SELECT min(coalesce(a, b))"),
        (
            "a IS ? AND b IS NOT 'c' AND d IS NOT NULL",
            "a IS NOT DISTINCT FROM $1 AND b IS DISTINCT FROM 'c' AND d IS NOT NULL",
        ),
        ("WHERE ? IS NULL", "WHERE CAST($1 AS text) IS NULL"),
        ("WHERE +id > ? AND n = n + ?", "WHERE id > $1 AND n = n + $2"),
        ("FROM attempt a CROSS JOIN message m ON m.id = a.id", "FROM attempt a JOIN message m ON m.id = a.id"),
        ("INSERT INTO event (at) VALUES (?)", "INSERT INTO event (at) VALUES ($1) RETURNING id"),
        ("INSERT INTO receipt (at) VALUES (?)", "INSERT INTO receipt (at) VALUES ($1)"),
    ],
)
def test_few_words_differ(ours: str, theirs: str) -> None:
    assert in_postgres(ours) == theirs


def test_every_statement_is_understood(migrated: str) -> None:
    written = {name: words for place in WRITTEN_IN for name, words in vars(place).items()}
    with connecting(migrated)() as connection:
        hand: Any = by_hand(connection)
        understood = [
            hand._prepare(words)
            for name, words in written.items()
            if name.isupper() and isinstance(words, str) and words.split()[0] in VERBS and words not in FRAGMENTS
        ]
    assert len(understood) > 100


# -- the schema


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_migrations_make_what_the_tables_say(migrated: str) -> None:
    with connecting(migrated)() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        partial = connection.execute(
            text("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %'")
        )
        names = set(partial.scalars())
    in_order = {"ix_message_log", "ix_message_category", "ix_message_batch"}
    assert {(what, index.name, index.columns.keys()[-1] == "id") for what, index in found} == {
        (what, name, what == "remove_index") for name in in_order for what in ("remove_index", "add_index")
    }, "the id stands last in these, as in every index of SQLite's"
    assert names == {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }


def test_those_who_start_together_migrate_once(server: Server) -> None:
    server.create("together")
    from guvercin.store.postgres import engine_for

    with ThreadPoolExecutor(3) as starters:
        done = list(starters.map(lambda _: prepare(engine_for(server.url("together"))), range(3)))
    assert sorted(done) == [False, False, True]
    with connecting(server.url("together"))() as connection:
        assert version(connection) == HEAD


def test_an_error_does_not_repeat_what_it_was_given(emptied: str) -> None:
    with connecting(emptied)() as connection:
        given = {"hash": b"\x01geheim", "hint": "geheim"}
        words = "INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (:hash, :hint, '', 0)"
        connection.execute(text(words), given)
        with pytest.raises(IntegrityError) as told:
            connection.execute(text(words), given)
        with pytest.raises(Exception, match="duplicate key") as by_hand_told:
            by_hand(connection).execute(
                "INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (?, ?, '', 0)", tuple(given.values())
            )
    told_of = repr(told.value) + str(told.value) + str(by_hand_told.value)
    assert "geheim" not in told_of
    assert b"geheim".hex() not in told_of


# -- several gateways


async def test_a_gateway_of_an_older_version_is_not_joined(emptied: str, tmp_path: Path, broom: Connection) -> None:
    """It has the whole lock for itself, and knows nothing of leases."""
    from guvercin.store.postgres_store import PostgresStore

    (tmp_path / "baska").mkdir()
    another = PostgresStore(emptied, tmp_path / "baska")
    broom.exec_driver_sql(f"SELECT pg_advisory_lock({LOCKS}, {GATEWAY})")
    try:
        with pytest.raises(DatabaseOwned):
            await another.open()
    finally:
        broom.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCKS}, {GATEWAY})")
    guest = PostgresStore(emptied, tmp_path / "baska", is_guest=True)
    await guest.open()
    assert list(await guest.accounts()) == []
    await guest.close()


async def test_a_session_that_was_ended_is_opened_again(postgres: "PostgresStore", broom: Connection) -> None:
    desk = await Desk(postgres).furnish()
    first = await desk.accept()
    broom.exec_driver_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert await desk.accept() == first + 1
    assert [each.id for each in await postgres.accounts()] == [1, 2]


# -- events


async def test_who_follows_the_events_passes_by_none_of_a_writer_that_is_slow(
    postgres: "PostgresStore", emptied: str, broom: Connection
) -> None:
    desk = await Desk(postgres).furnish()
    before = await postgres.last_event_id()
    with connecting(emptied)() as connection:
        slow = by_hand(connection)
        slow.execute(BEGIN_WRITING)
        Tx(connection).record(0, EventKind.CATEGORY_CHANGED)
        waiting = asyncio.create_task(desk.accept())
        while not broom.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one():
            assert await postgres.events_after(before, limit=10) == ()
        assert not waiting.done()
        slow.execute("COMMIT")
    await waiting
    kinds = [event.kind for event in await postgres.events_after(before, limit=10)]
    assert kinds == [EventKind.CATEGORY_CHANGED, EventKind.MESSAGE_ACCEPTED]


# -- a server that goes in mid-commit


class Cut:
    """A hand whose second COMMIT is not answered: it has arrived, or it hasn't."""

    def __init__(self, hand: Any, *, arrives: bool) -> None:
        self._hand = hand
        self._arrives = arrives
        self._commits = 0
        self.is_lost = False

    @property
    def total_changes(self) -> int:
        return int(self._hand.total_changes)

    @property
    def in_transaction(self) -> bool:
        return self.is_lost or bool(self._hand.in_transaction)

    def execute(self, statement: str, values: Any = ()) -> Any:
        self._commits += statement == "COMMIT"
        if statement != "COMMIT" or self._commits != 2:
            return self._hand.execute(statement, values)
        import psycopg

        self._hand.execute("COMMIT" if self._arrives else "ROLLBACK")
        self.is_lost = True
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def writer_over(connect: Callable[[], Connection], receipts: "Receipts") -> Writer:
    from guvercin.store.postgres import is_busy, is_unavailable

    return Writer(
        connect,
        path=None,
        is_busy=is_busy,
        is_unavailable=is_unavailable,
        on_commit=lambda _: None,
        receipts=receipts,
    )


async def test_a_commit_of_which_nobody_can_say_what_became_is_not_repeated_at_the_end(
    emptied: str, broom: Connection
) -> None:
    from guvercin.store.postgres_store import Receipts

    asked = threading.Event()

    class Mute(Receipts):
        def ask(self, receipt: Any) -> bool | None:  # noqa: ARG002 -- as its base has it
            asked.set()
            return None

    def connect() -> Connection:
        connection = connecting(emptied)()
        raw: Any = connection.connection.driver_connection
        raw.hand = Cut(raw.hand, arrives=True)
        return connection

    def beat(tx: Tx) -> int:
        return tx.execute("INSERT INTO heartbeat (id, at) SELECT count(*), 0 FROM heartbeat").rowcount

    writer = writer_over(connect, Mute(connecting(emptied)))
    await writer.open()
    assert await writer.do(beat) == 1
    doubtful = asyncio.create_task(writer.do(beat))
    await asyncio.to_thread(asked.wait)
    await writer.close()
    with pytest.raises(GuvercinError, match="kayit_yapilamadi"):
        await doubtful
    assert broom.exec_driver_sql("SELECT count(*) FROM heartbeat").scalar_one() == 2


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_commit_that_was_not_answered_happens_once(emptied: str, broom: Connection, *, arrives: bool) -> None:
    from guvercin.store.postgres_store import Receipts

    opened: list[Connection] = []

    def connect() -> Connection:
        connection = connecting(emptied)()
        raw: Any = connection.connection.driver_connection
        if not opened:
            raw.hand = Cut(raw.hand, arrives=arrives)
        opened.append(connection)
        return connection

    def beat(number: int) -> Callable[[Tx], int]:
        return lambda tx: tx.execute("INSERT INTO heartbeat (id, at) VALUES (?, 0)", (number,)).rowcount

    writer = writer_over(connect, Receipts(connecting(emptied)))
    await writer.open()
    for number in (1, 2, 3):  # the second would be refused if it were done twice: it is asked for
        assert await writer.do(beat(number)) == 1
    await writer.close()
    assert broom.exec_driver_sql("SELECT count(*) FROM heartbeat").scalar_one() == 3
    assert len(opened) == (1 if arrives else 2)
