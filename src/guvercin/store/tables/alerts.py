"""What is the matter, and how far the owner's channels are."""

from sqlalchemy import BigInteger, Column, Table, Text

from guvercin.store.tables.ground import Id, metadata

alert = Table(
    "alert",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told_at", BigInteger),
    Column("gone_since", BigInteger),
)
"""What is the matter now, and what was said of it."""

alert_channel = Table(
    "alert_channel",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Id, nullable=False),
)
"""The last event that each of the owner's channels has carried."""
