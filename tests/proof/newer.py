"""The program of tomorrow: a copy of ours that is one migration ahead, to run beside the one of today."""

import shutil
from pathlib import Path

import guvercin
from guvercin.store.schema import HEAD

NEWER = "9999"
"""The migration that only the newer program knows."""

_MIGRATION = f'''"""What a later version adds."""

from alembic import op

revision = "{NEWER}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE message ADD COLUMN from_the_future TEXT")
'''


def newer_program(folder: Path) -> str:
    """Make the newer program in `folder`; answers what its PYTHONPATH has to be."""
    package = folder / "guvercin"
    shutil.copytree(Path(guvercin.__file__).parent, package)
    (package / "store" / "migrations" / "versions" / f"{NEWER}_later.py").write_text(_MIGRATION)
    with (package / "store" / "schema.py").open("a") as schema:
        schema.write(f'\nKNOWN = KNOWN | {{"{NEWER}"}}\nHEAD = "{NEWER}"\n')
    return str(folder)
