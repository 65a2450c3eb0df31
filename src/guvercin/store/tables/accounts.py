"""Accounts and their lines."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Float, Index, Table, Text, false, text, true

from guvercin.core.account import LineState, OnUnknown
from guvercin.store.tables.ground import Id, metadata, one_of

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phone", Text),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("is_enabled", Boolean, nullable=False, server_default=true()),
    Column("pace", Text, nullable=False),
    Column("on_unknown", Text, nullable=False),
    Column("line_state", Text, nullable=False),
    Column("line_since", BigInteger, nullable=False),
    Column("line_code", Text),
    Column("line_until", BigInteger),
    Column("connected_at", BigInteger),
    Column("last_claim_at", BigInteger),
    Column("draw", Float, nullable=False, server_default=text("0")),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("keeps_notices", Boolean, nullable=False, server_default=false()),
    Column("sender_title", Text),
    Column("repeat_guard", BigInteger),
    CheckConstraint(one_of("on_unknown", OnUnknown), name="on_unknown"),
    CheckConstraint(one_of("line_state", LineState), name="line_state"),
    Index(
        "uq_account_default",
        "is_default",
        unique=True,
        sqlite_where=text("is_default"),
    ),
    sqlite_autoincrement=True,
)
