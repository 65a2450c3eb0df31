"""What networks tell: receipts that came early, what people wrote, and what was learnt of numbers."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

receipt = Table(
    "receipt",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text),
    Column("heard_at", BigInteger, nullable=False),
    Index("ix_receipt_heard_at", "heard_at"),
)

last_inbound = Table(
    "last_inbound",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

not_understood = Table(
    "not_understood",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What networks told and nobody understood: the newest, for a month, so that it can be understood later."""

number_check = Table(
    "number_check",
    metadata,
    Column("number", Text, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("is_registered", Boolean),
    Column("known_at", BigInteger),
    Column("asked_at", BigInteger),
    Index("ix_number_check_asked", "account_id", "asked_at"),
)
"""What the network said of numbers, and when it was asked: the questions of a day are counted here."""

inbound = Table(
    "inbound",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("sender_name", Text),
    Column("kind", Text, nullable=False),
    Column("body", Text),
    Column("media_type", Text),
    Column("media_name", Text),
    Column("media_size", BigInteger),
    Column("wrote_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("read_at", BigInteger),
    Column("event_id", Id),
    Column("media_source", LargeBinary),
    Column("media_digest", Text),
    Index("uq_inbound_event_id", "event_id", unique=True),
    Index("uq_inbound_remote_id", "account_id", "remote_id", unique=True),
    Index("ix_inbound_sender", "sender", "id"),
    Index("ix_inbound_received_at", "received_at"),
    Index("ix_inbound_unread", "account_id", "id", sqlite_where=text("read_at IS NULL")),
    Index("ix_inbound_media_digest", "media_digest", sqlite_where=text("media_digest IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""The inbox: what people wrote to us, each message once. `body` null: it was erased.

`media_source` (sealed) is the way to a message's file at WhatsApp, `media_digest` our copy of it in the spool.
"""
