"""The program of tomorrow: a copy of ours that is one migration ahead, to run beside the one of today.

There are two: one whose migration today's program can live with, and one whose migration it can't.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import guvercin
from guvercin.store.schema import HEAD

NEWER = "9999"
"""The migration that only the newer program knows."""

_MIGRATION = '''"""What a later version does."""

from alembic import op

revision = {revision!r}
down_revision = {before!r}
branch_labels = None
depends_on = None

compatible_version = {compatible!r}


def upgrade() -> None:
    for statement in {statements!r}:
        op.execute(statement)
'''

EXPANDING = (
    "ALTER TABLE message ADD COLUMN from_the_future TEXT",
    "ALTER TABLE message ADD COLUMN rank_of_the_future INTEGER NOT NULL DEFAULT 7",
    "CREATE TABLE future (id INTEGER PRIMARY KEY, message_id BIGINT)",
    "CREATE INDEX ix_message_from_the_future ON message (from_the_future) WHERE from_the_future IS NOT NULL",
)
"""Columns, a table and an index that today's program doesn't feel."""

CONTRACTING = ("ALTER TABLE message ADD COLUMN from_the_future TEXT",)
"""Nothing bad by itself; but it says that no older program can run on it."""


def migration(revision: str, before: str, *, compatible: str, statements: Sequence[str]) -> str:
    """Write a migration that runs `statements`."""
    return _MIGRATION.format(revision=revision, before=before, compatible=compatible, statements=tuple(statements))


def newer_program(folder: Path, *, expands: bool = False) -> str:
    """Make the newer program in `folder`; answers what its PYTHONPATH has to be."""
    package = folder / "guvercin"
    shutil.copytree(Path(guvercin.__file__).parent, package)
    compatible, statements = (HEAD, EXPANDING) if expands else (NEWER, CONTRACTING)
    written = migration(NEWER, HEAD, compatible=compatible, statements=statements)
    (package / "store" / "migrations" / "versions" / f"{NEWER}_later.py").write_text(written)
    with (package / "store" / "schema.py").open("a") as schema:
        schema.write(f'\nKNOWN = KNOWN | {{"{NEWER}"}}\nHEAD = "{NEWER}"\n')
    return str(folder)
