"""The files of the inbox: the sealed way to each at WhatsApp, and our copy of what was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound", sa.Column("media_source", sa.LargeBinary(), nullable=True))
    op.add_column("inbound", sa.Column("media_digest", sa.Text(), nullable=True))
    op.create_index(
        "ix_inbound_media_digest", "inbound", ["media_digest"], sqlite_where=sa.text("media_digest IS NOT NULL")
    )
