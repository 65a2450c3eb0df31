"""Who may sign in to the panel."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("language", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)

session = Table(
    "session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", Id, ForeignKey("person.id"), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("ix_session_person_id", "person_id"),
    sqlite_autoincrement=True,
)

setup_code = Table(
    "setup_code",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("wrong", Integer, nullable=False, server_default=text("0")),
)
"""The one code by which the first person is added: at most one row."""
