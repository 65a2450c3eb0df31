"""Tokens, what they have used, and passes that stand for them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from guvercin.store.tables.ground import Id, metadata

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

token_use = Table(
    "token_use",
    metadata,
    Column("token_id", Id, ForeignKey("token.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("accepted", Integer, nullable=False),
)

token_minute = Table(
    "token_minute",
    metadata,
    Column("token_id", Id, ForeignKey("token.id"), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("singles", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many single messages a token has asked for in each minute: a loop over singles is a bulk."""

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("token_id", Id, ForeignKey("token.id"), primary_key=True),
    Column("method", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("message_id", Id),
    Column("batch_id", Id),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_idempotency_key_created_at", "created_at"),
)

day_pass = Table(
    "day_pass",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_day_pass_expires_at", "expires_at"),
)
"""Sign-ins for a day: a pass stands for its token, and ends with it."""
