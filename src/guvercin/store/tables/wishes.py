"""What people want: refusals and consents."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

opt_out = Table(
    "opt_out",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id")),
    Column("phone", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("said", Text),
    Column("token_id", Id, ForeignKey("token.id")),
    Column("confirmation_id", Id),
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
    Column("id", Id, primary_key=True),
    Column("phone", Text, nullable=False),
    Column("recipient_kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("text_version", Text),
    Column("proof_digest", Text),
    Column("proof_name", Text),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_consent_phone", "phone", "id"),
    Index("ix_consent_proof", "proof_digest", sqlite_where=text("proof_digest IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""Who has agreed to be advertised to, when, where and to which text. The proof is a file in the spool."""
