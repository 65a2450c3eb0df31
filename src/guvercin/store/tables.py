"""The tables, once for both databases. Times are integers: milliseconds since 1970 in UTC.

The message table is the queue: order, priority, schedule, cancel, status and audit are the same row. The rules that
must never break stand here again as constraints, beneath the code that keeps them; lists of words that still grow
(kinds, lanes, what a row waits for) do not, since SQLite would have to copy the whole table to learn a new word.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
    true,
)

from guvercin.core.account import LineState, OnUnknown
from guvercin.core.message import Status

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

_Id = BigInteger().with_variant(Integer, "sqlite")


def _one_of(column: str, values: type[Status | LineState | OnUnknown]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


account = Table(
    "account",
    metadata,
    Column("id", _Id, primary_key=True),
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
    CheckConstraint(_one_of("on_unknown", OnUnknown), name="on_unknown"),
    CheckConstraint(_one_of("line_state", LineState), name="line_state"),
    Index(
        "uq_account_default",
        "is_default",
        unique=True,
        sqlite_where=text("is_default"),
    ),
    sqlite_autoincrement=True,
)

token = Table(
    "token",
    metadata,
    Column("id", _Id, primary_key=True),
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
    Column("token_id", _Id, ForeignKey("token.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("accepted", Integer, nullable=False),
)

batch = Table(
    "batch",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
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
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False),
    Column("batch_id", _Id, ForeignKey("batch.id")),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
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
    Column("resend_of", _Id),
    Column("track", Text),
    Column("courtesy", Text),
    Column("owns_lifetime", Boolean, nullable=False, server_default=false()),
    Column("is_head", Boolean, nullable=False, server_default=false()),
    Column("variables", Text),
    CheckConstraint(_one_of("status", Status), name="status"),
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
    # The log as people narrow it: each of these ranges lies in the order of ids (see reading.page).
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
    Column("id", _Id, primary_key=True),
    Column("message_id", _Id, ForeignKey("message.id"), nullable=False),
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
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", _Id),
    Column("message_id", _Id),
    Column("batch_id", _Id),
    Column("detail", Text),
    Index("ix_event_message_id", "message_id"),
    sqlite_autoincrement=True,
)

hour_mark = Table(
    "hour_mark",
    metadata,
    Column("first_id", _Id, primary_key=True),
    Column("hour", BigInteger, nullable=False),
    Index("ix_hour_mark_hour", "hour"),
)
"""The first message of each hour, as they came in: where in the log a time is, though a clock may be set back."""

receipt = Table(
    "receipt",
    metadata,
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
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
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

not_understood = Table(
    "not_understood",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False),
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
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("is_registered", Boolean),
    Column("known_at", BigInteger),
    Column("asked_at", BigInteger),
    Index("ix_number_check_asked", "account_id", "asked_at"),
)
"""What the network said of numbers, and when it was asked: the questions of a day are counted here."""

pace_state = Table(
    "pace_state",
    metadata,
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("steady_at", BigInteger, nullable=False),
    Column("wall_at", BigInteger, nullable=False),
    Column("last_at", BigInteger),
    Column("draw", Float, nullable=False, server_default=text("0")),
    Column("bulk_run", Integer, nullable=False, server_default=text("0")),
    Column("rests_until", BigInteger, nullable=False, server_default=text("0")),
    Column("new_until", BigInteger, nullable=False, server_default=text("0")),
    Column("head_starts", Text, nullable=False, server_default=text("'[]'")),
    Column("warm_days", Integer, nullable=False, server_default=text("0")),
    Column("warm_day", BigInteger),
)
"""What an account has used of its rules, as far as it isn't a count. Times are of its own line; `wall_at` ties it."""

pace_use = Table(
    "pace_use",
    metadata,
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("track", Text, primary_key=True),
    Column("sends", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The counters of the limits, a minute each: the last 30 days, however long the log is."""

restriction = Table(
    "restriction",
    metadata,
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("step", Integer, nullable=False, server_default=text("0")),
)
"""What WhatsApp has closed for an account, and until when."""

chat = Table(
    "chat",
    metadata,
    Column("account_id", _Id, ForeignKey("account.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("last_at", BigInteger, nullable=False),
    Column("unanswered", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""When an account with rules last wrote to a number, and what nobody has answered: `[[message id, moment], …]`."""

token_minute = Table(
    "token_minute",
    metadata,
    Column("token_id", _Id, ForeignKey("token.id"), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("singles", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many single messages a token has asked for in each minute: a loop over singles is a bulk."""

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("token_id", _Id, ForeignKey("token.id"), primary_key=True),
    Column("method", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("message_id", _Id),
    Column("batch_id", _Id),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_idempotency_key_created_at", "created_at"),
)

upload = Table(
    "upload",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_upload_created_at", "created_at"),
)

batch_draft = Table(
    "batch_draft",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_batch_draft_token", "token_id", "created_at"),
    Index("ix_batch_draft_created_at", "created_at"),
)
"""Bulk requests that are not made yet: read from a file, looked through, and waiting for a yes."""

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
hook = Table(
    "hook",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("account_ids", Text),
    Column("secret", LargeBinary, nullable=False),
    Column("secret_before", LargeBinary),
    Column("before_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("first_id", _Id, nullable=False),
    Column("cursor", _Id, nullable=False),
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
    Column("hook_id", _Id, ForeignKey("hook.id"), primary_key=True),
    Column("event_id", _Id, primary_key=True),
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

person = Table(
    "person",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("language", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)

session = Table(
    "session",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", _Id, ForeignKey("person.id"), nullable=False),
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

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What the owner set in the panel."""

daily_count = Table(
    "daily_count",
    metadata,
    Column("day", Text, primary_key=True),
    Column("account_id", _Id, primary_key=True, autoincrement=False),
    Column("tur_id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", _Id, primary_key=True, autoincrement=False),
    Column("status", Text, primary_key=True),
    Column("reason", Text, primary_key=True, server_default=text("''")),
    Column("n", Integer, nullable=False),
)
"""How many messages of a day stand where. Counted from the messages; may be thrown away with its mark."""

count_mark = Table(
    "count_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", _Id, nullable=False),
)
"""Up to which event the counts are right: at most one row."""

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
    Column("cursor", _Id, nullable=False),
)
"""The last event that each of the owner's channels has carried."""

day_pass = Table(
    "day_pass",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_day_pass_expires_at", "expires_at"),
)
"""Sign-ins for a day: a pass stands for its token, and ends with it."""

opt_out = Table(
    "opt_out",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id")),
    Column("phone", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("said", Text),
    Column("token_id", _Id, ForeignKey("token.id")),
    Column("confirmation_id", _Id),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Column("ended_why", Text),
    # What a claim and an acceptance ask: is there anything about this person?
    Index(
        "uq_opt_out_live",
        "phone",
        "scope",
        "account_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
    ),
    Index(
        "uq_opt_out_live_everywhere",
        "phone",
        "scope",
        unique=True,
        sqlite_where=text("ended_at IS NULL AND account_id IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""Who wants no messages. `account_id` null: of no account. `confirmation_id`: the one message that may still go."""

consent = Table(
    "consent",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("phone", Text, nullable=False),
    Column("recipient_kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("text_version", Text),
    Column("proof_digest", Text),
    Column("proof_name", Text),
    Column("token_id", _Id, ForeignKey("token.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_consent_phone", "phone", "id"),
    Index("ix_consent_proof", "proof_digest", sqlite_where=text("proof_digest IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""Who has agreed to be advertised to, when, where and to which text. The proof is a file in the spool."""

inbound = Table(
    "inbound",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False),
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
    Column("event_id", _Id),
    Index("uq_inbound_event_id", "event_id", unique=True),
    Index("uq_inbound_remote_id", "account_id", "remote_id", unique=True),
    Index("ix_inbound_sender", "sender", "id"),
    Index("ix_inbound_received_at", "received_at"),
    Index("ix_inbound_unread", "account_id", "id", sqlite_where=text("read_at IS NULL")),
    sqlite_autoincrement=True,
)
"""The inbox: what people wrote to us, each message once. `body` null: it was erased. A file is only named."""

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text),
    Column("way", Text, nullable=False),
    Column("token_id", _Id),
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
    Column("given_out", _Id, nullable=False),
)
"""The newest id that an entry of the audit got: at most one row. Who cuts off the end is betrayed by it."""

destruction = Table(
    "destruction",
    metadata,
    Column("id", _Id, primary_key=True),
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

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

for _table in metadata.tables.values():  # a partial index is partial in both
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]
