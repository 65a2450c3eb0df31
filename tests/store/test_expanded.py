"""Today's program on the schema of a later one that has only expanded it: the core of the Store's laws still holds."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection
from tests.contracts.store_acceptance import BatchLaws, KeyLaws
from tests.contracts.store_lives import LifeLaws
from tests.contracts.store_order import OrderLaws
from tests.contracts.store_reading import ReadingLaws
from tests.proof.newer import EXPANDING, NEWER
from tests.store.conftest import EMPTY
from tests.store.server import Server

from guvercin.store.schema import prepare, version
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.store import Store

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore


class CoreLaws(LifeLaws, OrderLaws, KeyLaws, BatchLaws, ReadingLaws):
    """Accept, claim, settle, read."""


def expand(connection: Connection) -> None:
    """Do what an expanding migration does."""
    for statement in EXPANDING:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{NEWER}'")  # noqa: S608 -- our own words
    connection.commit()


class TestSqlite(CoreLaws):
    @pytest.fixture
    async def store(self, folder: Path) -> AsyncIterator[Store]:
        engine = engine_for(folder / FILE_NAME)
        with engine.connect() as connection:
            expand(connection)
        assert prepare(engine) is False
        opened = SqliteStore(folder)
        await opened.open()
        yield opened
        await opened.close()
        with engine.connect() as connection:
            assert version(connection) == NEWER


@pytest.fixture(scope="module")
def expanded(server: Server) -> Iterator[tuple[str, Connection]]:
    """Answer the address of a database that was expanded, and a connection to it."""
    from guvercin.store.postgres import engine_for as engine_of

    server.create("expanded")
    engine = engine_of(server.url("expanded"))
    prepare(engine)
    with engine.connect() as connection:
        expand(connection)
        yield server.url("expanded"), connection


class TestPostgres(CoreLaws):
    @pytest.fixture
    async def store(self, expanded: tuple[str, Connection], tmp_path: Path) -> "AsyncIterator[PostgresStore]":
        from guvercin.store.postgres import engine_for as engine_of
        from guvercin.store.postgres_store import PostgresStore

        url, broom = expanded
        broom.exec_driver_sql(EMPTY)
        assert prepare(engine_of(url)) is False
        opened = PostgresStore(url, tmp_path)
        await opened.open()
        yield opened
        await opened.close()
