"""What people want: refusals and consents, and what an account's owner decides about them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("account", sa.Column("keeps_notices", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.add_column("account", sa.Column("sender_title", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("repeat_guard", sa.BigInteger(), nullable=True))
    op.create_table(
        "opt_out",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("token_id", _ID, nullable=True),
        sa.Column("confirmation_id", _ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_opt_out_account_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_opt_out_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_out")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_opt_out_live",
        "opt_out",
        ["phone", "scope", "account_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_opt_out_live_everywhere",
        "opt_out",
        ["phone", "scope"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL AND account_id IS NULL"),
    )
    op.create_table(
        "consent",
        sa.Column("id", _ID, nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=True),
        sa.Column("proof_digest", sa.Text(), nullable=True),
        sa.Column("proof_name", sa.Text(), nullable=True),
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_consent_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_phone", "consent", ["phone", "id"])
    op.create_index("ix_consent_proof", "consent", ["proof_digest"], sqlite_where=sa.text("proof_digest IS NOT NULL"))
