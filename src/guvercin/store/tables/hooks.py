"""Addresses that hear what happened, and deliveries."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

hook = Table(
    "hook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("account_ids", Text),
    Column("secret", LargeBinary, nullable=False),
    Column("secret_before", LargeBinary),
    Column("before_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("first_id", Id, nullable=False),
    Column("cursor", Id, nullable=False),
    Column("failing_since", BigInteger),
    Column("delivered_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_for", Text),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)
"""Addresses that hear what happened. `cursor` is a place in the event table, their outbox; secrets are sealed."""

delivery = Table(
    "delivery",
    metadata,
    Column("hook_id", Id, ForeignKey("hook.id"), primary_key=True),
    Column("event_id", Id, primary_key=True),
    Column("subject", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("tried_at", BigInteger),
    Column("status", Integer),
    Column("trouble", Text),
    Column("took_ms", Integer),
    Index("ix_delivery_due", "hook_id", "next_at", sqlite_where=text("next_at IS NOT NULL")),
    Index("ix_delivery_subject", "hook_id", "subject", "event_id", sqlite_where=text("state = 'bekliyor'")),
)
"""Deliveries that were not simply done. Of a subject's waiting ones the oldest alone has a `next_at`."""

hook_hour = Table(
    "hook_hour",
    metadata,
    Column("hook_id", Id, ForeignKey("hook.id"), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("taken", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
)
"""Tries of each hook by the hour (hours since 1970, UTC): how many were taken, how many not."""
