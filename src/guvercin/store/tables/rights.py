"""Who did what, what was destroyed, and what must be kept."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from guvercin.store.tables.ground import Id, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text),
    Column("way", Text, nullable=False),
    Column("token_id", Id),
    Column("address", Text),
    Column("detail", Text),
    Column("before", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""Who did what: a chain in which each entry names the hash of the one before it. Ids and codes, no texts or numbers."""

audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("given_out", Id, nullable=False),
)
"""The newest id that an entry of the audit got: at most one row. Who cuts off the end is betrayed by it."""

destruction = Table(
    "destruction",
    metadata,
    Column("id", Id, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("cause", Text, nullable=False),
    Column("texts", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("files", Integer, nullable=False),
    Column("others", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""What was destroyed, when and why; never of whom."""

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("phone", Text, primary_key=True),
    Column("why", Text),
    Column("since", BigInteger, nullable=False),
)
"""People whose data the law wants kept."""
