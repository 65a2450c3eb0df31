"""SQLite keeps the laws of every Store."""

import pytest
from tests.contracts.store_laws import StoreLaws

from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.store import Store


class TestSqlite(StoreLaws):
    @pytest.fixture
    def store(self, store: SqliteStore) -> Store:
        return store
