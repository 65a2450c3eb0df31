"""The rules of a pace: what each account has used of them, what is closed, and what its rows wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_IN_LINE_FOR_BULK = sa.text("status = 'queued' AND waits_for IS NULL AND lane = 'bulk'")
_PACED = sa.text(
    "status = 'queued' AND waits_for IN ('sessiz_saat', 'saatlik_sinir', 'gunluk_sinir', 'aylik_sinir', "
    "'yeni_hat_kapali', 'isinma', 'alici_siniri', 'aralik')"
)


def upgrade() -> None:
    op.add_column("message", sa.Column("track", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("courtesy", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("owns_lifetime", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.add_column("message", sa.Column("is_head", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.add_column("batch", sa.Column("declared_at", sa.BigInteger(), nullable=True))
    op.add_column("batch", sa.Column("paused_code", sa.Text(), nullable=True))
    op.create_index(
        "ix_message_turn",
        "message",
        ["account_id", sa.text("priority DESC"), sa.text("coalesce(batch_id, -token_id)"), "due_at", "id"],
        sqlite_where=_IN_LINE_FOR_BULK,
        postgresql_where=_IN_LINE_FOR_BULK,
    )
    op.create_index(
        "ix_message_paced",
        "message",
        ["account_id", "waits_until"],
        sqlite_where=_PACED,
        postgresql_where=_PACED,
    )
    op.create_table(
        "pace_state",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("steady_at", sa.BigInteger(), nullable=False),
        sa.Column("wall_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("draw", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("bulk_run", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rests_until", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("new_until", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("head_starts", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("warm_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("warm_day", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pace_state_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_pace_state")),
    )
    op.create_table(
        "pace_use",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pace_use_account_id")),
        sa.PrimaryKeyConstraint("account_id", "minute", "track", name=op.f("pk_pace_use")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "restriction",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_restriction_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_restriction")),
    )
    op.create_table(
        "chat",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("unanswered", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_chat_account_id")),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_chat")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "token_minute",
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("singles", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_token_minute_token_id")),
        sa.PrimaryKeyConstraint("token_id", "minute", name=op.f("pk_token_minute")),
        sqlite_with_rowid=False,
    )
