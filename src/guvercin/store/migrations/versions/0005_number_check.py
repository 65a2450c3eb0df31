"""What the network said of numbers, and when it was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "number_check",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_registered", sa.Boolean(), nullable=True),
        sa.Column("known_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_number_check_account_id")),
        sa.PrimaryKeyConstraint("number", "account_id", name=op.f("pk_number_check")),
    )
    with op.batch_alter_table("number_check", schema=None) as batch_op:
        batch_op.create_index("ix_number_check_asked", ["account_id", "asked_at"], unique=False)
