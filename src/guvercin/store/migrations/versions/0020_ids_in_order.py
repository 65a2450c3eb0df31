"""The id as the last column of the indexes that pages are read from. SQLite's have it by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

compatible_version = "0019"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in ("ix_message_log", "ix_message_category", "ix_message_batch"):
        op.drop_index(name, "message")
    op.create_index("ix_message_log", "message", ["account_id", "status", "waits_for", "id"])
    op.create_index("ix_message_category", "message", ["category", "account_id", "status", "waits_for", "id"])
    op.create_index(
        "ix_message_batch", "message", ["batch_id", "status", "id"], sqlite_where=sa.text("batch_id IS NOT NULL")
    )
