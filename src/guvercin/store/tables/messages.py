"""Messages and batches: the queue and the log, with attempts and events."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)

from guvercin.core.message import Status
from guvercin.store.tables.ground import Id, metadata, one_of

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("category", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("paused_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("is_cancelling", Boolean, nullable=False, server_default=false()),
    Column("declared_at", BigInteger),
    Column("paused_code", Text),
    Column("finished_at", BigInteger),
    Column("name", Text),
    Index("ix_batch_token_body", "token_id", "body_hash", "created_at"),
    Index("ix_batch_account", "account_id", "id"),
    Index("ix_batch_stopped", "id", sqlite_where=text("paused_code IS NOT NULL")),
    Index("ix_batch_cancelling", "id", sqlite_where=text("is_cancelling")),
    sqlite_autoincrement=True,
)

_IN_LINE = text("status = 'queued' AND waits_for IS NULL")

_WAITS = text("status = 'queued' AND waits_for IN ('zaman', 'tekrar_deneme', 'onceki_mesaj')")

_PACED = text(
    "status = 'queued' AND waits_for IN ('sessiz_saat', 'saatlik_sinir', 'gunluk_sinir', 'aylik_sinir', "
    "'yeni_hat_kapali', 'isinma', 'alici_siniri', 'aralik')"
)

_HOLDS_BACK = text("waits_for IN ('tekrar_deneme', 'onceki_mesaj')")

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("batch_id", Id, ForeignKey("batch.id")),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("recipient_name", Text),
    Column("body", Text),
    Column("file_digest", Text),
    Column("file_name", Text),
    Column("file_type", Text),
    Column("file_size", Integer),
    Column("category", Integer, nullable=False),
    Column("lane", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("warning", Text),
    Column("waits_for", Text),
    Column("waits_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("read_at", BigInteger),
    Column("remote_id", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("reference", Text),
    Column("fingerprint", LargeBinary),
    Column("resend_of", Id),
    Column("track", Text),
    Column("courtesy", Text),
    Column("owns_lifetime", Boolean, nullable=False, server_default=false()),
    Column("is_head", Boolean, nullable=False, server_default=false()),
    Column("variables", Text),
    CheckConstraint(one_of("status", Status), name="status"),
    CheckConstraint("waits_for IS NULL OR status = 'queued'", name="only_queued_rows_wait"),
    CheckConstraint("status NOT IN ('sent', 'delivered', 'read') OR sent_at IS NOT NULL", name="sent_has_a_time"),
    CheckConstraint("body IS NOT NULL OR file_digest IS NOT NULL OR status = 'failed'", name="has_content"),
    # The queue: what stands in line and nothing else, so that a claim never skips a row.
    Index(
        "ix_message_queue",
        "account_id",
        "lane",
        text("priority DESC"),
        "due_at",
        "id",
        sqlite_where=_IN_LINE,
    ),
    # Bulk takes turns: within a level each batch, and each token that sends like one, has its own line.
    Index(
        "ix_message_turn",
        "account_id",
        text("priority DESC"),
        text("coalesce(batch_id, -token_id)"),
        "due_at",
        "id",
        sqlite_where=text("status = 'queued' AND waits_for IS NULL AND lane = 'bulk'"),
    ),
    # What its pace has parked, by account: only accounts with rules look here.
    Index(
        "ix_message_paced",
        "account_id",
        "waits_until",
        sqlite_where=_PACED,
    ),
    # A deferred row, and what is parked behind it, hold back the later ones of their recipient.
    Index(
        "ix_message_deferred",
        "account_id",
        "recipient",
        "priority",
        sqlite_where=_HOLDS_BACK,
    ),
    # What upkeep looks at: waits that end, doubts, lifetimes that end, hands that may be empty.
    Index(
        "ix_message_waits_until",
        "waits_until",
        sqlite_where=_WAITS,
    ),
    Index(
        "ix_message_in_doubt",
        "waits_until",
        sqlite_where=text("status = 'unknown' AND waits_until IS NOT NULL"),
    ),
    Index(
        "ix_message_expires_at",
        "expires_at",
        sqlite_where=text("status = 'queued'"),
    ),
    Index(
        "ix_message_unsettled",
        "account_id",
        "status",
        sqlite_where=text("status IN ('sending', 'unknown')"),
    ),
    Index(
        "uq_message_remote_id",
        "account_id",
        "remote_id",
        unique=True,
        sqlite_where=text("remote_id IS NOT NULL"),
    ),
    Index(
        "ix_message_fingerprint",
        "token_id",
        "fingerprint",
        "created_at",
        sqlite_where=text("fingerprint IS NOT NULL"),
    ),
    Index(
        "ix_message_batch",
        "batch_id",
        "status",
        sqlite_where=text("batch_id IS NOT NULL"),
    ),
    # The log as people narrow it: each of these ranges lies in the order of ids (see reading.page). SQLite adds them to
    # every index by itself; to PostgreSQL's, and to ix_message_batch there, a migration has added them.
    Index("ix_message_log", "account_id", "status", "waits_for"),
    Index("ix_message_category", "category", "account_id", "status", "waits_for"),
    Index("ix_message_recipient", "recipient", "id"),
    Index(
        "ix_message_reference",
        "reference",
        "id",
        sqlite_where=text("reference IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", Id, ForeignKey("message.id"), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", Text),
    Column("reason", Text),
    Column("detail", Text),
    Index("ix_attempt_message_id", "message_id"),
)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Id),
    Column("message_id", Id),
    Column("batch_id", Id),
    Column("detail", Text),
    Index("ix_event_message_id", "message_id"),
    sqlite_autoincrement=True,
)

hour_mark = Table(
    "hour_mark",
    metadata,
    Column("first_id", Id, primary_key=True),
    Column("hour", BigInteger, nullable=False),
    Index("ix_hour_mark_hour", "hour"),
)
"""The first message of each hour, as they came in: where in the log a time is, though a clock may be set back."""
