"""PostgreSQL keeps the laws of every Store."""

from typing import TYPE_CHECKING

import pytest
from tests.contracts.store_laws import StoreLaws

from guvercin.store.store import Store

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore


class TestPostgres(StoreLaws):
    @pytest.fixture
    def store(self, postgres: "PostgresStore") -> Store:
        return postgres
