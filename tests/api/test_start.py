"""A start loads what it needs and nothing else."""

import subprocess
import sys

HEAVY = ("jinja2", "openpyxl", "alembic", "phonenumbers.geodata", "httpx2", "typer", "babel", "uvicorn")


def test_the_app_is_imported_without_what_it_may_never_need() -> None:
    script = f"import sys, guvercin.api.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
