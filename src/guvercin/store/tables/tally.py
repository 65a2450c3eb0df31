"""The days' counts."""

from sqlalchemy import Column, Integer, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

daily_count = Table(
    "daily_count",
    metadata,
    Column("day", Text, primary_key=True),
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("tur_id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Id, primary_key=True, autoincrement=False),
    Column("status", Text, primary_key=True),
    Column("reason", Text, primary_key=True, server_default=text("''")),
    Column("n", Integer, nullable=False),
)
"""How many messages of a day stand where. Counted from the messages; may be thrown away with its mark."""

count_mark = Table(
    "count_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", Id, nullable=False),
)
"""Up to which event the counts are right: at most one row."""
