"""A process that prepares a database when it is told to. Not a test: test_schema.py starts it."""

import sys
from pathlib import Path

from guvercin.store.schema import prepare
from guvercin.store.sqlite import engine_for


def main(path: str, how: str = "eager") -> None:
    if how == "eager":
        import alembic.command  # noqa: F401 -- so that all begin at the same moment
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    print(prepare(engine_for(Path(path), create=True)))  # noqa: T201
    if how == "lazy":
        print("alembic is loaded" if "alembic" in sys.modules else "alembic is not loaded")  # noqa: T201


main(*sys.argv[1:])
