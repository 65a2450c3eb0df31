"""The owner's categories."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from guvercin.store.tables.ground import metadata

category = Table(
    "category",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("is_commercial", Boolean, nullable=False),
    Column("keeps_quiet_hours", Boolean, nullable=False),
    Column("lifetime", BigInteger, nullable=False),
    Column("level", Integer, nullable=False),
)
"""The owner's own categories, and the presets that the owner has changed; a lifetime is milliseconds."""
