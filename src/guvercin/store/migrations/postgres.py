"""The history of migrations was begun for SQLite and holds for PostgreSQL: here is what has to be read differently.

A truth value's default is written as a number there, and a partial index says its condition for SQLite alone.
"""

from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Boolean, Column, Index, Table, text

_TRUTH = {"0": "false", "1": "true"}


class Postgres(PostgresqlImpl):
    """Alembic's own, for tables and indexes that were written for SQLite."""

    __dialect__ = "postgresql"

    def create_table(self, table: Table, **words: Any) -> None:
        """Create a table."""
        for column in table.columns:
            _read(column)
        super().create_table(table, **words)

    def add_column(self, table_name: str, column: Column[Any], **words: Any) -> None:
        """Add a column."""
        _read(column)
        super().add_column(table_name, column, **words)

    def create_index(self, index: Index, **words: Any) -> None:
        """Create an index."""
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
        super().create_index(index, **words)


def _read(column: Column[Any]) -> None:
    default: Any = column.server_default
    if isinstance(column.type, Boolean) and default is not None:
        default.arg = text(_TRUTH.get(str(default.arg), str(default.arg)))
