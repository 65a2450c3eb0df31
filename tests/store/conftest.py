"""Databases in temporary folders. They are copied from one that was migrated once: migrating each costs a second."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.desk import Desk

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore


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
