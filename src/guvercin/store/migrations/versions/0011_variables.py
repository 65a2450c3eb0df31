"""What a list knows of a person beside the name, for lines that still ask for it when the message leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("variables", sa.Text(), nullable=True))
