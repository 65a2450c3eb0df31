"""A running server has loaded what it needs, and nothing that only some of them ever will."""

import subprocess
import sys
from pathlib import Path

RUN = """
import asyncio, sys
from pathlib import Path

from guvercin.config import load
from guvercin.main.running import running

async def run():
    async with running(load(data_dir=Path(sys.argv[1]))):
        pass

asyncio.run(run())
print(*sys.modules)
"""

NOT_NEEDED = {
    "aiohttp": "carries messages to Meta, for those who send through it",
    "argon2": "hashes passwords, when somebody signs in to the panel",
    "alembic": "migrates a database; this one is current",
    "babel": "compiles the catalogues when the package is built",
    "httpx2": "carries the terminal's commands to a server",
    "PIL": "measures pictures in the worker of a linked phone",
    "google.protobuf": "comes with the engine of linked phones",
    "neonize": "takes a process down with it: it lives in the worker of a linked phone and nowhere else",
    "segno": "draws the code by which a phone is linked",
    "jinja2": "writes the pages, when one is asked for",
    "mako": "comes with alembic",
    "opentelemetry.sdk": "would trace requests; messages are traced from their events, without it",
    "guvercin.gateway.traces": "is for those who have a collector",
    "openpyxl": "reads and writes spreadsheets",
    "sqlalchemy.orm": "is the half of SQLAlchemy that we don't use",
    "sqlite3": "would be a second copy of SQLite in one process",
    "typer": "is the terminal's",
}


def modules_of_a_run(folder: Path) -> set[str]:
    done = subprocess.run([sys.executable, "-c", RUN, str(folder)], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_server_with_a_linked_phone_has_not_loaded_its_engine(tmp_path: Path) -> None:
    modules = modules_of_a_run(tmp_path)
    assert "guvercin.transports.web.engine" in modules
    assert not modules & {"guvercin.transports.web.worker", "guvercin.transports.web.seat"}
    assert "neonize" not in modules


def test_a_running_server_has_not_loaded_what_it_may_never_need(tmp_path: Path) -> None:
    assert "alembic" in modules_of_a_run(tmp_path)  # the first run makes the database
    assert sorted(NOT_NEEDED.keys() & modules_of_a_run(tmp_path)) == []
