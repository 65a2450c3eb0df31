"""The database says which programs can run on it, and gateways say which of them they are."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

compatible_version = "0019"
"""Programs from before know nothing of this rule."""


def upgrade() -> None:
    op.add_column("alembic_version", sa.Column("compatible_version", sa.Text(), nullable=True))
    op.add_column("node", sa.Column("version", sa.Text(), nullable=True))
    op.add_column("node", sa.Column("schema", sa.Text(), nullable=True))
