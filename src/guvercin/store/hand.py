"""Statements written by hand, over a connection of either database.

The statements are SQLite's own words (statements/), and SQLite runs them as they stand, by its driver. A session
of PostgreSQL carries a `hand` that reads the same words its own way (postgres.py, words.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

BEGIN_WRITING = "BEGIN IMMEDIATE"

BEGIN_READING = "BEGIN"
"""For several questions about one moment."""


class Answer(Protocol):
    """What a statement has answered."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed, or answered."""

    @property
    def lastrowid(self) -> Any:
        """The id that the last row got that was inserted."""

    def fetchone(self) -> Any:
        """Answer the next row, or null."""

    def fetchall(self) -> list[Any]:
        """Answer the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Answer the rows that are left."""


class Hand(Protocol):
    """What runs statements: SQLite's own connection, or postgres.Hand."""

    @property
    def total_changes(self) -> int:
        """How many rows this connection has ever changed."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Answer:
        """Run a statement with a value for each question mark."""


def by_hand(connection: Connection) -> Hand:
    """Answer what runs hand-written statements over a connection."""
    raw: Any = connection.connection.driver_connection
    hand: Hand = getattr(raw, "hand", raw)
    return hand
