"""Databases in temporary folders. They are copied from one that was migrated once: migrating each costs a second.

PostgreSQL is a server of the tests' own with one database, which is emptied for each test.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection
from tests.contracts.desk import Desk
from tests.store.server import Server, programs, running

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.tables import metadata

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("empty") / FILE_NAME
    prepare(engine_for(path, create=True))
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path, empty_database: bytes) -> Path:
    """Answer a data folder with an empty database."""
    (tmp_path / FILE_NAME).write_bytes(empty_database)
    return tmp_path


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(folder)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: SqliteStore) -> Desk:
    return await Desk(store).furnish()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Answer a running PostgreSQL."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def migrated(server: Server) -> str:
    """Answer the address of a database with the schema and whatever tests have left in it."""
    from guvercin.store.postgres import engine_for as engine_of

    server.create("guvercin")
    prepare(engine_of(server.url("guvercin")))
    return server.url("guvercin")


@pytest.fixture(scope="session")
def broom(migrated: str) -> Iterator[Connection]:
    from guvercin.store.postgres import engine_for as engine_of

    with engine_of(migrated).connect() as connection:
        yield connection


@pytest.fixture
def emptied(migrated: str, broom: Connection) -> str:
    """Answer the address of an empty database. TRUNCATE would make thirty files anew."""
    broom.exec_driver_sql(EMPTY)
    return migrated


EMPTY = "; ".join(
    [
        "SET session_replication_role = replica",  # without looking after foreign keys
        *(f"DELETE FROM {table.name}" for table in metadata.sorted_tables),
        "SELECT setval(c.oid::regclass, 1, false) FROM pg_class c WHERE c.relkind = 'S'",
    ]
)


@pytest.fixture
async def postgres(emptied: str, tmp_path: Path) -> AsyncIterator["PostgresStore"]:
    from guvercin.store.postgres_store import PostgresStore

    opened = PostgresStore(emptied, tmp_path)
    await opened.open()
    yield opened
    await opened.close()
