"""Why a refusal was taken off the list, in the words of whoever did it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opt_out", sa.Column("ended_why", sa.Text(), nullable=True))
