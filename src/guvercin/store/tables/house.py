"""The installation itself: what its owner set, and its heartbeat."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from guvercin.store.tables.ground import metadata

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What the owner set in the panel."""

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
